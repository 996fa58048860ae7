import { removeDatabases } from './global-setup.js';

// Run by the guardian of a test run that has ended without its tear-down; the argument is the run's id.
const run = process.argv[2];
if (run !== undefined) await removeDatabases((name) => name.startsWith(run));
