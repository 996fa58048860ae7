import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { HoldfastError } from '#libs/domain';
import { CONFIG, type Config } from '#libs/service';
import type { GatewayRequest } from './caller.js';

const WINDOW_MS = 1_000;

/**
 * Limits how often each caller asks in a second: a user or key of an organisation, or the address of whoever is not signed in. Each
 * process counts for itself. (@nestjs/throttler keeps the time of every hit and goes through all of them at each, which at 1,000
 * requests a second costs more than the rest of a request; and being CommonJS it cannot be loaded where Nest itself is still loading.)
 */
@Injectable()
export class RateLimitGuard implements CanActivate {
  readonly #limit: number;
  #counts = new Map<string, number>();
  #windowEndsAt = 0;

  constructor(@Inject(CONFIG) { rateLimit }: Pick<Config, 'rateLimit'>) {
    this.#limit = rateLimit;
  }

  canActivate(context: ExecutionContext): boolean {
    const now = performance.now();
    if (now >= this.#windowEndsAt) {
      this.#counts = new Map();
      this.#windowEndsAt = now + WINDOW_MS;
    }
    const caller = callerOf(context.switchToHttp().getRequest<GatewayRequest>());
    const count = (this.#counts.get(caller) ?? 0) + 1;
    this.#counts.set(caller, count);
    if (count <= this.#limit) return true;
    throw new HoldfastError('limited', 'RATE_LIMITED', `At most ${this.#limit} requests a second.`, { retryAfterSeconds: 1 });
  }
}

function callerOf({ identity, ip }: GatewayRequest): string {
  const known = identity !== undefined && !(identity instanceof HoldfastError);
  return known ? JSON.stringify([identity.orgId, identity.userId]) : ip;
}
