import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import type { LocalService } from '#libs/local-services';
import { testBrokerUrl } from './test-names.js';

/** The tool of the broker that tests use: of one that was started for them, or the machine's. */
export function rabbitmqctl(args: readonly string[], input = ''): SpawnSyncReturns<string> {
  const { program, env } = JSON.parse(
    process.env['HOLDFAST_TEST_RABBITMQCTL'] ?? '{"program":"rabbitmqctl","env":{}}',
  ) as Required<LocalService>['tool'];
  return spawnSync(program, ['-q', ...args], { input, encoding: 'utf8', env: { ...process.env, ...env } });
}

/** Whether {@link rabbitmqctl} reaches the broker that tests use. It does not where that is in a container or elsewhere, or asks for root. */
export function reachesTestBroker(): boolean {
  const { stdout } = rabbitmqctl(['environment']);
  return (stdout as string | null)?.includes(`"127.0.0.1",${new URL(testBrokerUrl()).port || 5672}}`) ?? false;
}
