import { jwtVerify, SignJWT } from 'jose';
import { ROLES, type Role } from '#libs/contracts';
import { HoldfastError } from '#libs/domain';
import type { Actor } from './actor.js';

const ISSUER = 'holdfast-gateway';
const AUDIENCE = 'holdfast-services';
const LIFETIME_SECONDS = 60;
const SECRET_BYTES_MIN = 32;
/** Known to everybody, so worth nothing: good enough where nobody but the developer reaches the broker. */
const DEVELOPMENT_SECRET = 'holdfast-development-actor-secret';

/**
 * The secret that gateway and services share, from `HOLDFAST_ACTOR_SECRET` (at least 32 bytes). Required in production; elsewhere a
 * well-known one stands in, so that the services of a development machine understand each other without configuration.
 */
function secret(): Uint8Array {
  const configured = process.env['HOLDFAST_ACTOR_SECRET'];
  if (!configured && process.env['NODE_ENV'] === 'production') {
    throw new Error('HOLDFAST_ACTOR_SECRET is missing: in production gateway and services need a shared secret of at least 32 bytes.');
  }
  const bytes = new TextEncoder().encode(configured || DEVELOPMENT_SECRET);
  if (bytes.length < SECRET_BYTES_MIN)
    throw new Error(`HOLDFAST_ACTOR_SECRET is too short: at least ${SECRET_BYTES_MIN} bytes are needed.`);
  return bytes;
}

// Signing and reading go through Node's crypto threads and cost more than a whole call: the calls of one caller share a token for half of
// its life, and it is read once.
const signed = new Map<string, { readonly token: Promise<string>; readonly freshUntilMs: number }>();
const verified = new Map<string, { readonly actor: Actor; readonly expiresAtMs: number }>();
const REMEMBERED_MAX = 10_000;

/** Says on whose behalf calls are made: a token for 60 seconds, which travels as `data.actor` and which the answering service reads. */
export function signActorToken(actor: Actor): Promise<string> {
  const shared = secret();
  const key = JSON.stringify([actor.orgId, actor.userId, actor.roles, actor.warehouses]);
  const known = signed.get(key);
  if (known !== undefined && known.freshUntilMs > Date.now()) return known.token;
  if (signed.size >= REMEMBERED_MAX) signed.clear();
  const token = sign(actor, shared);
  signed.set(key, { token, freshUntilMs: Date.now() + (LIFETIME_SECONDS / 2) * 1000 });
  return token;
}

function sign(actor: Actor, shared: Uint8Array): Promise<string> {
  return new SignJWT({ org: actor.orgId, roles: actor.roles, warehouses: actor.warehouses })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(actor.userId)
    .setIssuedAt()
    .setExpirationTime(`${LIFETIME_SECONDS}s`)
    .sign(shared);
}

/**
 * Reads a token of {@link signActorToken}.
 *
 * @throws {HoldfastError} kind `unauthenticated` when it is not ours, was changed, or has expired.
 */
export async function verifyActorToken(token: string): Promise<Actor> {
  const known = verified.get(token);
  if (known !== undefined && known.expiresAtMs > Date.now()) return known.actor;
  const { payload } = await jwtVerify(token, secret(), {
    algorithms: ['HS256'],
    issuer: ISSUER,
    audience: AUDIENCE,
    requiredClaims: ['sub', 'exp', 'org', 'roles', 'warehouses'],
  }).catch((error: unknown) => {
    throw new HoldfastError('unauthenticated', 'UNAUTHENTICATED', 'The actor token is not valid or has expired.', {}, { cause: error });
  });
  const actor = {
    userId: String(payload.sub),
    orgId: String(payload['org']),
    roles: (payload['roles'] as string[]).filter(isRole),
    warehouses: payload['warehouses'] as string[] | null,
  };
  if (verified.size >= REMEMBERED_MAX) verified.clear();
  verified.set(token, { actor, expiresAtMs: Number(payload.exp) * 1000 });
  return actor;
}

export function isRole(value: unknown): value is Role {
  return (ROLES as readonly unknown[]).includes(value);
}
