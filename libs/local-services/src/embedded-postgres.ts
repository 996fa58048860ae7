import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { LocalService } from './local-service.js';
import { LocalServiceError, reasonOf } from './local-service.js';
import { postgresBinaries, postgresUser } from './postgres-binaries.js';
import type { PostgresBinaries, PostgresUser } from './postgres-binaries.js';
import { commandOf, freePort, guard, hasEnded, hasStarted, isAlive, signalProcess, until } from './processes.js';

export interface EmbeddedPostgresOptions {
  /** Holds the folder `postgres` and the server's log; made when it is missing. */
  readonly dataDir: string;
  /** Default: one that is free. */
  readonly port?: number;
  /** False: the data does not outlive the server (for tests), so it need not reach the disk, and is removed with `dataDir`. */
  readonly durable?: boolean;
  /** The name of the database in the URL; it is made by the migrations. Default `holdfast`. */
  readonly database?: string;
  /** Called when the server ends although nobody stopped it. */
  readonly onExit?: (reason: string) => void;
}

const USER = 'postgres';
/** What a folder is called while it is being made; the number of the process follows. */
const UNFINISHED = 'postgres.new-';
const START_TIMEOUT_MS = 60_000;
/** How long a server that is already there may take to answer, and then to end. */
const ORPHAN_ANSWER_TIMEOUT_MS = 10_000;
const ORPHAN_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 15_000;
/** Held in the server, by a connection, as long as its owner lives: no file can tell as surely that nobody uses the data any more. */
const OWNER_LOCK = 1_214_606_444;

interface Place {
  readonly dataDir: string;
  readonly cluster: string;
  readonly logFile: string;
  readonly passwordFile: string;
}

/**
 * Starts the PostgreSQL from npm on a data folder, which is made when it is missing. Takes about a second on a new folder and half of that
 * on an old one.
 *
 * A server that a killed process left behind on the folder is ended first. The server ends with us, also when we are killed.
 *
 * @throws {LocalServiceError} when another Holdfast is using the folder, or the server cannot run; says what to do.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<LocalService> {
  const dataDir = resolve(options.dataDir);
  const place: Place = {
    dataDir,
    cluster: join(dataDir, 'postgres'),
    logFile: join(dataDir, 'postgres.log'),
    passwordFile: join(dataDir, 'postgres/holdfast.password'),
  };
  const binaries = await postgresBinaries();
  await mkdir(dataDir, { recursive: true });
  const owner = await stat(place.cluster).catch(() => undefined);
  const user = postgresUser(owner, [dataDir, binaries.postgres]);
  await endOrphan(place);
  if (owner === undefined) await initialise(place, binaries, user, options);
  await refuseOtherVersion(place, binaries);
  return await startServer(place, binaries, user, options);
}

async function startServer(
  place: Place,
  binaries: PostgresBinaries,
  user: PostgresUser,
  options: EmbeddedPostgresOptions,
): Promise<LocalService> {
  const port = options.port ?? (await freePort());
  const url = await urlOf(place, port, options.database ?? 'holdfast');
  const log = await open(place.logFile, 'w');
  const server = spawnAs(user, binaries.postgres, ['-D', place.cluster, ...settings(port, options.durable ?? true)], log.fd);
  await hasStarted(server, 'PostgreSQL');
  await log.close();
  const guardian = guard({ pids: [server.pid!], signal: 'INT', removed: options.durable === false ? place.dataDir : undefined });
  let stopping = false;
  const stopServer = async () => {
    stopping = true;
    if (!hasEnded(server)) {
      // "Fast": open transactions are rolled back, then it ends in order.
      server.kill('SIGINT');
      if (!(await until(() => hasEnded(server), STOP_TIMEOUT_MS))) server.kill('SIGQUIT');
      await until(() => hasEnded(server), STOP_TIMEOUT_MS);
    }
    guardian.dismiss();
    if (options.durable === false) await rm(place.dataDir, { recursive: true, force: true });
  };
  try {
    const owner = await connectAsOwner(place, server, url);
    server.once('exit', () => {
      guardian.dismiss();
      if (!stopping) options.onExit?.(`PostgreSQL ended unexpectedly; its log is ${place.logFile}.`);
    });
    const { rows } = await owner.query<{ version: string }>(`select split_part(current_setting('server_version'), '.', 1) as version`);
    return {
      url,
      description: `PostgreSQL ${rows[0]!.version} of its own on 127.0.0.1:${port}`,
      stop: async () => {
        await owner.end().catch(() => {});
        await stopServer();
      },
    };
  } catch (error) {
    await stopServer();
    throw error;
  }
}

/** Waits until the server takes connections, and claims it. */
async function connectAsOwner(place: Place, server: ChildProcess, url: string): Promise<pg.Client> {
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    if (hasEnded(server)) throw new LocalServiceError(`PostgreSQL did not start:\n${await endOfLog(place)}\nIts log is ${place.logFile}.`);
    const client = await connect(url).catch(() => undefined);
    if (client !== undefined) {
      // Another Holdfast that starts at the same time may have been quicker; then the server is its own.
      if (!hasEnded(server) && (await takeOwnerLock(client))) return client;
      await client.end();
      throw inUse(place);
    }
    if (Date.now() > deadlineMs)
      throw new LocalServiceError(`PostgreSQL did not start within ${START_TIMEOUT_MS / 1000} s. Its log is ${place.logFile}.`);
    await delay(20);
  }
}

async function connect(url: string): Promise<pg.Client> {
  const server = new URL(url);
  server.pathname = '/postgres';
  const client = new pg.Client({
    connectionString: server.href,
    application_name: `holdfast (process ${process.pid})`,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function takeOwnerLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [OWNER_LOCK]);
  return rows[0]!.taken;
}

/**
 * Makes the folder free: ends a server whose owner was killed, and refuses when its owner lives.
 * A server whose owner was just killed is being ended by its guardian; both end it alike.
 */
async function endOrphan(place: Place): Promise<void> {
  const found = await readPidFile(place);
  if (found === undefined) return;
  if (!isServerOf(found.pid, place)) {
    // Left by a machine or container that was switched off; the number may belong to anything by now.
    await rm(found.file, { force: true });
    return;
  }
  const url = await urlOf(place, found.port, 'postgres');
  const isRunning = () => existsSync(found.file) && isServerOf(found.pid, place);
  await until(async () => !isRunning() || (await isOrphan(place, url)), ORPHAN_ANSWER_TIMEOUT_MS);
  // One that neither answers nor ends by itself has no owner either.
  if (isRunning()) signalProcess(found.pid, 'SIGINT');
  const ended = await until(() => !isRunning(), ORPHAN_TIMEOUT_MS);
  if (!ended)
    throw new LocalServiceError(
      `PostgreSQL (process ${found.pid}), left behind on ${place.cluster}, does not end. End it, then start again.`,
    );
}

/** True: nobody owns the server. False: it is starting or ending, and cannot be asked. */
async function isOrphan(place: Place, url: string): Promise<boolean> {
  try {
    const client = await connect(url);
    const orphaned = await takeOwnerLock(client);
    await client.end();
    if (orphaned) return true;
  } catch (error) {
    const unanswered = !(error instanceof pg.DatabaseError) || error.code === '57P03';
    if (unanswered) return false;
    // All connections are taken, say: it is at work.
  }
  throw inUse(place);
}

async function readPidFile(place: Place): Promise<{ file: string; pid: number; port: number } | undefined> {
  const file = join(place.cluster, 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split('\n');
  return { file, pid: Number(lines[0]), port: Number(lines[3]) };
}

/** Whether this process is a PostgreSQL on this folder, and not something else that got the number later. */
function isServerOf(pid: number, place: Place): boolean {
  const command = commandOf(pid);
  return command.includes('postgres') && command.includes(place.cluster);
}

function inUse(place: Place): LocalServiceError {
  return new LocalServiceError(
    `Another Holdfast is using the data in ${place.dataDir}. Stop it, or give this one a folder of its own with HOLDFAST_DATA (and another PORT).`,
  );
}

/** Makes the cluster aside and moves it into place when it is complete, so that a start that is killed leaves nothing half-made. */
async function initialise(place: Place, binaries: PostgresBinaries, user: PostgresUser, options: EmbeddedPostgresOptions): Promise<void> {
  const password = randomBytes(24).toString('base64url');
  const made = join(place.dataDir, `${UNFINISHED}${process.pid}`);
  const passwordFile = `${made}.password`;
  await removeUnfinished(place);
  try {
    await mkdir(made, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (user.ids !== undefined) for (const path of [made, passwordFile]) await chown(path, user.ids.uid, user.ids.gid);
    const initdb = spawnAs(user, binaries.initdb, [
      ...['-D', made, `--username=${USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
      // Bytes are compared, in UTF-8, whatever the language of the machine; messages are English like the rest of the log.
      ...['--encoding=UTF8', '--no-locale', '--no-instructions', ...(options.durable === false ? ['--no-sync'] : [])],
    ]);
    const output: string[] = [];
    for (const stream of [initdb.stdout, initdb.stderr]) stream?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    const failure = await new Promise<string | undefined>((done) => {
      initdb.once('error', (error) => done(reasonOf(error)));
      initdb.once('close', (code) => done(code === 0 ? undefined : output.join('')));
    });
    if (failure !== undefined)
      throw new LocalServiceError(`PostgreSQL could not make its data folder ${place.cluster}:\n${failure.trim()}`);
    await rename(passwordFile, join(made, basename(place.passwordFile)));
    await rename(made, place.cluster);
  } catch (error) {
    // Somebody else has made it meanwhile.
    if (existsSync(place.cluster)) throw inUse(place);
    throw error;
  } finally {
    await rm(made, { recursive: true, force: true });
    await rm(passwordFile, { force: true });
  }
}

/** Removes what starts that were killed have left. */
async function removeUnfinished(place: Place): Promise<void> {
  const names = (await readdir(place.dataDir)).filter((name) => name.startsWith(UNFINISHED));
  const abandoned = names.filter((name) => !isAlive(Number.parseInt(name.slice(UNFINISHED.length), 10)));
  await Promise.all(abandoned.map((name) => rm(join(place.dataDir, name), { recursive: true, force: true })));
}

/** Data files of another major version cannot be read. */
async function refuseOtherVersion(place: Place, binaries: PostgresBinaries): Promise<void> {
  const ofData = (await readFile(join(place.cluster, 'PG_VERSION'), 'utf8')).trim();
  const { stdout } = spawnSync(binaries.postgres, ['--version'], { encoding: 'utf8' });
  const ofServer = /\(PostgreSQL\) (\d+)/.exec(stdout)?.[1];
  if (ofServer === undefined || ofData === ofServer) return;
  throw new LocalServiceError(
    `The data in ${place.cluster} was made by PostgreSQL ${ofData}, and this Holdfast brings PostgreSQL ${ofServer}, which cannot read it. ` +
      'Start with the earlier version of Holdfast and dump the data, or move the folder away to begin anew.',
  );
}

function settings(port: number, durable: boolean): string[] {
  const values: Record<string, string | number> = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // Every service has a pool for itself and one for its messages.
    max_connections: 200,
    shared_buffers: '256MB',
    max_wal_size: '2GB',
    log_timezone: 'UTC',
  };
  if (!durable) Object.assign(values, { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' });
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** In a session of its own, so that Ctrl-C reaches Holdfast, which needs the database to finish its work. */
function spawnAs(user: PostgresUser, program: string, args: readonly string[], output: number | 'pipe' = 'pipe'): ChildProcess {
  const [command, ...rest] = [...user.prefix, program, ...args];
  const ids = user.prefix.length === 0 ? user.ids : undefined;
  return spawn(command!, rest, {
    ...ids,
    cwd: '/',
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, LC_ALL: 'C' },
  });
}

async function urlOf(place: Place, port: number, database: string): Promise<string> {
  const password = (await readFile(place.passwordFile, 'utf8')).trim();
  return `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
}

async function endOfLog(place: Place): Promise<string> {
  const text = await readFile(place.logFile, 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-8).join('\n');
}
