import { parseFixedPoint, type Quantity } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { columns, union } from '../stock-machine/find-places.js';
import type { Quality, QuantKey } from '../stock-machine/quants.js';
import { type Balance, balanceKey } from '../stock-machine/balance.js';
import type { Needs } from '../stock-machine/touches.js';

/** A counter as it was when its balance was locked, and what its records added up to then. */
export interface Derived {
  readonly expected: Quantity;
  readonly actual: Quantity;
}

/** A lot, bin and quality that disagrees with the ledger, or with what is held there. */
export interface DerivedQuant extends QuantKey {
  readonly quantity: Derived;
  readonly reserved: Derived;
  /** When goods last came there; null when none ever did. */
  readonly receivedAt: Date | null;
}

/** The counters of a balance beside the records that they are derived from (docs/rules.md, "reconciliation"). */
export interface DerivedCounters {
  readonly onHand: Derived;
  readonly blocked: Derived;
  readonly value: Derived;
  readonly reserved: Derived;
  readonly backordered: Derived;
  readonly inTransit: Derived;
  readonly doubts: Derived;
  readonly doubtful: Derived;
  /** The sums of the cost layers, by the ledger and by the layers. */
  readonly layerQuantity: Derived;
  readonly layerValue: Derived;
  readonly hasAverageLayer: boolean;
  /** Whether the entries of the ledger are numbered 1, 2, 3 ... up to the last that the balance counted. */
  readonly isLedgerWhole: boolean;
  /** The open findings about lines of orders of the item, by kind: they say something else than reservations and backorders do. */
  readonly linesFound: readonly string[];
  readonly quants: readonly DerivedQuant[];
  /** What commands of the batch have set right by now: from then on it agrees, whatever moves. */
  readonly corrected: Set<string>;
}

interface BalanceRow {
  readonly org_id: string;
  readonly warehouse_id: string;
  readonly item_id: string;
  /** Expected and actual, in the order of {@link COUNTERS}. */
  readonly counters: readonly string[];
  readonly has_average_layer: boolean;
  readonly is_ledger_whole: boolean;
  readonly lines_found: readonly string[];
}

/** What each counter is compared with; the same sums as those of a reconciliation, of one balance. */
const COUNTERS = {
  onHand: ['coalesce(e.quantity, 0)', 'b.on_hand'],
  blocked: ['coalesce(e.blocked, 0)', 'b.blocked'],
  value: ['coalesce(e.value, 0)', 'b.value'],
  reserved: ['h.held', 'b.reserved'],
  backordered: ['w.waiting', 'b.backordered'],
  inTransit: ['u.coming', 'b.in_transit'],
  doubts: ['d.doubts', 'b.doubts'],
  doubtful: ['d.doubtful', 'b.doubtful'],
  layerQuantity: ['coalesce(e.quantity, 0)', 'l.quantity'],
  layerValue: ['coalesce(e.value, 0)', 'l.value'],
} as const;
const NAMES = Object.keys(COUNTERS) as (keyof typeof COUNTERS)[];

const of = (table: string) => `${table}.org_id = k.org_id and ${table}.warehouse_id = k.warehouse_id and ${table}.item_id = k.item_id`;

/** Under the lock of the balances, which whoever writes any of it holds. The ledger is read from its key alone. */
export const readBalances = statement<BalanceRow>(
  'derived_read_balances',
  `select k.org_id, k.warehouse_id, k.item_id, l.has_average_layer,
          array[${Object.values(COUNTERS).flat().join(', ')}]::text[] as counters,
          coalesce(e.entries, 0) = b.last_entry_no
            and coalesce(e.last_no = e.entries and e.numbers = e.entries * (e.entries + 1) / 2, true) as is_ledger_whole,
          array(select split_part(f.finding_key, '|', 1) from discrepancy f
                 where f.org_id = k.org_id and f.closed_at is null and f.finding_key is not null and f.item_id = k.item_id
                   and f.finding_key like 'line_%') as lines_found
     from unnest($1::text[], $2::text[], $3::text[]) k (org_id, warehouse_id, item_id)
     join stock_balance b on ${of('b')}
    cross join lateral (
      select sum(quantity_delta) as quantity, sum(quantity_delta) filter (where quality <> 'available') as blocked,
             sum(value_delta) as value, count(*) as entries, sum(entry_no) as numbers, max(entry_no) as last_no
        from ledger_entry where ${of('ledger_entry')}) e
    cross join lateral (
      select coalesce(sum(quantity), 0) as quantity, coalesce(sum(value), 0) as value, coalesce(bool_or(layer_no = 0), false) as has_average_layer
        from cost_layer where ${of('cost_layer')}) l
    cross join lateral (
      select coalesce(sum(quantity - fulfilled_quantity), 0) as held from reservation where ${of('reservation')} and status = 'active') h
    cross join lateral (select coalesce(sum(quantity), 0) as waiting from backorder where ${of('backorder')}) w
    cross join lateral (
      select coalesce(sum(i.quantity - coalesce(i.received, 0) - coalesce(i.missing, 0)), 0) as coming
        from transfer t
       cross join lateral jsonb_to_recordset(t.lines) i ("itemId" text, quantity numeric, received numeric, missing numeric)
       where t.org_id = k.org_id and t.to_warehouse_id = k.warehouse_id and t.status = 'in_transit' and i."itemId" = k.item_id) u
    cross join lateral (
      select count(*) as doubts, coalesce(sum(abs(snapshot_quantity - ledger_quantity)), 0) as doubtful from discrepancy
       where ${of('discrepancy')} and closed_at is null and severity in ('high', 'critical') and source <> 'blocked_transaction') d`,
);

/** The lots, bins and qualities that do not agree. What is plain is not stored. */
export const readQuants = statement<{
  org_id: string;
  warehouse_id: string;
  item_id: string;
  lot: string;
  location: string;
  quality: Quality;
  lies: string;
  quantity: string;
  held: string;
  reserved: string;
  received_at: Date | null;
}>(
  'derived_read_quants',
  `select k.org_id, k.warehouse_id, k.item_id, q.*
     from unnest($1::text[], $2::text[], $3::text[]) k (org_id, warehouse_id, item_id)
    cross join lateral (
      select lot, location, quality, sum(lies) as lies, sum(quantity) as quantity, sum(held) as held, sum(reserved) as reserved,
             max(came_at) as received_at
        from (select coalesce(lot, '') as lot, location, quality, quantity_delta as lies, 0 as quantity, 0 as held, 0 as reserved,
                     case when quantity_delta > 0 then recorded_at end as came_at
                from ledger_entry where ${of('ledger_entry')}
               union all
              select lot, location, quality, 0, quantity, 0, reserved, null from quant where ${of('quant')}
               union all
              select lot, location, 'available', 0, 0, quantity - fulfilled_quantity, 0, null
                from reservation where ${of('reservation')} and status = 'active') known
       where lot <> '' or location <> 'default' or quality <> 'available'
       group by lot, location, quality
      having sum(lies) <> sum(quantity) or sum(held) <> sum(reserved)) q`,
);

/** Compares the counters of balances with their records, for commands that asked for it. */
export async function loadDerivedCounters(
  tx: Tx,
  known: ReadonlyMap<string, Balance>,
  needs: readonly Needs[],
): Promise<[Balance, DerivedCounters][]> {
  const keys = [...union(needs, (need) => need.derived)].filter((key) => known.has(key));
  if (keys.length === 0) return [];
  const [balances, quants] = await Promise.all([tx.run(readBalances, columns(keys, 3)), tx.run(readQuants, columns(keys, 3))]);
  const byBalance = Map.groupBy(quants, (row) => balanceKey(row.org_id, row.warehouse_id, row.item_id));
  return balances.map((row) => {
    const key = balanceKey(row.org_id, row.warehouse_id, row.item_id);
    const counters = Object.fromEntries(
      NAMES.map((name, at) => [name, derived(row.counters[2 * at]!, row.counters[2 * at + 1]!)]),
    ) as Record<keyof typeof COUNTERS, Derived>;
    const found: DerivedCounters = {
      ...counters,
      hasAverageLayer: row.has_average_layer,
      isLedgerWhole: row.is_ledger_whole,
      linesFound: row.lines_found,
      quants: (byBalance.get(key) ?? []).map(({ lot, location, quality, lies, quantity, held, reserved, received_at: receivedAt }) => {
        return { lot, location, quality, quantity: derived(lies, quantity), reserved: derived(held, reserved), receivedAt };
      }),
      corrected: new Set(),
    };
    return [known.get(key)!, found];
  });
}

const derived = (expected: string, actual: string): Derived => ({ expected: parseFixedPoint(expected), actual: parseFixedPoint(actual) });
