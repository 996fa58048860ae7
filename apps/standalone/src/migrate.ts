import { explainStartupFailure, loadConfig, readSecretFiles } from '#libs/service';
import { migrateAll } from './migrate-all.js';

/** `npm run migrate`: brings the database of DATABASE_URL up to date. */
try {
  readSecretFiles();
  const applied = await migrateAll(loadConfig().databaseUrl);
  console.log(applied.length === 0 ? 'The database is up to date.' : `Migrated: ${applied.join(', ')}`);
} catch (error) {
  console.error(`Migrating failed: ${explainStartupFailure(error)}`);
  process.exitCode = 1;
}
