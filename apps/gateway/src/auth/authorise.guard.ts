import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { authoriseRole } from '#libs/auth';
import { forbidden, HoldfastError, invalid } from '#libs/domain';
import { Caller, type GatewayRequest } from '../http/caller.js';
import { type Endpoint, ENDPOINT } from '../http/endpoint.js';
import { unauthenticated } from './unauthenticated.js';

/** Lets a request through to its route when the route's {@link Endpoint} allows one of the caller's roles; otherwise not. */
@Injectable()
export class AuthoriseGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<GatewayRequest>();
    const endpoint = this.reflector.get<Endpoint | undefined>(ENDPOINT, context.getHandler());
    if (!endpoint) throw forbidden('FORBIDDEN', 'Nobody may use this address.');
    if (endpoint.allow !== 'public') {
      const { identity } = request;
      if (!identity || identity instanceof HoldfastError) throw identity ?? unauthenticated('Sign in.');
      authoriseRole(identity, endpoint.allow);
      request.caller = new Caller(identity, request, endpoint);
    }
    refuseUnknownQuery(request, endpoint);
    return true;
  }
}

/** Routes with a query of their own check it themselves. */
function refuseUnknownQuery(request: GatewayRequest, endpoint: Endpoint): void {
  const names = Object.keys(request.query as object);
  const unknown = names.filter((name) => (name === 'dryRun' ? !endpoint.dryRun : !endpoint.takesQuery));
  if (unknown.length === 0) return;
  throw invalid(
    'The query is not valid.',
    unknown.map((path) => ({ path, message: 'is not known here' })),
  );
}
