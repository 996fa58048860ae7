import { spawnSync } from 'node:child_process';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { connect } from 'amqplib';
import { RETRY_DELAYS_MS } from '#libs/messaging';
import { dropDatabase, onDatabase } from '#libs/persistence';
import { testBrokerUrl, testPrefix, testServerUrl } from '#libs/testing';
import { SERVICE_NAMES } from './service-names.js';
import { build, freePort, type HoldfastProcess, run, WALK_THROUGH_STATUSES, walkThroughReadme } from './test-process.js';

describe('npm run start:services', () => {
  const prefix = testPrefix();
  const databaseUrl = onDatabase(testServerUrl(), prefix);
  let port: number;
  let holdfast: HoldfastProcess;

  beforeAll(async () => {
    build();
    port = await freePort();
    holdfast = start();
    await holdfast.printed('Stop:    Ctrl-C');
  }, 90_000);

  afterAll(async () => {
    holdfast.child.kill('SIGKILL');
    await holdfast.ended;
    await dropDatabase(databaseUrl);
    await removeQueues();
  }, 60_000);

  const start = (env: Record<string, string> = {}) =>
    run('start-services.js', {
      DATABASE_URL: databaseUrl,
      AMQP_URL: testBrokerUrl(),
      HOLDFAST_MESSAGING_PREFIX: prefix,
      PORT: String(port),
      ...env,
    });

  async function removeQueues(): Promise<void> {
    const connection = await connect(testBrokerUrl());
    const channel = await connection.createChannel();
    const kinds = ['events', 'rpc', ...RETRY_DELAYS_MS.map((delayMs) => `retry.${delayMs}`)];
    const queues = SERVICE_NAMES.flatMap((service) => kinds.map((kind) => `${service}.${kind}`));
    for (const queue of [...queues, 'holdfast.parked']) await channel.deleteQueue(`${prefix}.${queue}`);
    for (const exchange of ['events', 'calls']) await channel.deleteExchange(`${prefix}.holdfast.${exchange}`);
    await connection.close();
  }

  function processOf(app: string): number | undefined {
    const { stdout } = spawnSync('pgrep', ['-P', String(holdfast.child.pid), '-f', `apps/${app}/src/main.js`], { encoding: 'utf8' });
    return stdout === '' ? undefined : Number(stdout);
  }

  it('migrates first, then runs each app as a process of its own with its lines marked', () => {
    expect(holdfast.output()).toMatch(/^start +Migrated: .*inventory\/0001[^]*^inventory +.*Ready[^]*/m);
    const processes = SERVICE_NAMES.map(processOf);
    expect(new Set(processes).size).toBe(SERVICE_NAMES.length);
    expect(processes).not.toContain(undefined);
  });

  it('does over RabbitMQ what the README shows', () => {
    const { statuses, output } = walkThroughReadme(port);
    expect({ statuses, output }).toMatchObject({ statuses: WALK_THROUGH_STATUSES });
    expect(output).toContain('"available":"7"');
  }, 60_000);

  it('starts an app again that was killed', async () => {
    process.kill(processOf('orders')!, 'SIGKILL');
    await holdfast.printed(/orders +ended \(SIGKILL\); starting it again[^]*orders +.*Ready/);
    expect(processOf('orders')).toBeDefined();
  });

  it('ends in order at SIGTERM and leaves no process', async () => {
    const processes = SERVICE_NAMES.map((name) => processOf(name)!);
    holdfast.child.kill('SIGTERM');
    expect(await holdfast.ended).toBe(0);
    for (const pid of processes) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  }, 60_000);

  it('says in one line what is missing', async () => {
    const noBroker = start({ AMQP_URL: `amqp://guest:guest@127.0.0.1:${await freePort()}` });
    expect(await noBroker.ended).toBe(1);
    expect(noBroker.output()).toMatch(/^Holdfast cannot start: AMQP_URL .* cannot be used: .*ECONNREFUSED.*\n$/);
  }, 60_000);

  it('ends all when one cannot start', async () => {
    const taken: Server = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
    const { port: takenPort } = taken.address() as AddressInfo;
    const portTaken = start({ HOLDFAST_HEALTH_PORT: String(takenPort) });
    expect(await portTaken.ended).toBe(1);
    taken.close();
    expect(portTaken.output()).toMatch(/^(\w+) +\1 cannot start: Port \d+ is taken/m);
    expect(portTaken.output()).toMatch(/^Holdfast cannot start: \w+ could not start \(exit code 1\); what it said is above.$/m);
  }, 60_000);
});
