export { startEmbeddedPostgres } from './embedded-postgres.js';
export type { EmbeddedPostgresOptions } from './embedded-postgres.js';
export { findPostgres } from './find-postgres.js';
export type { FindPostgresOptions } from './find-postgres.js';
export { LocalServiceError } from './local-service.js';
export type { LocalService, Log } from './local-service.js';
