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

/** Says on whose behalf a call is made: a token for 60 seconds, which travels as `data.actor` and which the answering service reads. */
export function signActorToken(actor: Actor): Promise<string> {
  return new SignJWT({ org: actor.orgId, roles: actor.roles, warehouses: actor.warehouses })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(actor.userId)
    .setIssuedAt()
    .setExpirationTime(`${LIFETIME_SECONDS}s`)
    .sign(secret());
}

/**
 * Reads a token of {@link signActorToken}.
 *
 * @throws {HoldfastError} kind `unauthenticated` when it is not ours, was changed, or has expired.
 */
export async function verifyActorToken(token: string): Promise<Actor> {
  const { payload } = await jwtVerify(token, secret(), {
    algorithms: ['HS256'],
    issuer: ISSUER,
    audience: AUDIENCE,
    requiredClaims: ['sub', 'exp', 'org', 'roles', 'warehouses'],
  }).catch((error: unknown) => {
    throw new HoldfastError('unauthenticated', 'UNAUTHENTICATED', 'The actor token is not valid or has expired.', {}, { cause: error });
  });
  return {
    userId: String(payload.sub),
    orgId: String(payload['org']),
    roles: (payload['roles'] as string[]).filter(isRole),
    warehouses: payload['warehouses'] as string[] | null,
  };
}

export function isRole(value: unknown): value is Role {
  return (ROLES as readonly unknown[]).includes(value);
}
