import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  ApprovedOrders,
  DiscrepanciesReport,
  GROUP_FIELDS,
  InventoryValueReport,
  OverridesReport,
  OverridesWithoutEffect,
  OversellReport,
  type Report,
  WouldBlockReport,
} from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { CsvFile, csvOf } from '../http/csv.js';
import { Calls } from '../http/endpoint.js';
import { Services } from '../http/services.js';
import { approvedInDoubt } from './approved-in-doubt.js';
import {
  type AnsweredReport,
  ApprovedInDoubtQuery,
  DiscrepancyReportQuery,
  InventoryValueQuery,
  limitOf,
  OverridesQuery,
  OversellQuery,
  periodOf,
  refuseBackwards,
  type ReportQuery,
  WouldBlockQuery,
} from './report.dto.js';
import {
  aDiscrepancyReport,
  anApprovedInDoubtReport,
  anInventoryValueReport,
  anOverridesReport,
  anOversellReport,
  aWouldBlockReport,
} from './report.examples.js';

const OVERSELL_COLUMNS = ['attempts', 'quantityShort', 'refused', 'pendingApproval', 'wouldBlock', 'lastAt'];
const WOULD_BLOCK_COLUMNS = ['attempts', 'quantityShort', 'movements', 'quantityMoved', 'lastAt'];
const DISCREPANCY_COLUMNS = ['discrepancies', 'open', 'difference', 'oldestOpenAt', 'lastDetectedAt'];
const OVERRIDE_COLUMNS = ['overrides', 'value', 'valueUnknown', 'lastAt'];
const VALUE_COLUMNS = ['quantity', 'value'];
const VALUE_CHANGE_COLUMNS = ['quantityChange', 'valueChange'];
const APPROVED_IN_DOUBT_COLUMNS = ['approvedAt', 'discrepancyIds', 'snapshot'];
/** What rows are about, in the columns of text. */
const ROW_FIELDS = { ...GROUP_FIELDS, order: ['orderId', 'approvedBy', 'role', 'reason', 'approvalRequestId'] } as const;

@ApiTags('Reports')
@Controller('reports')
export class ReportsController {
  constructor(private readonly services: Services) {}

  @Get('oversell-attempts')
  @Calls(OversellReport, { answers: anOversellReport })
  async oversell(@ByCaller() caller: Caller, @Query() query: OversellQuery) {
    const asked = askedOf(query, 'item');
    return answer('oversell-attempts', asked, await this.services.call(OversellReport, caller, asked), query, OVERSELL_COLUMNS);
  }

  @Get('overrides')
  @Calls(OverridesReport, { answers: anOverridesReport })
  async overrides(@ByCaller() caller: Caller, @Query() query: OverridesQuery) {
    const asked = askedOf(query, 'user');
    // Carried out at the earliest when it was decided.
    const { approvalRequestIds: without } = await this.services.call(OverridesWithoutEffect, caller, { from: asked.from });
    return answer('overrides', asked, await this.services.call(OverridesReport, caller, { ...asked, without }), query, OVERRIDE_COLUMNS);
  }

  @Get('approved-with-open-discrepancies')
  @Calls(ApprovedOrders, { answers: anApprovedInDoubtReport })
  async approvedInDoubt(@ByCaller() caller: Caller, @Query() query: ApprovedInDoubtQuery) {
    const asked = askedOf(query, 'order');
    const report = await approvedInDoubt(this.services, caller, asked);
    return answer('approved-with-open-discrepancies', asked, report, query, APPROVED_IN_DOUBT_COLUMNS);
  }

  @Get('would-have-been-blocked')
  @Calls(WouldBlockReport, { answers: aWouldBlockReport })
  async wouldBlock(@ByCaller() caller: Caller, @Query() query: WouldBlockQuery) {
    const asked = askedOf(query, 'item_warehouse');
    return answer('would-have-been-blocked', asked, await this.services.call(WouldBlockReport, caller, asked), query, WOULD_BLOCK_COLUMNS);
  }

  @Get('discrepancies')
  @Calls(DiscrepanciesReport, { answers: aDiscrepancyReport })
  async discrepancies(@ByCaller() caller: Caller, @Query() query: DiscrepancyReportQuery) {
    const asked = askedOf(query, 'status');
    return answer('discrepancies', asked, await this.services.call(DiscrepanciesReport, caller, asked), query, DISCREPANCY_COLUMNS);
  }

  @Get('inventory-value')
  @Calls(InventoryValueReport, { answers: anInventoryValueReport })
  async value(@ByCaller() caller: Caller, @Query() query: InventoryValueQuery) {
    const { groupBy = 'item', from, to } = query;
    refuseBackwards(query);
    const period = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    const report = await this.services.call(InventoryValueReport, caller, { ...period, groupBy, limit: limitOf(query) });
    const columns = from === undefined ? VALUE_COLUMNS : [...VALUE_COLUMNS, ...VALUE_CHANGE_COLUMNS];
    return answer('inventory-value', { ...period, groupBy }, report, query, columns);
  }
}

interface Asked<G> {
  readonly from?: string;
  readonly to?: string;
  readonly groupBy: G;
}

function askedOf<G>(query: ReportQuery & { readonly groupBy?: G }, groupByDefault: G) {
  return { ...periodOf(query), limit: limitOf(query), groupBy: query.groupBy ?? groupByDefault };
}

/** @param columns what is counted; before it comes what is counted by. */
function answer<R extends Report<object, unknown>>(
  name: string,
  { from, to, groupBy }: Asked<keyof typeof ROW_FIELDS>,
  report: R,
  { format = 'json' }: ReportQuery,
  columns: readonly string[],
): AnsweredReport<R> | CsvFile {
  if (format === 'json') return { from: from ?? null, to: to ?? null, groupBy, ...report };
  const days = [from, to].flatMap((time) => (time === undefined ? [] : [time.slice(0, 10)]));
  const all = [...ROW_FIELDS[groupBy].map((field) => ({ name: field, isText: true })), ...columns.map((field) => ({ name: field }))];
  return new CsvFile(`${[name, ...days].join('_')}.csv`, csvOf(all, report.rows));
}
