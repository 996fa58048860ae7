export { createTestDatabase, testServerUrl } from './test-database.js';
export type { TestDatabase, TestDatabaseOptions } from './test-database.js';
export { newTestRunId, testBrokerUrl, testPrefix, testRunId } from './test-names.js';
export { startTestService } from './test-service.js';
export type { TestService } from './test-service.js';
export { StubService } from './stub-service.js';
export type { StubbedCall } from './stub-service.js';
export { startTestGateway } from './test-gateway.js';
export type { TestGateway, TestRequest, TestResponse } from './test-gateway.js';
