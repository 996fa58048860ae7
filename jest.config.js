/** One configuration for all tests; real PostgreSQL and RabbitMQ are found or started by the global setup. */
export default {
  rootDir: '.',
  testMatch: ['<rootDir>/{apps,libs,test,bench,scripts}/**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '@swc/jest' },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  testTimeout: 30_000,
};
