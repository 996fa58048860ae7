import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from 'amqplib';
import type { Child } from './child.js';
import type { SubjectKey } from './options.js';
import type { BenchRun } from './run.js';
import { SCENARIOS, WAREHOUSE } from './scenarios.js';
import { SEED, TABLES } from './yardstick/tables.sql.js';

/** Something that answers `OrderConfirmed` with `StockReserved`, as one process or several. */
export interface Subject {
  readonly key: SubjectKey;
  readonly title: string;
  /** Orders go in and answers come out here. */
  readonly exchange: string;
  /** What part of the orders of a round it gets. */
  readonly share: number;
  start(): Promise<readonly Child[]>;
}

/** Where a built script lies, from its path below the repository: of this build, or of another repository's. */
export function built(path: string, repository?: string): string {
  return repository === undefined ? fileURLToPath(new URL(`../${path}`, import.meta.url)) : join(repository, 'dist', path);
}

/** Makes the yardstick's tables and stock, and says what is needed to start it in either form. */
export async function prepareYardstick(run: BenchRun): Promise<readonly Subject[]> {
  await run.inDatabase(async (client) => {
    await client.query(TABLES);
    for (const { orgIds, itemsPerOrg } of SCENARIOS.filter((scenario) => !scenario.hot)) {
      await client.query(SEED, [orgIds, itemsPerOrg, WAREHOUSE]);
    }
    await client.query('analyze yardstick.balance');
  });
  const exchange = `${run.prefix}.yardstick`;
  const queue = `${run.prefix}.yardstick.in`;
  run.onCleanUp('queues of the yardstick', () => removeFromBroker(run.options.amqpUrl, { queues: [queue], exchanges: [exchange] }));
  const start = (name: string, args: readonly string[]) => async () => {
    const env = { DATABASE_URL: run.databaseUrl, AMQP_URL: run.options.amqpUrl, YARDSTICK_EXCHANGE: exchange, YARDSTICK_QUEUE: queue };
    const { child } = await run.startChild({ name, script: built('bench/yardstick/main.js'), args, env });
    return [child];
  };
  return [
    { key: 'yardstick', title: 'yardstick', exchange, share: 1, start: start('yardstick', []) },
    { key: 'naive', title: 'naive', exchange, share: 1 / 8, start: start('naive', ['--naive']) },
  ];
}

export async function removeFromBroker(
  amqpUrl: string,
  names: { readonly queues: readonly string[]; readonly exchanges: readonly string[] },
): Promise<void> {
  const connection = await connect(amqpUrl, { timeout: 5_000 });
  const channel = await connection.createChannel();
  for (const queue of names.queues) await channel.deleteQueue(queue);
  for (const exchange of names.exchanges) await channel.deleteExchange(exchange);
  await connection.close();
}
