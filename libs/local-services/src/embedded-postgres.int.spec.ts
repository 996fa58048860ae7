import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { commandOf, until } from './processes.js';

const query = async (url: string, text: string) => {
  const server = new URL(url);
  server.pathname = '/postgres';
  const client = new pg.Client({ connectionString: server.href });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
};

describe('startEmbeddedPostgres', () => {
  let parent: string;
  let dataDir: string;

  beforeEach(async () => {
    // Closed to everybody but us: run by root, the server runs as somebody else and has to get in nevertheless.
    parent = await mkdtemp(join(tmpdir(), 'embedded-postgres-'));
    dataDir = join(parent, 'data');
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  const serverPid = async () => Number((await readFile(join(dataDir, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0]);

  /** Another process that starts a server on the same folder and holds it. */
  const holdByAnother = async () => {
    const script = `
      const { startEmbeddedPostgres } = await import('#libs/local-services');
      await startEmbeddedPostgres({ dataDir: process.argv[1] });
      console.log('ready');`;
    const loader = join(import.meta.dirname, '../../testing/run-from-source.js');
    const other = spawn(process.execPath, ['--import', loader, '--input-type=module', '-e', script, dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve, reject) => {
      other.stdout.once('data', resolve);
      other.once('exit', () => reject(new Error('the other process ended')));
    });
    return other;
  };
  const kill = async (child: ChildProcess) => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  };

  it('makes a cluster, keeps its data over a restart, and leaves no process', async () => {
    const first = await startEmbeddedPostgres({ dataDir });
    expect(new URL(first.url)).toMatchObject({ hostname: '127.0.0.1', pathname: '/holdfast' });
    await query(first.url, 'create table kept as select 42 as answer');
    const pid = await serverPid();
    await first.stop();
    expect(commandOf(pid)).toBe('');
    const second = await startEmbeddedPostgres({ dataDir });
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await second.stop();
    expect((await readdir(dataDir)).sort()).toEqual(['postgres', 'postgres.log']);
  });

  it('refuses whoever does not know the password', async () => {
    const service = await startEmbeddedPostgres({ dataDir });
    const stranger = new URL(service.url);
    stranger.password = 'guessed';
    await expect(query(stranger.href, 'select 1')).rejects.toThrow('password authentication failed');
    await service.stop();
  });

  it('runs in a folder that everybody may enter', async () => {
    await chmod(parent, 0o755);
    const service = await startEmbeddedPostgres({ dataDir, durable: false });
    expect(await query(service.url, 'show server_encoding')).toEqual([{ server_encoding: 'UTF8' }]);
    await service.stop();
    expect(existsSync(dataDir)).toBe(false);
  });

  it('tells a second Holdfast on the same data that there is a first', async () => {
    const service = await startEmbeddedPostgres({ dataDir });
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow('Another Holdfast is using the data in');
    // Nor does it disturb the first.
    expect(await query(service.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await service.stop();
  });

  it('ends with its owner when that is killed, and starts again at once', async () => {
    const other = await holdByAnother();
    const pid = await serverPid();
    await kill(other);
    const service = await startEmbeddedPostgres({ dataDir });
    expect(commandOf(pid)).toBe('');
    await service.stop();
  });

  it('ends an orphan whose guardian was killed too', async () => {
    const other = await holdByAnother();
    const pid = await serverPid();
    const guardian = await childOf(other.pid!, '/bin/sh');
    process.kill(guardian, 'SIGKILL');
    await kill(other);
    expect(commandOf(pid)).toContain('postgres');
    const service = await startEmbeddedPostgres({ dataDir });
    expect(await until(() => commandOf(pid) === '', 1_000)).toBe(true);
    await service.stop();
  });

  it('is not led astray by what a power failure leaves: a pid that is somebody else now, a folder half made', async () => {
    await (await startEmbeddedPostgres({ dataDir })).stop();
    await writeFile(join(dataDir, 'postgres/postmaster.pid'), `${process.pid}\n${dataDir}/postgres\n1\n5432\n`);
    await (await startEmbeddedPostgres({ dataDir })).stop();

    await rm(join(dataDir, 'postgres'), { recursive: true });
    await mkdir(join(dataDir, 'postgres.new-999999999'));
    await (await startEmbeddedPostgres({ dataDir })).stop();
    expect((await readdir(dataDir)).sort()).toEqual(['postgres', 'postgres.log']);
  });

  it('says so when the data is of another version', async () => {
    await (await startEmbeddedPostgres({ dataDir })).stop();
    await writeFile(join(dataDir, 'postgres/PG_VERSION'), '14\n');
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(/was made by PostgreSQL 14, and this Holdfast brings PostgreSQL 18/);
  });

  it('shows what the server says when it cannot start', async () => {
    await (await startEmbeddedPostgres({ dataDir })).stop();
    await writeFile(join(dataDir, 'postgres/postgresql.conf'), 'nonsense = 1\n');
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow('unrecognized configuration parameter "nonsense"');
  });

  it('reports a server that ends by itself', async () => {
    const reason = new Promise<string>((resolve) => {
      void startEmbeddedPostgres({ dataDir, durable: false, onExit: resolve }).then(async () => process.kill(await serverPid(), 'SIGINT'));
    });
    expect(await reason).toContain('PostgreSQL ended unexpectedly');
  });
});

async function childOf(parent: number, command: string): Promise<number> {
  const ids = (await readdir('/proc')).map(Number).filter((id) => commandOf(id).startsWith(command));
  for (const id of ids) {
    const status = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '');
    if (status.split(') ')[1]?.split(' ')[1] === String(parent)) return id;
  }
  throw new Error(`Process ${parent} has no child ${command}.`);
}
