import {
  DISCREPANCY_GROUPS,
  type DiscrepancyGroup,
  OVERRIDE_GROUPS,
  type OverrideGroup,
  OVERSELL_GROUPS,
  type OversellGroup,
  PAGE_LIMIT_DEFAULT,
  REPORT_ROWS_MAX,
  VALUE_GROUPS,
  type ValueGroup,
  WOULD_BLOCK_GROUPS,
  type WouldBlockGroup,
} from '#libs/contracts';
import { invalid } from '#libs/domain';
import { ChoiceField, QueryInteger, TimestampField } from '../http/fields.js';
import { PAGE_LIMIT_MAX } from '../http/paging.js';

const FORMATS = ['json', 'csv'] as const;
const PERIOD_DAYS = 30;
const DAY_MS = 86_400_000;
/** Before it no time can be stored. */
const FIRST_MS = Date.parse('0001-01-01T00:00:00Z');
const optional = { optional: true } as const;
const Group = (groups: readonly string[]) =>
  ChoiceField(groups, { ...optional, description: `What is counted by; ${groups[0]} unless said.` });

/** What every report takes. */
export class ReportQuery {
  @TimestampField({ ...optional, description: `Inclusive; ${PERIOD_DAYS} days before the end unless said.` })
  from?: string;

  @TimestampField({ ...optional, description: 'Exclusive; now unless said.' })
  to?: string;

  @QueryInteger(1, REPORT_ROWS_MAX, {
    description: `Rows at most; ${PAGE_LIMIT_DEFAULT} unless said, up to ${PAGE_LIMIT_MAX} as JSON.`,
    example: 50,
  })
  limit?: number;

  @ChoiceField(FORMATS, optional)
  format?: (typeof FORMATS)[number];
}

export class OversellQuery extends ReportQuery {
  @Group(OVERSELL_GROUPS)
  groupBy?: OversellGroup;
}

export class WouldBlockQuery extends ReportQuery {
  @Group(WOULD_BLOCK_GROUPS)
  groupBy?: WouldBlockGroup;
}

export class DiscrepancyReportQuery extends ReportQuery {
  @Group(DISCREPANCY_GROUPS)
  groupBy?: DiscrepancyGroup;
}

export class OverridesQuery extends ReportQuery {
  @Group(OVERRIDE_GROUPS)
  groupBy?: OverrideGroup;
}

export class ApprovedInDoubtQuery extends ReportQuery {
  @Group(['order'])
  groupBy?: 'order';
}

export class InventoryValueQuery extends ReportQuery {
  @Group(VALUE_GROUPS)
  groupBy?: ValueGroup;
}

/** @throws {HoldfastError} kind `invalid` when it is more than the format takes. */
export function limitOf({ limit = PAGE_LIMIT_DEFAULT, format = 'json' }: ReportQuery): number {
  if (format === 'csv' || limit <= PAGE_LIMIT_MAX) return limit;
  const message = `must be at most ${PAGE_LIMIT_MAX}, or ${REPORT_ROWS_MAX} with format=csv`;
  throw invalid('The query is not valid.', [{ path: 'limit', message }]);
}

/** @throws {HoldfastError} kind `invalid` when it ends before it begins. */
export function periodOf(query: Pick<ReportQuery, 'from' | 'to'>): { readonly from: string; readonly to: string } {
  const { to = new Date().toISOString() } = query;
  const { from = new Date(Math.max(Date.parse(to) - PERIOD_DAYS * DAY_MS, FIRST_MS)).toISOString() } = query;
  refuseBackwards({ from, to });
  return { from, to };
}

export function refuseBackwards({ from, to }: Pick<ReportQuery, 'from' | 'to'>): void {
  if (from === undefined || to === undefined || Date.parse(from) < Date.parse(to)) return;
  throw invalid('The query is not valid.', [{ path: 'from', message: 'must be before `to`' }]);
}

/** A report as it is answered: with what it is about. */
export type AnsweredReport<R> = R & { readonly from: string | null; readonly to: string | null; readonly groupBy: string };
