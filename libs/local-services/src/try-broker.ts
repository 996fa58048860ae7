import { connect } from 'amqplib';
import { setTimeout as delay } from 'node:timers/promises';

const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Signs in to a broker, and out again.
 *
 * @returns its product and version, such as `RabbitMQ 3.10.8`.
 * @throws when nobody answers, it is no AMQP broker, or it does not let us in.
 */
export async function tryBroker(url: string, timeoutMs: number): Promise<string> {
  // amqplib's own timeout ends with the TCP connection; something that listens and says nothing would keep us for ever.
  const timeout = new AbortController();
  const silence = delay(timeoutMs, undefined, { signal: timeout.signal, ref: false }).then(() => {
    throw new Error(`nobody answered within ${timeoutMs / 1000} s`);
  });
  const connecting = connect(url, { timeout: timeoutMs });
  try {
    const connection = await Promise.race([connecting, silence]);
    connection.on('error', () => {});
    const { product, version } = connection.connection.serverProperties;
    await Promise.race([connection.close().catch(() => {}), delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    return `${product} ${version}`;
  } finally {
    timeout.abort();
    silence.catch(() => {});
    connecting.catch(() => {});
  }
}
