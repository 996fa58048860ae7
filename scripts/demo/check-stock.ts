import { parseQuantity } from '#libs/domain';
import type { Api } from './api.js';

/** Whether what Holdfast says in three places is the same. */
export interface StockCheck {
  readonly balances: number;
  readonly ledgerEntries: number;
  readonly reservations: number;
  /** One sentence for each balance that does not agree. */
  readonly mismatches: readonly string[];
}

interface Sums {
  onHand: bigint;
  ledger: bigint;
  reserved: bigint;
  reservations: bigint;
}

/** Adds up the ledger and the open reservations, and compares them with on hand and reserved of every balance. */
export async function checkStock(api: Api): Promise<StockCheck> {
  const sums = new Map<string, Sums>();
  const of = ({ itemId, warehouseId }: { itemId: string; warehouseId: string }) => {
    const key = `${itemId} in ${warehouseId}`;
    const found = sums.get(key) ?? { onHand: 0n, ledger: 0n, reserved: 0n, reservations: 0n };
    sums.set(key, found);
    return found;
  };
  type Place = { itemId: string; warehouseId: string };
  for await (const row of api.all<Place & { onHand: string; reserved: string }>('/api/v1/inventory/stock', 'items')) {
    of(row).onHand = parseQuantity(row.onHand);
    of(row).reserved = parseQuantity(row.reserved);
  }
  let ledgerEntries = 0;
  for await (const entry of api.all<Place & { quantityDelta: string }>('/api/v1/inventory/ledger', 'entries')) {
    of(entry).ledger += parseQuantity(entry.quantityDelta);
    ledgerEntries++;
  }
  let reservations = 0;
  const held = '/api/v1/inventory/reservations?status=active';
  for await (const row of api.all<Place & { quantity: string; fulfilledQuantity: string }>(held, 'reservations')) {
    of(row).reservations += parseQuantity(row.quantity) - parseQuantity(row.fulfilledQuantity);
    reservations++;
  }
  const mismatches = [...sums].flatMap(([place, { onHand, ledger, reserved, reservations: open }]) => [
    ...(onHand === ledger ? [] : [`${place}: on hand and ledger differ`]),
    ...(reserved === open ? [] : [`${place}: reserved and reservations differ`]),
    ...(reserved >= 0n && reserved <= onHand ? [] : [`${place}: more is reserved than there is`]),
  ]);
  return { balances: sums.size, ledgerEntries, reservations, mismatches };
}
