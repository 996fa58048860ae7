import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { HoldfastError } from '#libs/domain';
import type { GatewayRequest } from '../http/caller.js';
import { Identities } from './identities.js';

/**
 * Finds out who calls. It refuses nobody: whoever is not known is counted against the rate limit first, and then refused by
 * {@link AuthoriseGuard}.
 */
@Injectable()
export class AuthenticateGuard implements CanActivate {
  constructor(private readonly identities: Identities) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<GatewayRequest>();
    request.identity = await this.identities.identify(request.headers).catch((error: unknown) => {
      if (error instanceof HoldfastError) return error;
      throw error;
    });
    return true;
  }
}
