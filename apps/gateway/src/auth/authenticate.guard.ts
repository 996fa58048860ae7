import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { HoldfastError } from '#libs/domain';
import type { GatewayRequest } from '../http/caller.js';
import { AccessTokens } from './access-tokens.js';
import { ApiKeys } from './api-keys.js';
import { Members } from './members.js';
import { unauthenticated } from './unauthenticated.js';

/**
 * Finds out who calls. It refuses nobody: whoever is not known is counted against the rate limit first, and then refused by
 * {@link AuthoriseGuard}.
 */
@Injectable()
export class AuthenticateGuard implements CanActivate {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly members: Members,
    private readonly keys: ApiKeys,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<GatewayRequest>();
    request.identity = await this.identify(request).catch((error: unknown) => {
      if (error instanceof HoldfastError) return error;
      throw error;
    });
    return true;
  }

  private async identify({ headers }: GatewayRequest) {
    const { authorization, 'x-api-key': key } = headers;
    const token = authorization === undefined ? undefined : /^Bearer +([\w~+/.-]+=*) *$/i.exec(authorization)?.[1];
    if (token !== undefined) return this.members.applyTo(await this.tokens.verify(token));
    if (typeof key === 'string' && authorization === undefined) return this.keys.verify(key);
    throw unauthenticated('Sign in: send `Authorization: Bearer <token>` or `X-Api-Key`.');
  }
}
