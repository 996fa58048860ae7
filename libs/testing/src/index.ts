export { createTestDatabase, testServerUrl } from './test-database.js';
export type { TestDatabase, TestDatabaseOptions } from './test-database.js';
export { newTestRunId, testBrokerUrl, testPrefix, testRunId } from './test-names.js';
export { startTestService } from './test-service.js';
export type { TestService } from './test-service.js';
