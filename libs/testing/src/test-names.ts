import { randomBytes } from 'node:crypto';

/** Names everything that one run of the tests makes, so that two runs never meet and what is left of one can be found. */
export function testRunId(): string {
  return (process.env['HOLDFAST_TEST_RUN'] ??= newTestRunId());
}

/**
 * `hft_<minute>_<random>`: carries the time, so that a later run can tell what was left behind from what is in use. Short, because role
 * names append the service to a database's name within 63 bytes.
 */
export function newTestRunId(): string {
  return `hft_${Math.floor(Date.now() / 60_000).toString(36)}_${randomBytes(2).toString('hex')}`;
}

/** Whether something that carries a run's id was made longer ago than this. */
export function isTestRunOlderThan(name: string, ageMs: number): boolean {
  const minute = Number.parseInt(name.split('_')[1] ?? '', 36);
  return Date.now() - minute * 60_000 > ageMs;
}

/** A name of its own, as prefix of the queues and exchanges of one test. */
export function testPrefix(): string {
  return `${testRunId()}_${randomBytes(4).toString('hex')}`;
}

/** The broker that tests use, found or started by the global set-up; what they make in it begins with {@link testPrefix}. */
export function testBrokerUrl(): string {
  return process.env['HOLDFAST_TEST_AMQP_URL'] ?? 'amqp://guest:guest@127.0.0.1:5672';
}
