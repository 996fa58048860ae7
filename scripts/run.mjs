// Runs a built file after building what is stale: node scripts/run.mjs dist/path/to/file.js [arguments]
// In one process, so that signals which npm passes on reach it.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfStale, refuseOldNode } from './build.mjs';

refuseOldNode();
buildIfStale();
process.setSourceMapsEnabled(true);
// Compiled code is kept between starts, outside of the repository.
(await import('node:module')).enableCompileCache?.();
const file = resolve(process.argv[2]);
process.argv.splice(1, 2, file);
await import(pathToFileURL(file).href);
