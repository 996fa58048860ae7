import type { ImportError } from '#libs/contracts';

/** A line that is staged. */
export interface AppliedLine {
  readonly record_no: number;
  readonly line: number;
  readonly place: string;
  readonly fields: unknown;
  readonly is_there: boolean;
}

/** What became of a chunk: how many of its lines are in effect, how many were before, and why others are not. */
export interface Applied {
  readonly done: number;
  readonly skipped: number;
  readonly errors: readonly ImportError[];
}
