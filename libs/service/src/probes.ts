import { Logger, ServiceUnavailableException } from '@nestjs/common';
import type { HealthCheckService, HealthIndicatorFunction, HealthIndicatorService } from '@nestjs/terminus';
import type { FastifyInstance } from 'fastify';
import { renderMetrics } from './metrics.js';

/** A dependency that answers but is not as it should be: the service stays ready, and the probe says `degraded`. */
export class Degraded extends Error {}

/** One thing that a service needs to do its work. */
export interface ReadinessCheck {
  /** `database`, `broker`, `migrations`, `outbox`. */
  readonly name: string;
  /**
   * Answers what is worth knowing. Throws {@link NotReady} (its message is shown), {@link Degraded}, or anything else, which is
   * logged and shown as "does not answer", because probes need no authentication and errors of drivers name hosts.
   */
  check(): Promise<Record<string, unknown>>;
}

/** A dependency that is missing, with a message for whoever reads the probe. */
export class NotReady extends Error {}

const CHECK_TIMEOUT_MS = 3_000;

/** Asks all readiness checks through terminus, and logs when one changes, not each time it is asked. */
export class Readiness {
  private readonly logger = new Logger('Readiness');
  private readonly failing = new Set<string>();

  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    readonly checks: readonly ReadinessCheck[],
  ) {}

  /** The HTTP status and body of the readiness probe. */
  async ask(): Promise<{ status: number; body: unknown }> {
    try {
      return { status: 200, body: await this.health.check(this.checks.map((check) => this.indicator(check))) };
    } catch (error) {
      // That is how terminus answers "not ready".
      if (error instanceof ServiceUnavailableException) return { status: 503, body: error.getResponse() };
      throw error;
    }
  }

  private indicator(check: ReadinessCheck): HealthIndicatorFunction {
    const session = this.indicators.check(check.name);
    return async () => {
      try {
        const details = await withTimeout(check.check(), CHECK_TIMEOUT_MS);
        if (this.failing.delete(check.name)) this.logger.log(`${check.name} is well again`);
        return session.up(details);
      } catch (error) {
        const message = error instanceof NotReady || error instanceof Degraded ? error.message : 'does not answer';
        if (!this.failing.has(check.name)) {
          this.failing.add(check.name);
          this.logger.warn(`${check.name}: ${error instanceof Error ? error.message : String(error)}`);
        }
        return error instanceof Degraded ? session.degraded({ message }) : session.down({ message });
      }
    };
  }
}

/**
 * Adds `GET /health/live`, `/health/ready` and `/metrics` to an HTTP server: plain routes, so that neither the prefix nor the
 * guards of an API apply to them.
 */
export function addProbes(server: FastifyInstance, readiness: Readiness): void {
  // That it answers at all is the proof: a process whose event loop is stuck does not.
  server.get('/health/live', (_request, reply) => reply.send({ status: 'ok' }));
  server.get('/health/ready', async (_request, reply) => {
    const { status, body } = await readiness.ask();
    return reply.code(status).send(body);
  });
  server.get('/metrics', async (_request, reply) => {
    const { contentType, body } = await renderMetrics();
    return reply.type(contentType).send(body);
  });
}

async function withTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new NotReady(`did not answer within ${timeoutMs} ms`)), timeoutMs);
  return Promise.race([promise, expired]).finally(() => clearTimeout(timer));
}
