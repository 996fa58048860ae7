// Builds dist/ with swc: node scripts/build.mjs [--if-stale]
// Plain JavaScript, because it runs before anything is built, and on whatever Node somebody has.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 24;
const SOURCES = ['apps', 'libs', 'bench', 'scripts'];
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const stamp = join(dist, '.built');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  refuseOldNode();
  if (process.argv.includes('--if-stale')) buildIfStale();
  else build();
}

/** Ends the process with one line where Node is too old for anything that follows. */
export function refuseOldNode() {
  const { node } = process.versions;
  if (Number(node.split('.')[0]) >= NODE_MAJOR) return;
  console.error(`Holdfast needs Node ${NODE_MAJOR}, this is ${node}. "npm ci" brings it for the npm scripts, so use those: "npm start".`);
  process.exit(1);
}

/** Builds when a source is newer than the last complete build. */
export function buildIfStale() {
  if (newest(...SOURCES, '.swcrc') > modified(stamp)) build();
}

/** Builds aside and swaps it in, so that a process that starts meanwhile finds either all of the old or all of the new. */
function build() {
  const started = new Date();
  const next = `.dist-${process.pid}`;
  const swc = join(root, 'node_modules/@swc/cli/bin/swc.js');
  const options = ['-d', next, '--ignore', '**/*.spec.ts,**/simulation/**,**/*.md', '--copy-files', '--quiet'];
  const { status, error } = spawnSync(process.execPath, [swc, ...SOURCES, ...options], { cwd: root, stdio: 'inherit' });
  if (error || status !== 0) {
    rmSync(join(root, next), { recursive: true, force: true });
    console.error(`The build failed${error ? `: ${error.message}` : ''}. Is everything installed ("npm ci")?`);
    process.exit(1);
  }
  writeFileSync(join(root, next, '.built'), '');
  // A source that was changed while swc was reading others is newer than this.
  utimesSync(join(root, next, '.built'), started, started);
  const previous = join(root, `${next}-previous`);
  if (existsSync(dist)) renameSync(dist, previous);
  renameSync(join(root, next), dist);
  rmSync(previous, { recursive: true, force: true });
}

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
