export { createTestDatabase, testServerUrl } from './test-database.js';
export type { TestDatabase, TestDatabaseOptions } from './test-database.js';
export { newTestRunId, testBrokerUrl, testPrefix, testRunId } from './test-names.js';
