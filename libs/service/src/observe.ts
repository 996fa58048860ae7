import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AroundHandler } from '#libs/messaging';
import { traceIdOf, withLogContext } from './log-context.js';
import type { Tracing } from './tracing.js';

/** W3C trace context. */
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Has everything that is logged while a message is handled say to what it belongs, and traces it where traces are sent. */
export function observeMessages(tracing: Tracing | null): AroundHandler {
  return (pattern, content, context, work) => {
    const { orgId, traceparent } = context;
    const fields = { orgId, orderId: orderIdOf(content), traceId: traceIdOf(traceparent) };
    return withLogContext(fields, () => (tracing === null ? work() : tracing.around(pattern, content, context, work)));
  };
}

/** The same for requests. One without `traceparent` gets one, so that what it causes can be found all the same. */
export function observeRequests(server: FastifyInstance, tracing: Tracing | null): void {
  const spans = new WeakMap<FastifyRequest, ReturnType<Tracing['request']>>();
  // After the body has been read: what is read in between would not keep the context.
  server.addHook('preValidation', (request, _reply, done) => {
    const { headers } = request;
    const span = tracing?.request(`${request.method} ${request.routeOptions.url ?? '?'}`, headers);
    if (span !== undefined) spans.set(request, span);
    else if (!TRACEPARENT.test(String(headers['traceparent']))) headers['traceparent'] = newTraceparent();
    const traceId = traceIdOf(String(headers['traceparent']));
    withLogContext({ traceId }, () => (span === undefined ? done() : span.run(done)));
  });
  server.addHook('onResponse', (request, reply, done) => {
    spans.get(request)?.end(reply.statusCode);
    done();
  });
}

/** An event's data, or a call's request, names the order that it is about, if any. */
function orderIdOf(content: unknown): string | undefined {
  const { orderId, data } = content as { orderId?: unknown; data?: { orderId?: unknown } };
  const named = orderId ?? data?.orderId;
  return typeof named === 'string' ? named : undefined;
}

/** Says "sampled", so that a service that sends traces sends this one. */
function newTraceparent(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}
