import type { Config } from './config.js';

/**
 * Sends traces to the collector of OTEL_EXPORTER_OTLP_ENDPOINT. The SDK is loaded only then, because loading it takes longer than
 * the rest of a start.
 *
 * @returns what flushes and stops it.
 */
export async function startTracing(service: string, config: Pick<Config, 'otlpEndpoint'>): Promise<() => Promise<void>> {
  if (config.otlpEndpoint === null) return () => Promise.resolve();
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  // Exporter, protocol and headers are taken from the standard OTEL_* variables.
  const sdk = new NodeSDK({ serviceName: `holdfast-${service}` });
  sdk.start();
  return () => sdk.shutdown();
}
