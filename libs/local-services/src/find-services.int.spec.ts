import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testBrokerUrl, testServerUrl } from '#libs/testing';
import { findPostgres } from './find-postgres.js';
import { findRabbitmq } from './find-rabbitmq.js';
import { findProgram, freePort, searchPath } from './processes.js';
import { tryBroker } from './try-broker.js';

const hidden = { HOLDFAST_LOCAL_POSTGRES_PORT: '0', HOLDFAST_LOCAL_AMQP_PORT: '0' };

describe('findPostgres', () => {
  it('takes DATABASE_URL, whether or not its database exists yet', async () => {
    const url = new URL(testServerUrl());
    url.pathname = '/does_not_exist_yet';
    const service = await findPostgres({ env: { ...hidden, DATABASE_URL: url.href } });
    expect(service.url).toBe(url.href);
    expect(service.description).toMatch(/^PostgreSQL \d+ on 127\.0\.0\.1:\d+$/);
  });

  it('does not look elsewhere when DATABASE_URL is wrong, and keeps the password to itself', async () => {
    const port = await freePort();
    const finding = findPostgres({ env: { DATABASE_URL: `postgres://holdfast:s3cret@127.0.0.1:${port}/holdfast` } });
    await expect(finding).rejects.toThrow(
      `DATABASE_URL (postgres://holdfast@127.0.0.1:${port}/holdfast) cannot be used: connect ECONNREFUSED`,
    );
  });

  it('takes the standard port, else starts one of its own, and says why', async () => {
    const stranger = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const { port } = stranger.address() as AddressInfo;
    const said: string[] = [];
    const service = await findPostgres({ env: { HOLDFAST_LOCAL_POSTGRES_PORT: String(port) }, log: (line) => said.push(line) });
    stranger.close();
    expect(said).toEqual([expect.stringContaining(`No PostgreSQL to use on 127.0.0.1:${port}`)]);
    expect(service.description).toContain('of its own');
    await service.stop();
    await expect(findPostgres({ env: { DATABASE_URL: service.url } })).rejects.toThrow('cannot be used');
  });
});

describe('findRabbitmq', () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'find-rabbitmq-'));
    await mkdir(join(folder, 'bin'));
    // The machine as it is, except that nothing here may start containers, install packages or stop services.
    env = { ...process.env, ...hidden, AMQP_URL: '', PATH: `${join(folder, 'bin')}:${process.env['PATH']}` };
    for (const name of ['docker', 'apt-get', 'sudo', 'service']) await program(name, 'exit 1');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Puts a program of ours before those of the machine. */
  const program = async (name: string, script: string) => {
    await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, 'bin', name), 0o755);
  };
  const machineServer = () =>
    findProgram('rabbitmq-server', ['/usr/lib/rabbitmq/bin', ...searchPath(process.env), '/usr/sbin', '/opt/homebrew/sbin']);

  it('takes AMQP_URL, and does not look elsewhere when it is wrong', async () => {
    expect(await findRabbitmq({ env: { ...env, AMQP_URL: testBrokerUrl() } })).toMatchObject({ url: testBrokerUrl() });
    const wrong = new URL(testBrokerUrl());
    wrong.username = 'holdfast';
    wrong.password = 's3cret';
    const message = await findRabbitmq({ env: { ...env, AMQP_URL: wrong.href } }).catch((error: Error) => error.message);
    expect(message).toContain('cannot be used');
    expect(message).not.toContain('s3cret');
  });

  it('passes by something on the standard port that is no broker', async () => {
    const mute = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as AddressInfo;
    await expect(tryBroker(`amqp://127.0.0.1:${port}`, 300)).rejects.toThrow();
    mute.close();
  });

  it('starts one from the rabbitmq-server of the machine, keeps its messages over a restart, and leaves no process', async () => {
    if ((await machineServer()) === undefined) return;
    const dataDir = join(folder, 'data');
    const { connect } = await import('amqplib');
    const first = await findRabbitmq({ env, dataDir });
    expect(first.url).not.toBe(testBrokerUrl());
    const producer = await connect(first.url);
    const channel = await producer.createConfirmChannel();
    await channel.assertQueue('kept', { arguments: { 'x-queue-type': 'quorum' } });
    channel.sendToQueue('kept', Buffer.from('message'), { persistent: true });
    await channel.waitForConfirms();
    await producer.close();
    await first.stop();
    const pid = (await readFile(join(dataDir, 'rabbitmq/owner.pid'), 'utf8')).trim();
    expect(spawnSync('kill', ['-0', '--', `-${pid}`]).status).not.toBe(0);
    const second = await findRabbitmq({ env, dataDir });
    const consumer = await connect(second.url);
    const message = await (await consumer.createChannel()).get('kept');
    expect(message && message.content.toString()).toBe('message');
    await consumer.close();
    await second.stop();
  }, 120_000);

  it('else starts a container, and removes it', async () => {
    await program(
      'docker',
      `echo "$@" >> ${folder}/calls
       case "$*" in *" port "*) echo 127.0.0.1:${new URL(testBrokerUrl()).port};; *" up "*) cat > ${folder}/compose;; esac`,
    );
    const service = await findRabbitmq({ env, serverFolders: [] });
    expect(service.description).toMatch(/in Docker on 127\.0\.0\.1:\d+$/);
    await service.stop();
    expect(await readFile(join(folder, 'compose'), 'utf8')).toContain('image: rabbitmq:');
    expect(await readFile(join(folder, 'calls'), 'utf8')).toMatch(/down --timeout 10 --volumes\n$/);
  });

  it('else installs it, without asking where nobody can answer', async () => {
    const server = await machineServer();
    if (server === undefined) return;
    await program('sudo', 'shift; exec "$@"');
    await program('service', `echo "$@" > ${folder}/service`);
    await program(
      'apt-get',
      `[ "$1" = update ] && touch ${folder}/updated; [ -e ${folder}/updated ] || exit 100; printf '#!/bin/sh\\nexec ${server}\\n' > ${folder}/rabbitmq-server; chmod +x ${folder}/rabbitmq-server`,
    );
    const service = await findRabbitmq({ env, serverFolders: [folder] });
    expect(service.description).toContain('of its own');
    await service.stop();
    expect(await readFile(join(folder, 'service'), 'utf8')).toBe('rabbitmq-server stop\n');
  }, 120_000);

  it('else says what can be done', async () => {
    await program('apt-get', 'echo "E: Unable to locate package"; exit 100');
    await program('sudo', 'shift; exec "$@"');
    await expect(findRabbitmq({ env, serverFolders: [] })).rejects.toThrow(/could not be installed with apt-get:\nE: Unable to locate/);
    const bare = { ...env, PATH: join(folder, 'empty') };
    expect(existsSync(bare.PATH)).toBe(false);
    await expect(findRabbitmq({ env: bare, serverFolders: [] })).rejects.toThrow('Do one of these: set AMQP_URL');
  });
});
