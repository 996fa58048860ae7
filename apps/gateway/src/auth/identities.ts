import { Injectable } from '@nestjs/common';
import type { Actor } from '#libs/auth';
import { AccessTokens } from './access-tokens.js';
import { ApiKeys } from './api-keys.js';
import { Members } from './members.js';
import { unauthenticated } from './unauthenticated.js';

/** The headers by which somebody signs in. */
export interface Credentials {
  readonly authorization?: string | undefined;
  readonly 'x-api-key'?: string | string[] | undefined;
}

const BEARER = /^Bearer +([\w~+/.-]+=*) *$/i;

/** Who somebody is, by token or API key, and with the rights of the moment. */
@Injectable()
export class Identities {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly members: Members,
    private readonly keys: ApiKeys,
  ) {}

  /** @throws {HoldfastError} `UNAUTHENTICATED` when nobody is signed in, or not any more. */
  async identify({ authorization, 'x-api-key': key }: Credentials): Promise<Actor> {
    const token = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
    if (token !== undefined) return this.members.applyTo(await this.tokens.verify(token));
    if (typeof key === 'string' && authorization === undefined) return this.keys.verify(key);
    throw unauthenticated('Sign in: send `Authorization: Bearer <token>` or `X-Api-Key`.');
  }
}
