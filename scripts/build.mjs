// Builds dist/ with swc. Plain JavaScript, because it runs before anything is built, and on whatever Node somebody has.
// With --if-stale it does nothing when no source is newer than the last complete build.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 24;
const SOURCES = ['apps', 'libs', 'bench', 'scripts'];
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stamp = join(root, 'dist/.built');

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
  console.error(
    `Holdfast needs Node ${NODE_MAJOR}, this is ${process.versions.node}. "npm ci" installs it for the npm scripts; start with "npm start".`,
  );
  process.exit(1);
}

if (process.argv.includes('--if-stale') && newest(...SOURCES, '.swcrc') <= modified(stamp)) process.exit(0);

const started = new Date();
// Built aside and swapped in, so that a process that starts meanwhile finds either all of the old or all of the new.
const next = `.dist-${process.pid}`;
const swc = join(root, 'node_modules/@swc/cli/bin/swc.js');
const options = ['-d', next, '--ignore', '**/*.spec.ts,**/*.md', '--copy-files', '--quiet'];
const { status, error } = spawnSync(process.execPath, [swc, ...SOURCES, ...options], { cwd: root, stdio: 'inherit' });
if (error) console.error(`The build could not start: ${error.message}. Run "npm ci" first.`);
if (status !== 0) {
  rmSync(join(root, next), { recursive: true, force: true });
  process.exit(status ?? 1);
}
writeFileSync(join(root, next, '.built'), '');
// A source that was changed while swc was reading others is newer than this.
utimesSync(join(root, next, '.built'), started, started);
const previous = join(root, `${next}-previous`);
if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), previous);
renameSync(join(root, next), join(root, 'dist'));
rmSync(previous, { recursive: true, force: true });

/** When a file was changed, in milliseconds; 0 when it is missing. */
function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The latest change among files and folders (a folder changes when something in it is added or removed). */
function newest(...paths) {
  let latest = 0;
  for (const path of paths) {
    latest = Math.max(latest, modified(join(root, path)));
    const entries = path.includes('.') ? [] : readdirSync(join(root, path), { recursive: true });
    for (const entry of entries) latest = Math.max(latest, modified(join(root, path, entry)));
  }
  return latest;
}
