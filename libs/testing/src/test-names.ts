import { randomBytes } from 'node:crypto';

/** Names everything that one run of the tests makes, so that two runs never meet and the global tear-down finds what is left. */
export function testRunId(): string {
  return (process.env['HOLDFAST_TEST_RUN'] ??= newTestRunId());
}

/** Starts with `hft_`; short, because role names append the service to a database's name within 63 bytes. */
export function newTestRunId(): string {
  return `hft_${randomBytes(3).toString('hex')}`;
}

/** A name of its own, as prefix of the queues and exchanges of one test. */
export function testPrefix(): string {
  return `${testRunId()}_${randomBytes(4).toString('hex')}`;
}

export function testBrokerUrl(): string {
  return process.env['HOLDFAST_TEST_AMQP_URL'] ?? 'amqp://guest:guest@127.0.0.1:5672';
}
