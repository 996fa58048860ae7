import { Type } from '@sinclair/typebox';
import { defineCall, internal, type Page, PageQuery } from './define-call.js';
import { IMPORT_READERS, STOCK_KEEPERS } from './role.js';
import { Id, Timestamp } from './schema.js';

// What the gateway asks inventory about imports. Between our own services only.

const shared = { service: 'inventory' as const, visibility: 'internal' as const };

/** What a file may hold. */
export const IMPORT_KINDS = ['items', 'lots', 'stock'] as const;
export type ImportKind = (typeof IMPORT_KINDS)[number];

export const IMPORT_STATUSES = ['receiving', 'validating', 'applying', 'completed', 'failed', 'cancelled'] as const;
export type ImportStatus = (typeof IMPORT_STATUSES)[number];

/** A file larger than this is refused: 64 MiB. */
export const IMPORT_BYTES_MAX = 67_108_864;
/** Bytes of the file in one call; in Base64 and JSON they stay well below the limit of a message. */
export const IMPORT_PART_BYTES = 262_144;

/** Something that is wrong with a file. */
export interface ImportError {
  /** Counted from 1, the header being the first. */
  readonly line: number;
  /** The name in the header; null when it is about the whole line. */
  readonly column: string | null;
  readonly message: string;
}

export interface ImportSummary {
  readonly importId: string;
  readonly kind: ImportKind;
  readonly status: ImportStatus;
  /** Only checked, never applied. */
  readonly dryRun: boolean;
  /**
   * In lines of data. Before `applying`, `done` counts the lines that were checked and `total` is estimated from the line ends; from then on
   * `done` counts those that are in effect.
   */
  readonly progress: { readonly done: number; readonly total: number };
  /** How many of the lines existed already, exactly so. */
  readonly skipped: number;
  readonly errorCount: number;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly finishedAt: string | null;
}

export interface Import extends ImportSummary {
  /** The first 1,000, in the order of the file. */
  readonly errors: readonly ImportError[];
}

/** What is said of a lot before any of it is in stock. */
export const LotFields = Type.Object({
  itemId: Id,
  lot: Id,
  producedAt: Type.Optional(Timestamp),
  expiresAt: Type.Optional(Timestamp),
});

const oneOf = <T extends string>(values: readonly T[]) => Type.Union(values.map((value) => Type.Literal(value)));
const ImportRef = Type.Object({ importId: Type.String({ format: 'uuid' }) });

export const ImportReceive = defineCall({
  ...shared,
  pattern: 'imports.receive',
  effect: 'change',
  allow: STOCK_KEEPERS,
  summary: 'Takes in a CSV file, part by part; the import begins with the last part.',
  request: Type.Composite([
    ImportRef,
    Type.Object({
      kind: oneOf(IMPORT_KINDS),
      /** Counted from 1. */
      part: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
      /** In Base64; all parts but the last are of one size. */
      data: Type.String({ maxLength: 1_000_000 }),
      last: Type.Boolean(),
      dryRun: Type.Optional(Type.Boolean()),
    }),
  ]),
  response: internal<{ importId: string; kind: ImportKind; status: ImportStatus; dryRun: boolean }>(),
});
export const ImportCancel = defineCall({
  ...shared,
  pattern: 'imports.cancel',
  effect: 'change',
  allow: STOCK_KEEPERS,
  summary: 'Stops an import. What is applied stays.',
  request: ImportRef,
  response: internal<Import>(),
});
export const ImportGet = defineCall({
  ...shared,
  pattern: 'imports.get',
  effect: 'read',
  allow: IMPORT_READERS,
  summary: 'How far an import is, and what is wrong with its file.',
  request: ImportRef,
  response: internal<Import>(),
});
export const ImportList = defineCall({
  ...shared,
  pattern: 'imports.list',
  effect: 'read',
  allow: IMPORT_READERS,
  summary: 'Imports, newest first.',
  request: Type.Object({ kind: Type.Optional(oneOf(IMPORT_KINDS)), status: Type.Optional(oneOf(IMPORT_STATUSES)), ...PageQuery }),
  response: internal<Page<ImportSummary>>(),
});
