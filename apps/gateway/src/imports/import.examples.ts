import type { Import, ImportSummary } from '#libs/contracts';

const taken = {
  importId: '019cb5b1-0000-7000-8000-000000000007',
  kind: 'items',
  dryRun: false,
} as const;

export const aTakenImport = { ...taken, status: 'validating' as const };

export const anImportSummary: ImportSummary = {
  ...taken,
  status: 'applying',
  progress: { done: 42_000, total: 100_000 },
  skipped: 17,
  errorCount: 0,
  createdBy: 'ann',
  createdAt: '2026-03-01T08:00:00.000Z',
  finishedAt: null,
};

export const aFailedImport: Import = {
  ...anImportSummary,
  status: 'failed',
  progress: { done: 0, total: 100_000 },
  skipped: 0,
  errorCount: 1,
  errors: [{ line: 17, column: 'unitPrice', message: 'must be a decimal of zero or more, not "9,99".' }],
  finishedAt: '2026-03-01T08:00:10.000Z',
};

export const aCancelledImport: Import = { ...anImportSummary, status: 'cancelled', errors: [], finishedAt: '2026-03-01T08:00:10.000Z' };
export const anUnfinishedImport: Import = { ...anImportSummary, errors: [{ line: 17, column: null, message: '' }] };
