import type { Database, Tx } from '#libs/persistence';
import { createTestDatabase, type TestDatabase } from '#libs/testing';
import { listAudit } from '../audit/audit.queries.js';
import { readDoubtsAt, reportDiscrepancies } from './discrepancies.queries.js';
import { reportOversell, reportWouldBlock } from './oversell.queries.js';

const EVENTS = 20_000;
/** Half a day of a year. */
const PERIOD = { from: '2026-03-01T00:00:00Z', to: '2026-03-01T12:00:00Z', limit: 50 };
/** Of the last days of events. */
const LATELY = { from: '2026-12-20T00:00:00Z', to: '2026-12-20T12:00:00Z', limit: 50 };

describe('reports over many events', () => {
  let test: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    test = await createTestDatabase(['inventory']);
    database = await test.open('inventory');
    const at = `'2026-01-01'::timestamptz + n * interval '26 minutes'`;
    await test.rows(
      `insert into inventory.oversell_attempt (org_id, attempt_id, order_id, line_no, item_id, warehouse_id, requested, available, outcome, reason,
                                               phase, snapshot, discrepancy_id, recorded_at)
       select 'org', gen_random_uuid(), 'o-' || n, 1, 'i' || n % 100, 'w', 5, 2, 'would_block', 'INSUFFICIENT_STOCK', 'dark', '{}',
              gen_random_uuid(), ${at} from generate_series(1, ${EVENTS}) n`,
    );
    await test.rows(
      `insert into inventory.discrepancy (org_id, discrepancy_id, item_id, warehouse_id, snapshot_quantity, ledger_quantity, status, severity,
                                          source, owner_role, detected_at, closed_at)
       select 'org', gen_random_uuid(), 'i' || n, 'w', 7, 10, case when n % 500 = 0 then 'new' else 'resolved' end, 'high', 'count',
              'inventory_manager', ${at}, case when n % 500 > 0 then ${at} + interval '1 hour' end from generate_series(1, ${EVENTS}) n`,
    );
    await test.rows(
      `insert into inventory.discrepancy_change (org_id, change_id, discrepancy_id, order_id, type, changed_at, details)
       select 'org', gen_random_uuid(), gen_random_uuid(), 'o-' || n, 'discrepancy_opened', ${at}, '{}' from generate_series(1, ${EVENTS}) n`,
    );
    await test.rows('vacuum (analyze) inventory.oversell_attempt, inventory.discrepancy, inventory.discrepancy_change');
  });
  afterAll(() => test.drop());

  /** How many rows of tables each of the statements of some work has read, those included that it threw away. */
  async function rowsRead(work: (tx: Tx) => Promise<unknown>): Promise<number> {
    interface Node {
      readonly 'Node Type': string;
      readonly 'Actual Rows': number;
      readonly 'Actual Loops': number;
      readonly 'Rows Removed by Filter'?: number;
      readonly Plans?: readonly Node[];
    }
    const count = (node: Node): number => {
      const own = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
      const below = (node.Plans ?? []).reduce((sum, each) => sum + count(each), 0);
      return /Scan/.test(node['Node Type']) && node['Node Type'] !== 'Subquery Scan' ? Math.max(own, below) : below;
    };
    return await database.transaction(
      ['org'],
      async (tx) => {
        let read = 0;
        const watched: Tx = Object.assign(Object.create(tx) as Tx, {
          run: tx.run.bind(tx),
          rows: async (text: string, values: readonly unknown[]) => {
            const [plan] = await tx.rows<{ 'QUERY PLAN': [{ Plan: Node }] }>(`explain (analyze, format json) ${text}`, values);
            read += count(plan!['QUERY PLAN'][0].Plan);
            return await tx.rows(text, values);
          },
        });
        await work(watched);
        return read;
      },
      { readOnly: true },
    );
  }

  it.each([
    ['oversell attempts', (tx: Tx) => reportOversell(tx, 'org', null, { ...PERIOD, groupBy: 'item' }), 30],
    ['what would have been blocked', (tx: Tx) => reportWouldBlock(tx, 'org', null, { ...PERIOD, groupBy: 'item_warehouse' }), 30],
    // Those that are open, and those closed since the period began.
    ['discrepancies', (tx: Tx) => reportDiscrepancies(tx, 'org', null, { ...LATELY, groupBy: 'item' }), 600],
    ['a page of the audit trail', (tx: Tx) => listAudit(tx, 'org', null, { limit: 10 }), 100],
    ['a page in the middle of it', (tx: Tx) => listAudit(tx, 'org', null, { limit: 10, to: PERIOD.to }), 100],
    ['the trail of an order', (tx: Tx) => listAudit(tx, 'org', null, { limit: 10, orderId: 'o-77' }), 10],
    [
      'what was in doubt',
      (tx: Tx) => readDoubtsAt(tx, 'org', null, { asked: [{ at: PERIOD.from, places: [{ itemId: 'i77', warehouseId: 'w' }] }] }),
      10,
    ],
  ])('%s read no more than they tell of', async (_, work, readMax) => {
    const read = await rowsRead(work);
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThanOrEqual(readMax);
  });

  it('count attempts from an index alone', async () => {
    const plan = await database.transaction(['org'], async (tx) => {
      const texts: string[] = [];
      const watched: Tx = Object.assign(Object.create(tx) as Tx, {
        run: tx.run.bind(tx),
        rows: async (text: string, values: readonly unknown[]) => {
          texts.push(...(await tx.rows<{ 'QUERY PLAN': string }>(`explain ${text}`, values)).map((row) => row['QUERY PLAN']));
          return await tx.rows(text, values);
        },
      });
      await reportOversell(watched, 'org', null, { ...PERIOD, groupBy: 'item' });
      return texts.join('\n');
    });
    expect(plan).toContain('Index Only Scan using oversell_attempt_by_time');
  });
});
