import type { Statement, Tx } from '#libs/persistence';
import { StockDatabase, type StockProcess } from './simulation/stock-database.js';
import * as expectedReceiptSql from '../expected-receipts/expected-receipt.sql.js';
import * as approvalSql from '../approvals/approval-effect.sql.js';
import { readBalances, readQuants } from '../discrepancies/derived-counters.js';
import * as discrepancySql from '../discrepancies/discrepancy.sql.js';
import * as placesSql from './places.sql.js';
import * as receiptCosts from '../costing/receipt-costs.sql.js';
import * as sql from './stock.sql.js';

const PLACE = ['org_id', 'warehouse_id', 'item_id'];
const ORDER = ['org_id', 'order_id'];

/** By which columns an index must be entered at least; by fewer, a statement would go through all of an organisation, or of the table. */
const ENTERED_BY: Readonly<Record<string, readonly string[]>> = {
  stock_balance_pkey: PLACE,
  stock_balance_by_item: PLACE,
  quant_pkey: [...PLACE, 'lot'],
  quant_in_turn: PLACE,
  quant_by_lot: ['org_id', 'item_id', 'lot'],
  quant_of_piece: ['org_id', 'item_id', 'lot'],
  lot_pkey: ['org_id', 'item_id', 'lot'],
  location_pkey: ['org_id', 'warehouse_id', 'location'],
  cost_layer_pkey: [...PLACE, 'layer_no'],
  cost_layer_open: PLACE,
  cost_layer_by_receipt: ['org_id', 'receipt_id'],
  cost_correction_pkey: ['org_id', 'command_id'],
  ledger_entry_default_org_id_ref_id_idx: ['org_id', 'ref_id'],
  reservation_open_of_lot: [...PLACE, 'lot'],
  shipment_by_order: ORDER,
  demand_pkey: ORDER,
  reservation_pkey: ORDER,
  reservation_open: PLACE,
  backorder_pkey: ORDER,
  backorder_queue: PLACE,
  movement_pkey: ['org_id', 'movement_id'],
  movement_business_key: ['org_id', 'movement_type', 'ref_id'],
  movement_command_key: ['org_id', 'movement_type', 'ref_id'],
  ledger_entry_default_org_id_item_id_recorded_at_idx: ['org_id', 'item_id'],
  shipment_pkey: ['org_id', 'shipment_id'],
  approval_effect_pkey: ['org_id', 'approval_request_id'],
  approval_effect_by_subject: ['org_id', 'subject_type', 'subject_id'],
  discrepancy_pkey: ['org_id', 'discrepancy_id'],
  discrepancy_open: PLACE,
  ledger_entry_default_pkey: PLACE,
  transfer_under_way: ['org_id', 'to_warehouse_id'],
  discrepancy_finding: ['org_id', 'finding_key'],
  stock_balance_below_zero: ['org_id'],
  customer_return_pkey: ['org_id', 'return_id'],
  expected_receipt_pkey: ['org_id', 'expected_receipt_id'],
  item_pkey: ['org_id', 'item_id'],
  warehouse_pkey: ['org_id', 'warehouse_id'],
  stock_settings_pkey: ['org_id'],
};
/** These mean all rows of a kind: every warehouse of an organisation, every balance of an item, everything of a balance. */
const ENTERED_BY_LESS: Readonly<Record<string, readonly string[]>> = {
  stock_find_warehouses: ['org_id'],
  stock_find_places_of_items: ['org_id', 'item_id'],
  stock_find_places_of_warehouses: ['org_id'],
  derived_read_balances: ['org_id'],
  derived_read_quants: ['org_id', 'item_id'],
};

describe('the statements of the machine', () => {
  let stock: StockDatabase;
  let process_: StockProcess;
  beforeAll(async () => {
    stock = await StockDatabase.create();
    process_ = await stock.process();
  });
  afterAll(() => stock.drop());

  const statements = Object.values({
    ...sql,
    ...placesSql,
    ...expectedReceiptSql,
    ...receiptCosts,
    ...approvalSql,
    ...discrepancySql,
    derivedBalances: readBalances,
    derivedQuants: readQuants,
  }).filter((value): value is Statement<never> => typeof value === 'object');

  /** The plan for whatever keys come, as a connection keeps it. */
  const genericPlan = async (tx: Tx, { text }: Statement<unknown>): Promise<string[]> => {
    const parameters = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map((match) => Number(match[1])));
    const nulls = parameters === 0 ? '' : `(${Array.from({ length: parameters }, () => 'null').join(', ')})`;
    await tx.rows(`select set_config('plan_cache_mode', 'force_generic_plan', true)`);
    await tx.rows(`prepare planned as ${text}`);
    const rows = await tx.rows<{ 'QUERY PLAN': string }>(`explain (costs off) execute planned${nulls}`);
    await tx.rows('deallocate planned');
    return rows.map((row) => row['QUERY PLAN']);
  };

  // A new installation knows nothing of its data, and plans are kept by connections for hours: then the planner takes any index whose first
  // column fits, which is the organisation's for all of them.
  it.each(statements.map((statement) => [statement.name, statement] as const))(
    '%s finds its rows by their keys',
    async (name, statement) => {
      const plan = await process_.database.transaction(['org'], (tx) => genericPlan(tx, statement));
      plan.forEach((line, at) => {
        expect(line).not.toMatch(/(Seq|Bitmap \w+) Scan/);
        const index = /Index (?:Only )?Scan using (\w+)/.exec(line)?.[1];
        if (index === undefined) return;
        const columns = [...(/Index Cond: (.*)/.exec(plan[at + 1] ?? '')?.[1] ?? '').matchAll(/\((\w+) = /g)].map((match) => match[1]);
        expect([index, columns]).toEqual([index, expect.arrayContaining([...(ENTERED_BY_LESS[name] ?? ENTERED_BY[index] ?? ['unknown'])])]);
      });
    },
  );
});
