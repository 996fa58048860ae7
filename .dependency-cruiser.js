/** Dependencies point one way: apps -> libs, and within libs as listed here. */
const LIBRARIES = {
  domain: [],
  contracts: ['domain'],
  'local-services': [],
  auth: ['contracts', 'domain'],
  persistence: ['domain'],
  messaging: ['auth', 'persistence', 'contracts', 'domain'],
  service: ['messaging', 'persistence', 'auth', 'contracts', 'domain'],
  testing: null,
};

/** Specs, and what they share. */
const NOT_SPECS = '\\.(spec|fixture)\\.ts$';

const libraryRules = Object.entries(LIBRARIES)
  .filter(([, allowed]) => allowed !== null)
  .map(([library, allowed]) => ({
    name: `libs-${library}`,
    comment: allowed.length === 0 ? `libs/${library} imports nothing of ours` : `libs/${library} imports only ${allowed.join(', ')}`,
    severity: 'error',
    from: { path: `^libs/${library}/`, pathNot: NOT_SPECS },
    to: { path: '^(libs|apps)/', pathNot: `^libs/(${[library, ...allowed].join('|')})/` },
  }));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...libraryRules,
    {
      name: 'libs-not-to-apps',
      comment: 'a library knows no app',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'apps-apart',
      comment: 'apps talk by events and calls; only standalone composes them',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '^apps/standalone/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'through-the-index',
      comment: 'what a library shows is in its index.ts',
      severity: 'error',
      from: { path: '^(?:apps|libs)/([^/]+)/' },
      to: { path: '^libs/[^/]+/src/', pathNot: ['^libs/$1/', '^libs/[^/]+/src/index\\.ts$'] },
    },
    {
      name: 'testing-only-in-tests',
      comment: 'libs/testing is no part of what runs',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['^libs/testing/', NOT_SPECS, '/simulation/'] },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'fixtures-only-in-tests',
      comment: 'what specs share is no part of what runs',
      severity: 'error',
      from: { pathNot: [NOT_SPECS, '^test/'] },
      to: { path: '\\.fixture\\.ts$' },
    },
    {
      name: 'no-cycles',
      comment: 'not even of types: who reads a file reads what it stands on, and no more',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'declared',
      comment: 'what runs is in dependencies, not in devDependencies',
      severity: 'error',
      from: { path: '^(apps|libs|scripts)/', pathNot: [NOT_SPECS, '^libs/testing/', '/simulation/'] },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['source', 'import', 'node', 'default', 'types'] },
  },
};
