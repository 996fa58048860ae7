import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createTestDatabase, testBrokerUrl, testPrefix, type TestDatabase } from '#libs/testing';
import { InProcessDelivery } from './in-process-delivery.js';
import { RabbitDelivery } from './rabbit-delivery.js';
import { eventually, removeTopology, TEST_MIGRATIONS, TestService } from './test-service.js';

const EVENTS_PER_LIFE = 100;
const POINTS = ['orders:relay-after-commit', 'orders:relay-mid-batch', 'orders:relay-after-publish', 'inventory:before-ack'];

/**
 * Kills a process that publishes and consumes, at each of the moments that matter, and finds each committed event with one effect. That
 * it would find losses and doubles is shown by taking away what prevents them.
 */
describe.each(['in-process', 'RabbitMQ'])('A crash, delivery by %s', (way) => {
  let database: TestDatabase;
  let prefix: string;
  const broker = way === 'in-process' ? 'in-process' : testBrokerUrl();

  beforeEach(async () => {
    database = await createTestDatabase(['inventory', 'orders'], { directories: TEST_MIGRATIONS });
    prefix = testPrefix();
  });

  afterEach(() => database.drop());

  /** One life of the process: answers whether it was killed. */
  async function live(crashAt: string, life: number, unsafe: Record<string, string> = {}): Promise<boolean> {
    const script = ['--import', join(import.meta.dirname, '../../testing/run-from-source.js'), join(import.meta.dirname, 'crash-child.ts')];
    const args = [database.url, broker, prefix, String(life * EVENTS_PER_LIFE), String(EVENTS_PER_LIFE)];
    const env = { ...process.env, ...unsafe, HOLDFAST_CRASH_AT: crashAt, NODE_OPTIONS: '' };
    const child = spawn(process.execPath, ['--no-warnings', ...script, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    return signal === 'SIGKILL';
  }

  /** Lets a process without crashes finish what the others left; answers which events are lost, and which doubled. */
  async function finish(unsafe: Record<string, string> = {}): Promise<{ lost: number[]; doubled: number[] }> {
    Object.assign(process.env, unsafe);
    const shared = new InProcessDelivery();
    const opened: RabbitDelivery[] = [];
    const open = async (name: string) => {
      if (way === 'in-process') return shared;
      const delivery = await RabbitDelivery.open({ url: broker, name, prefix });
      opened.push(delivery);
      return delivery;
    };
    const inventory = await TestService.start(database.url, {}, { service: 'inventory', delivery: await open('inventory') });
    const orders = await TestService.start(database.url, {}, { service: 'orders', delivery: await open('orders') });
    for (const name of Object.keys(unsafe)) delete process.env[name];
    const committed = await orders.effects();
    const isDone = async () => {
      const left = await database.rows('select id from orders.outbox');
      return left.length === 0 && new Set(await inventory.effects()).size === committed.length;
    };
    // Without the sweep it never is.
    await eventually(isDone, 'HOLDFAST_UNSAFE_NO_SWEEP' in unsafe ? 3_000 : 20_000);
    // What would be doubled must have had the time.
    await delay(500);
    const had = await inventory.effects();
    await Promise.all([inventory, orders].map((service) => service.close()));
    await Promise.all(opened.map((delivery) => delivery.close()));
    if (opened[0] !== undefined) await removeTopology(broker, opened[0].topology);
    return { lost: committed.filter((n) => !had.includes(n)), doubled: had.filter((n, index) => had.indexOf(n) !== index) };
  }

  it('at any point loses and doubles nothing', async () => {
    let life = 0;
    for (const point of POINTS) expect([point, await live(`${point}:3`, life++)]).toEqual([point, true]);
    expect(await finish()).toEqual({ lost: [], doubled: [] });
    expect((await database.rows('select n from orders.effect')).length).toBeGreaterThan(20);
    expect(await database.rows('select id from orders.outbox')).toEqual([]);
  }, 60_000);

  it('after a commit would lose events without the sweep', async () => {
    expect(await live('orders:relay-after-commit:3', 0)).toBe(true);
    expect((await finish({ HOLDFAST_UNSAFE_NO_SWEEP: '1' })).lost.length).toBeGreaterThan(0);
  });

  it('before an acknowledgement would double effects without the inbox', async () => {
    const unsafe = { HOLDFAST_UNSAFE_NO_INBOX: '1' };
    expect(await live('inventory:before-ack:1', 0, unsafe)).toBe(true);
    expect((await finish(unsafe)).doubled.length).toBeGreaterThan(0);
  });
});
