import { Client } from 'pg';
import type { Actor } from '#libs/auth';
import { type Database, openDatabase, type Tx } from '#libs/persistence';
import { ReportQueries } from '../apps/approvals/src/reports/report.queries.js';
import { listAudit } from '../apps/inventory/src/audit/audit.queries.js';
import { reportDiscrepancies } from '../apps/inventory/src/reports/discrepancies.queries.js';
import { reportInventoryValue } from '../apps/inventory/src/reports/inventory-value.queries.js';
import { reportOversell, reportWouldBlock } from '../apps/inventory/src/reports/oversell.queries.js';
import { prepareSite } from './holdfast.js';
import { median } from './latency.js';
import type { BenchRun } from './run.js';
import { ONE_ORG } from './scenarios.js';
import { anotherSite } from './services.js';

const SAMPLES = 5;
/** Events per statement, so that Ctrl-C need not wait long. */
const CHUNK = 100_000;

/** What is read, all of it in the period; and the first page of the audit trail, which is not counted but found. */
export const REPORTS = ['oversell attempts', 'would have been blocked', 'discrepancies', 'inventory value', 'overrides', 'audit'] as const;
export type ReportName = (typeof REPORTS)[number];

/** What a report over many events costs, beside counting the same rows. */
export interface ReportResult {
  readonly part: 'reports';
  readonly report: ReportName;
  readonly round: number;
  readonly events: number;
  /** The median. */
  readonly countMs: number;
  readonly reportMs: number;
}

const period = () => ({ from: new Date(Date.now() - 400 * 86_400_000).toISOString(), to: new Date().toISOString(), limit: 50 });
const auditor: Actor = { userId: 'bench', orgId: ONE_ORG, roles: ['auditor'], warehouses: null };

interface Measure {
  readonly service: 'inventory' | 'approvals';
  /** What the report reads. */
  readonly table: string;
  readonly read: (database: Database) => Promise<unknown>;
}

const ofInventory = (table: string, work: (tx: Tx) => Promise<unknown>): Measure => ({
  service: 'inventory',
  table,
  read: (database) => database.transaction([ONE_ORG], work, { readOnly: true }),
});
const MEASURES: Readonly<Record<ReportName, Measure>> = {
  'oversell attempts': ofInventory('oversell_attempt', (tx) => reportOversell(tx, ONE_ORG, null, { ...period(), groupBy: 'item' })),
  'would have been blocked': ofInventory('oversell_attempt', (tx) =>
    reportWouldBlock(tx, ONE_ORG, null, { ...period(), groupBy: 'item_warehouse' }),
  ),
  discrepancies: ofInventory('discrepancy', (tx) => reportDiscrepancies(tx, ONE_ORG, null, { ...period(), groupBy: 'item' })),
  'inventory value': ofInventory('stock_balance', (tx) => reportInventoryValue(tx, ONE_ORG, null, { limit: 50, groupBy: 'warehouse' })),
  overrides: {
    service: 'approvals',
    table: 'approval_decision',
    read: (database) => new ReportQueries(database).overrides(auditor, { ...period(), groupBy: 'user' }),
  },
  audit: ofInventory('oversell_attempt', (tx) => listAudit(tx, ONE_ORG, null, { limit: 50 })),
};

const site = (run: BenchRun) => anotherSite(run, 'reports');

/** An organisation with as many events of each kind as is said, over a year. */
export async function prepareReports(run: BenchRun): Promise<void> {
  await prepareSite(run, site(run), ['inventory', 'approvals']);
  const client = new Client({ connectionString: site(run).databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(`select set_config('holdfast.orgs', $1, false)`, [JSON.stringify([ONE_ORG])]);
    await client.query(
      `insert into inventory.warehouse (org_id, warehouse_id, name) select $1, 'w' || n, 'W' from generate_series(0, 9) n`,
      [ONE_ORG],
    );
    for (const insert of FILL) {
      for (let from = 1; from <= run.options.events; from += CHUNK) {
        run.signal.throwIfAborted();
        await client.query(insert, [ONE_ORG, from, Math.min(from + CHUNK - 1, run.options.events)]);
      }
    }
    await client.query('vacuum (analyze)');
  } finally {
    await client.end();
  }
}

export async function measureReport(run: BenchRun, report: ReportName, round: number): Promise<ReportResult> {
  const { service, table, read } = MEASURES[report];
  const database = await openDatabase({ url: site(run).databaseUrl, service, poolSizeMax: 1 });
  const count = (): Promise<unknown> =>
    database.transaction([ONE_ORG], (tx) => tx.rows(`select count(*) from ${table} where org_id = $1`, [ONE_ORG]), { readOnly: true });
  try {
    const [countMs, reportMs]: [number[], number[]] = [[], []];
    for (let sample = 0; sample <= SAMPLES; sample++) {
      run.signal.throwIfAborted();
      const times = [await timed(count), await timed(() => read(database))] as const;
      // The first ones warm caches.
      if (sample === 0) continue;
      countMs.push(times[0]);
      reportMs.push(times[1]);
    }
    return { part: 'reports', report, round, events: run.options.events, countMs: median(countMs), reportMs: median(reportMs) };
  } finally {
    await database.close();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** $1 organisation, $2 to $3 numbers: a thousand items, ten warehouses, a hundred people, a year. */
const FILL = [
  `insert into inventory.oversell_attempt (org_id, attempt_id, order_id, line_no, item_id, warehouse_id, source, requested, available, outcome,
                                           reason, phase, snapshot, discrepancy_id, recorded_at)
   select $1, gen_random_uuid(), 'order-' || n, 1, 'item-' || n % 1000, 'w' || n % 10, '/shop', 5, n % 5,
          case n % 3 when 0 then 'refused' when 1 then 'would_block' else 'pending_approval' end, 'INSUFFICIENT_STOCK', 'soft',
          '{"onHand": "12", "reserved": "10", "blocked": "0", "sellable": "12", "safetyStock": "0", "available": "2"}', gen_random_uuid(),
          now() - n % 365 * interval '1 day' - n * interval '1 ms'
     from generate_series($2::int, $3::int) n`,
  `insert into inventory.discrepancy (org_id, discrepancy_id, item_id, warehouse_id, snapshot_quantity, ledger_quantity, status, severity, source,
                                      owner_role, detected_at, closed_at)
   select $1, gen_random_uuid(), 'item-' || n % 1000, 'w' || n % 10, n % 7, 10, case when n % 100 = 0 then 'new' else 'resolved' end,
          case n % 4 when 0 then 'low' when 1 then 'medium' when 2 then 'high' else 'critical' end, 'count', 'inventory_manager',
          now() - n % 365 * interval '1 day' - interval '2 days', case when n % 100 > 0 then now() - n % 365 * interval '1 day' end
     from generate_series($2::int, $3::int) n`,
  `insert into inventory.item (org_id, item_id, name) select $1, 'item-' || n, 'I' from generate_series($2::int, $3::int) n`,
  `insert into inventory.stock_balance (org_id, warehouse_id, item_id, on_hand, value)
   select $1, 'w' || n % 10, 'item-' || n, n % 50, n % 50 * 3 from generate_series($2::int, $3::int) n`,
  `with request as (
     insert into approvals.approval_request (org_id, approval_request_id, kind, subject_type, subject_id, fingerprint, requested_by, reason, lines,
                                             value, content_bytes, required_role, escalate_to, created_at, remind_at, expire_at, status, closed_at)
     select $1, gen_random_uuid(), 'order_override', 'order', 'order-' || n, '', 'ann', 'A regular customer',
            '[{"lineNo": 1, "itemId": "item", "warehouseId": "w1", "quantity": "3"}]', n % 500, 100, 'inventory_manager', '{}', at, at, at,
            'approved', at
       from generate_series($2::int, $3::int) n, lateral (select now() - n % 365 * interval '1 day' as at) t
     returning approval_request_id, closed_at, subject_id)
   insert into approvals.approval_decision (org_id, approval_request_id, decided_by, role, decision, reason, decided_at)
   select $1, approval_request_id, 'user-' || length(subject_id) || right(subject_id, 2), 'inventory_manager', 'approved', 'fine', closed_at
     from request`,
];
