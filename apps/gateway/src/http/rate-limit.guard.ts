import { type ExecutionContext, Injectable } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerStorage } from '@nestjs/throttler';
import { HoldfastError } from '#libs/domain';
import type { GatewayRequest } from './caller.js';

/** Limits how often each caller asks: a user or key of an organisation, or the address of whoever is not signed in. */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  protected override getTracker(request: GatewayRequest): Promise<string> {
    const { identity } = request;
    const known = identity !== undefined && !(identity instanceof HoldfastError);
    return Promise.resolve(known ? JSON.stringify([identity.orgId, identity.userId]) : request.ip);
  }

  /** One count for all routes. */
  protected override generateKey(_context: ExecutionContext, tracker: string): string {
    return tracker;
  }

  protected override throwThrottlingException(): Promise<void> {
    throw new HoldfastError('limited', 'RATE_LIMITED', 'Too many requests at once.', { retryAfterSeconds: 1 });
  }
}

/**
 * Counts in fixed windows, in this process. The library's own keeps the time of every hit and goes through all of them at each, which
 * at 1,000 requests per second and caller costs more than the rest of a request.
 */
export class WindowCounts implements ThrottlerStorage {
  #counts = new Map<string, number>();
  #windowEndsAt = 0;

  increment(key: string, ttlMs: number, limit: number): ReturnType<ThrottlerStorage['increment']> {
    const now = performance.now();
    if (now >= this.#windowEndsAt) {
      this.#counts = new Map();
      this.#windowEndsAt = now + ttlMs;
    }
    const totalHits = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, totalHits);
    const timeToExpire = Math.ceil((this.#windowEndsAt - now) / 1000);
    return Promise.resolve({ totalHits, timeToExpire, isBlocked: totalHits > limit, timeToBlockExpire: timeToExpire });
  }
}
