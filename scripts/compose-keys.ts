/**
 * Stands in for an identity provider in docker-compose.yml, so that the gateway checks tokens there exactly as in production:
 *
 *   make                                    writes a signing key, its public half as a key set, and the actor secret, unless they exist
 *   token --org ORG --role ROLE [--user U]  prints a token for a day; `--role` may be repeated
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';

const ALGORITHM = 'ES256';
const LIFETIME = '1d';
const directory = process.env['KEYS_DIRECTORY'] ?? 'keys';
const privateKeyFile = join(directory, 'private-key.json');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { org: { type: 'string' }, role: { type: 'string', multiple: true }, user: { type: 'string', default: 'developer' } },
});

if (positionals[0] === 'make') await makeKeys();
else if (positionals[0] === 'token' && values.org !== undefined && values.role !== undefined)
  console.log(await signToken(values.org, values.role));
else {
  console.error('Say "make", or "token --org ORG --role ROLE".');
  process.exitCode = 2;
}

async function makeKeys(): Promise<void> {
  if (existsSync(privateKeyFile)) return;
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const kid = randomBytes(8).toString('hex');
  const publicJwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: ALGORITHM, use: 'sig' };
  writeFileSync(join(directory, 'jwks.json'), JSON.stringify({ keys: [publicJwk] }));
  writeFileSync(join(directory, 'actor-secret'), randomBytes(32).toString('hex'), { mode: 0o600 });
  // Last, because its presence says that the others are there.
  writeFileSync(privateKeyFile, JSON.stringify({ ...(await exportJWK(privateKey)), kid }), { mode: 0o600 });
}

async function signToken(orgId: string, roles: readonly string[]): Promise<string> {
  const jwk = JSON.parse(readFileSync(privateKeyFile, 'utf8')) as JWK & { readonly kid: string };
  return await new SignJWT({ org: orgId, roles })
    .setProtectedHeader({ alg: ALGORITHM, kid: jwk.kid })
    .setSubject(values.user)
    .setIssuer(process.env['HOLDFAST_JWT_ISSUER'] ?? 'holdfast-compose')
    .setAudience(process.env['HOLDFAST_JWT_AUDIENCE'] ?? 'holdfast')
    .setIssuedAt()
    .setExpirationTime(LIFETIME)
    .sign(await importJWK(jwk, ALGORITHM));
}
