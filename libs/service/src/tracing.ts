import type { IncomingHttpHeaders } from 'node:http';
import type { AroundHandler } from '#libs/messaging';
import type { Config } from './config.js';

/** What is traced: requests and messages. Statements of the database are not. */
export interface Tracing {
  /** Makes the handling of each message a span of the trace that the message belongs to. */
  readonly around: AroundHandler;
  /**
   * Begins the span of a request, and puts it into the header `traceparent`, from where it goes on into calls and events.
   *
   * @returns runs what handles the request, and ends the span with the status of the answer.
   */
  request(name: string, headers: IncomingHttpHeaders): { run<T>(work: () => T): T; end(status: number): void };
  /** Sends what is left, and stops. */
  stop(): Promise<void>;
}

/**
 * Sends traces to the collector of OTEL_EXPORTER_OTLP_ENDPOINT; null when there is none. The SDK is loaded only then, because loading
 * it takes longer than the rest of a start.
 */
export async function startTracing(service: string, config: Pick<Config, 'otlpEndpoint'>): Promise<Tracing | null> {
  if (config.otlpEndpoint === null) return null;
  const [{ NodeSDK }, api] = await Promise.all([import('@opentelemetry/sdk-node'), import('@opentelemetry/api')]);
  const { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api;
  // Exporter, protocol and headers are taken from the standard OTEL_* variables.
  const sdk = new NodeSDK({ serviceName: `holdfast-${service}` });
  sdk.start();
  const tracer = trace.getTracer('holdfast');
  const parentOf = (traceparent: string | undefined) =>
    traceparent === undefined ? context.active() : propagation.extract(ROOT_CONTEXT, { traceparent });

  return {
    around: (pattern, _content, { traceparent, orgId, attempt }, work) => {
      const attributes = { 'holdfast.organisation': orgId, 'holdfast.attempt': attempt };
      return tracer.startActiveSpan(pattern, { kind: SpanKind.CONSUMER, attributes }, parentOf(traceparent), async (span) => {
        try {
          return await work();
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
          throw error;
        } finally {
          span.end();
        }
      });
    },
    request: (name, headers) => {
      const { traceparent } = headers;
      const parent = parentOf(typeof traceparent === 'string' ? traceparent : undefined);
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER }, parent);
      const within = trace.setSpan(parent, span);
      propagation.inject(within, headers);
      return {
        run: (work) => context.with(within, work),
        end: (status) => {
          span.setAttribute('http.response.status_code', status);
          if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    stop: () => sdk.shutdown(),
  };
}
