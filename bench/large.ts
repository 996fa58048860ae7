import { Client } from 'pg';
import { openDatabase, statement } from '#libs/persistence';
import { readPastAvailability } from '../apps/inventory/src/availability/as-of.queries.js';
import { prepareSite } from './holdfast.js';
import { median } from './latency.js';
import type { BenchRun } from './run.js';
import { itemId, ITEMS, ONE_ORG, type Scenario, SPREAD, WAREHOUSE } from './scenarios.js';
import { anotherSite, type Site } from './services.js';

/** How many ledger entries each balance of the large warehouse has, a month apart. */
export const ENTRIES_PER_BALANCE = 10;
const DAYS_BETWEEN_ENTRIES = 30;
const QUANTITY_PER_ENTRY = 100_000_000;
/** Balances per statement, so that Ctrl-C need not wait long. */
const CHUNK = 100_000;
const DAY_MS = 86_400_000;
const SAMPLES = 20;
const READS_PER_SAMPLE = 50;

/** What one item's availability as of a time costs in the large warehouse, beside what reading one row of it by its key costs. */
export interface AsOfResult {
  readonly part: 'large';
  readonly round: number;
  readonly balances: number;
  readonly ledgerEntries: number;
  /** One statement in an open transaction, the median. */
  readonly lookupMs: number;
  /** The question as the service answers it, in a transaction of its own, of any item and any time; the median. */
  readonly asOfMs: number;
}

const manySite = (run: BenchRun) => anotherSite(run, 'many');

/** A warehouse with the balances that are ordered and hardly more, and one with all; the same orders, over items that lie apart in the large one. */
export async function prepareLarge(run: BenchRun): Promise<{ site: Site; scenario: Scenario }[]> {
  const { balances } = run.options;
  const itemsPerOrg = Math.min(ITEMS, balances);
  const few = anotherSite(run, 'few');
  const many = manySite(run);
  await prepareSite(run, few, ['inventory']);
  await fillWarehouse(run, few, itemsPerOrg, 1);
  await prepareSite(run, many, ['inventory']);
  await fillWarehouse(run, many, balances, ENTRIES_PER_BALANCE);
  return [
    { site: few, scenario: { ...SPREAD, itemsPerOrg } },
    { site: many, scenario: { ...SPREAD, itemsPerOrg, itemStep: Math.floor(balances / itemsPerOrg) } },
  ];
}

/** Asks in turn for rows and for the past, each from a connection that has asked before. */
export async function measureAsOf(run: BenchRun, round: number): Promise<AsOfResult> {
  const { balances } = run.options;
  const database = await openDatabase({ url: manySite(run).databaseUrl, service: 'inventory', poolSizeMax: 1 });
  const lookup = statement<object>(
    'bench_lookup',
    'select on_hand, reserved from stock_balance where org_id = $1 and warehouse_id = $2 and item_id = $3',
  );
  const anyItem = () => itemId(1 + Math.floor(Math.random() * balances));
  const lookUp = async () => {
    const lookupMs: number[] = [];
    await database.transaction([ONE_ORG], async (tx) => {
      await tx.run(lookup, [ONE_ORG, WAREHOUSE, anyItem()]);
      for (let read = 0; read < READS_PER_SAMPLE; read++) {
        lookupMs.push(await timed(async () => (await tx.run(lookup, [ONE_ORG, WAREHOUSE, anyItem()])).length === 1));
      }
    });
    return lookupMs;
  };
  const ask = () => {
    const asOf = new Date(Date.now() - Math.random() * (ENTRIES_PER_BALANCE - 1) * DAYS_BETWEEN_ENTRIES * DAY_MS);
    const question = { orgId: ONE_ORG, scope: null, items: [{ itemId: anyItem(), warehouseId: WAREHOUSE }] };
    return timed(async () => {
      const read = database.transaction([ONE_ORG], (tx) => readPastAvailability(tx, question, asOf), { readOnly: true });
      return (await read)[0]!.onHand !== '0';
    });
  };
  try {
    const [lookupMs, asOfMs]: [number[], number[]] = [[], []];
    for (let sample = 0; sample < SAMPLES; sample++) {
      run.signal.throwIfAborted();
      lookupMs.push(...(await lookUp()));
      for (let read = 0; read < READS_PER_SAMPLE; read++) asOfMs.push(await ask());
    }
    const ledgerEntries = balances * ENTRIES_PER_BALANCE;
    return { part: 'large', round, balances, ledgerEntries, lookupMs: median(lookupMs), asOfMs: median(asOfMs) };
  } finally {
    await database.close();
  }
}

/** How long a read takes, in ms; it must find something. */
async function timed(read: () => Promise<boolean>): Promise<number> {
  const startMs = performance.now();
  if (!(await read())) throw new Error('What was asked for is not there.');
  return performance.now() - startMs;
}

/**
 * Writes items, balances, layers and ledger straight into the tables, set-based: as receipts would have left them, one a month, the last one
 * just now. By receipts, ten million entries would take an hour.
 */
export async function fillWarehouse(run: BenchRun, { databaseUrl }: Site, balances: number, entries: number): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  const inChunks = async (insert: string, ...more: unknown[]) => {
    for (let from = 1; from <= balances; from += CHUNK) {
      run.signal.throwIfAborted();
      await client.query(insert, [ONE_ORG, WAREHOUSE, from, Math.min(from + CHUNK - 1, balances), QUANTITY_PER_ENTRY, ...more]);
    }
  };
  try {
    await client.query(`select set_config('search_path', 'inventory', false), set_config('holdfast.orgs', $1, false)`, [
      JSON.stringify([ONE_ORG]),
    ]);
    await client.query('insert into warehouse (org_id, warehouse_id, name) values ($1, $2, $2)', [ONE_ORG, WAREHOUSE]);
    await inChunks(FILL_BALANCES, entries);
    for (let entryNo = 1; entryNo <= entries; entryNo++) {
      const recordedAt = new Date(Date.now() - (entries - entryNo) * DAYS_BETWEEN_ENTRIES * DAY_MS);
      await client.query(`select ensure_ledger_partition(($1::timestamptz at time zone 'UTC')::date)`, [recordedAt]);
      await inChunks(FILL_LEDGER, entryNo, recordedAt);
    }
    await client.query('vacuum (analyze) item, stock_balance, cost_layer, ledger_entry');
  } finally {
    await client.end();
  }
}

/** As {@link itemId} numbers items. */
const NUMBERED = `
  select 'item-' || lpad(n::text, greatest(6, length(n::text)), '0') as item_id, n from generate_series($3::int, $4::int) n`;

/** $1 organisation, $2 warehouse, $3 to $4 numbers of items, $5 quantity of each receipt, $6 receipts of each. */
const FILL_BALANCES = `
  with numbered as (${NUMBERED}),
  items as (insert into item (org_id, item_id, name) select $1, item_id, 'Item ' || n from numbered),
  balances as (
    insert into stock_balance (org_id, warehouse_id, item_id, on_hand, value, last_unit_cost, last_layer_no, last_entry_no)
    select $1, $2, item_id, $5::bigint * $6::int, $5::bigint * $6::int, 1, 1, $6::int from numbered)
  insert into cost_layer (org_id, warehouse_id, item_id, layer_no, received_at, quantity, value)
  select $1, $2, item_id, 1, now(), $5::bigint * $6::int, $5::bigint * $6::int from numbered`;

/** $1 organisation, $2 warehouse, $3 to $4 numbers of items, $5 quantity, $6 number of the entry, $7 its time. */
const FILL_LEDGER = `
  insert into ledger_entry (org_id, warehouse_id, item_id, entry_no, movement_id, quality, quantity_delta, balance_after, movement_type, ref_type,
                            ref_id, unit_cost, value_delta, actor, occurred_at, recorded_at)
  select $1, $2, item_id, $6::int, gen_random_uuid(), 'available', $5::bigint, $5::bigint * $6::int, 'receipt', 'receipt',
         'receipt-' || $6::int || '-' || n, 1, $5::bigint, 'bench', $7::timestamptz, $7::timestamptz
    from (${NUMBERED}) numbered`;
