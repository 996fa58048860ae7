/**
 * Stands in for an identity provider in docker-compose.yml, so that the gateway checks tokens there exactly as in production:
 *
 *   make                                    writes a signing key, its public half as a key set, the actor secret, and how each service and
 *                                           the OMS oms-demo log in to the broker, unless they exist; and the users of the broker
 *   token --org ORG --role ROLE [--user U]  prints a token for a day; `--role` may be repeated
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { type BrokerUser, brokerDefinitions } from '#libs/messaging';
import { SERVICE_NAMES } from '../apps/standalone/src/service-names.js';

const ALGORITHM = 'ES256';
const LIFETIME = '1d';
const directory = process.env['KEYS_DIRECTORY'] ?? 'keys';
const privateKeyFile = join(directory, 'private-key.json');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { org: { type: 'string' }, role: { type: 'string', multiple: true }, user: { type: 'string', default: 'developer' } },
});

if (positionals[0] === 'make') {
  await makeKeys();
  makeBrokerUsers();
} else if (positionals[0] === 'token' && values.org !== undefined && values.role !== undefined)
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

/** Passwords stay; what each may do is written anew, because a new version may do more. */
function makeBrokerUsers(): void {
  const users = [...SERVICE_NAMES.map((service) => ({ name: service, service })), { name: 'oms-demo', orgId: 'demo' }];
  const withPasswords = users.map((user): BrokerUser => {
    const file = join(directory, `${user.name}.amqp-url`);
    if (!existsSync(file)) {
      writeFileSync(file, `amqp://${user.name}:${randomBytes(24).toString('base64url')}@rabbitmq:5672`, { mode: 0o600 });
    }
    return { ...user, password: new URL(readFileSync(file, 'utf8')).password };
  });
  // Read by the broker's own user; passwords are in it as salted hashes.
  writeFileSync(join(directory, 'broker-definitions.json'), JSON.stringify(brokerDefinitions(withPasswords)), { mode: 0o644 });
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
