import { readFile } from 'node:fs/promises';
import { Inject, Injectable } from '@nestjs/common';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  SignJWT,
} from 'jose';
import { type Actor, isRole, type Role } from '#libs/auth';
import { ID_PATTERN, ORG_ID_PATTERN, unavailable } from '#libs/domain';
import { type AuthConfig, CONFIG, type Config } from '#libs/service';
import { USER_ID } from '../http/fields.js';
import { Recent } from './recent.js';
import { unauthenticated } from './unauthenticated.js';

const DEVELOPMENT = {
  issuer: 'holdfast-development',
  audience: 'holdfast',
  algorithm: 'HS256',
  /** No secret: whoever reaches the gateway in development may ask it for any token. It only makes tokens outlive a restart. */
  key: new TextEncoder().encode('holdfast-development-token-key, not a secret'),
  lifetimeSeconds: 12 * 60 * 60,
} as const;

/** How long a key that the identity provider has withdrawn is still taken, for a token that was seen before. */
const REMEMBERED_MS = 30_000;
const CLOCK_TOLERANCE_SECONDS = 5;

/** Reads the tokens that people and systems sign in with. */
@Injectable()
export class AccessTokens {
  readonly #verify: (token: string) => Promise<{ payload: JWTPayload }>;
  // Checking a signature costs more than the rest of a small request.
  readonly #recent = new Recent((token) => this.#read(token), REMEMBERED_MS);

  constructor(@Inject(CONFIG) { auth }: Pick<Config, 'auth'>) {
    this.#verify = auth.mode === 'dev' ? verifyDevelopment : verifyPublished(auth);
  }

  /** @throws {HoldfastError} `UNAUTHENTICATED`, or `UNAVAILABLE` when the keys of the identity provider cannot be had. */
  async verify(token: string): Promise<Actor> {
    const { actor, expiresAtMs } = await this.#recent.get(token);
    if (Date.now() >= expiresAtMs) throw expired();
    return actor;
  }

  async #read(token: string): Promise<{ actor: Actor; expiresAtMs: number }> {
    const { payload } = await this.#verify(token).catch((error: unknown) => {
      if (isProviderAway(error)) throw unavailable('The keys of the identity provider cannot be read.', {}, { cause: error });
      throw error instanceof errors.JWTExpired ? expired(error) : unauthenticated('The token is not valid.', error);
    });
    return { actor: actorOf(payload), expiresAtMs: payload.exp! * 1_000 + CLOCK_TOLERANCE_SECONDS * 1_000 };
  }
}

const expired = (cause?: unknown) => unauthenticated('The token has expired.', cause);

/** The identity provider could not be reached, or did not answer with keys. */
function isProviderAway(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return true;
  return error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || error.code === errors.JOSEError.code;
}

/** A token for anyone, for development and tests. */
export async function issueDevelopmentToken(actor: {
  orgId: string;
  userId: string;
  roles: readonly Role[];
  /** Absent: all. */
  warehouses?: readonly string[];
}): Promise<{ accessToken: string; expiresIn: number }> {
  const { orgId, userId, roles, warehouses } = actor;
  const accessToken = await new SignJWT({ org: orgId, roles, ...(warehouses === undefined ? {} : { warehouses }) })
    .setProtectedHeader({ alg: DEVELOPMENT.algorithm })
    .setIssuer(DEVELOPMENT.issuer)
    .setAudience(DEVELOPMENT.audience)
    .setSubject(userId)
    .setIssuedAt()
    .setExpirationTime(`${DEVELOPMENT.lifetimeSeconds}s`)
    .sign(DEVELOPMENT.key);
  return { accessToken, expiresIn: DEVELOPMENT.lifetimeSeconds };
}

const REQUIRED_CLAIMS = ['sub', 'org', 'roles', 'exp'];

function verifyDevelopment(token: string) {
  const { algorithm, issuer, audience, key } = DEVELOPMENT;
  return jwtVerify(token, key, { algorithms: [algorithm], issuer, audience, requiredClaims: REQUIRED_CLAIMS });
}

function verifyPublished({ jwksUrl, issuer, audience, algorithm }: Extract<AuthConfig, { mode: 'jwks' }>) {
  const keys = publishedKeys(new URL(jwksUrl));
  const options = { algorithms: [algorithm], issuer, audience, requiredClaims: REQUIRED_CLAIMS, clockTolerance: CLOCK_TOLERANCE_SECONDS };
  return (token: string) => jwtVerify(token, keys, options);
}

function publishedKeys(url: URL): JWTVerifyGetKey {
  if (url.protocol !== 'file:') return createRemoteJWKSet(url, { timeoutDuration: 3_000 });
  const local = readFile(url, 'utf8').then((text) => createLocalJWKSet(JSON.parse(text) as JSONWebKeySet));
  // Reported by each token that is checked, not by ending the process before the first one.
  local.catch(() => {});
  return async (header, token) => (await local)(header, token);
}

const org = new RegExp(ORG_ID_PATTERN);
const id = new RegExp(ID_PATTERN);

function actorOf({ sub, org: orgId, roles, warehouses }: JWTPayload): Actor {
  if (typeof sub !== 'string' || !USER_ID.test(sub)) throw unauthenticated('The token has no valid `sub`.');
  if (typeof orgId !== 'string' || !org.test(orgId)) throw unauthenticated('The token has no valid `org`.');
  if (!Array.isArray(roles)) throw unauthenticated('The token has no list of `roles`.');
  // Absent is all of them, so whatever else is no list of ids must not be taken for absent.
  if (
    warehouses !== undefined &&
    !(Array.isArray(warehouses) && warehouses.every((entry) => typeof entry === 'string' && id.test(entry)))
  ) {
    throw unauthenticated('The token has `warehouses` that are no list of ids.');
  }
  // An identity provider may know roles that are none of ours.
  return { userId: sub, orgId, roles: roles.filter(isRole), warehouses: (warehouses as string[] | undefined) ?? null };
}
