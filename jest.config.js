/** What all tests share. */
const shared = {
  rootDir: import.meta.dirname,
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '@swc/jest' },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/\\.dist-'],
};

/** Tests of rules are alone quick to run; the others get a real PostgreSQL and RabbitMQ, found or started when there are any to run. */
export default {
  // Half of the time a test waits for a server, which has the cores meanwhile.
  maxWorkers: '100%',
  // What tests have loaded stays in their worker. To take down more than this takes longer at the end than jest waits, which then speaks of leaks.
  workerIdleMemoryLimit: '1GB',
  testTimeout: 30_000,
  projects: [
    {
      ...shared,
      displayName: 'rules',
      testMatch: ['<rootDir>/{apps,libs,bench,scripts}/**/*.spec.ts'],
      testPathIgnorePatterns: ['\\.int\\.spec\\.ts$', '/node_modules/'],
    },
    {
      ...shared,
      displayName: 'services',
      testMatch: ['<rootDir>/{apps,libs,bench,scripts}/**/*.int.spec.ts', '<rootDir>/test/**/*.spec.ts'],
      globalSetup: '<rootDir>/libs/testing/jest-global-setup.js',
      globalTeardown: '<rootDir>/libs/testing/jest-global-teardown.js',
    },
  ],
};
