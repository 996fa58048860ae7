import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Histogram } from 'prom-client';
import { Observable } from 'rxjs';
import { type LogContext, traceIdOf, withLogContext } from '#libs/service';
import type { GatewayRequest } from './caller.js';

const requestSeconds = new Histogram({
  name: 'http_request_seconds',
  help: 'Seconds from the arrival of a request to the end of its answer, by method, route and status.',
  labelNames: ['method', 'route', 'status'],
  buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
});

/** Measures every request. The label is the route, not the path: their number is bounded. */
export function measureRequests(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url ?? 'unknown';
      requestSeconds.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1_000);
      done();
    });
}

/** What every log line about a request says of it. */
export function logContextOf({ caller, params }: GatewayRequest): LogContext {
  const { orderId } = (params ?? {}) as { orderId?: string };
  return { orgId: caller?.actor.orgId, orderId, traceId: traceIdOf(caller?.traceparent) };
}

/** Gives all that is logged while a request is handled its organisation, order and trace. */
@Injectable()
export class LogContextInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<GatewayRequest>();
    return new Observable((subscriber) => withLogContext(logContextOf(request), () => next.handle().subscribe(subscriber)));
  }
}
