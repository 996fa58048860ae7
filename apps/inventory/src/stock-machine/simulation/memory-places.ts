import { COMMAND_LINES_MAX } from '#libs/contracts';
import { type Quantity, sumQuantities, ZERO } from '#libs/domain';
import type { StoredPlace } from '../find-places.js';
import { noteStored } from '../load-stock.js';
import { DEFAULT_LOCATION, NO_LOT, PLAIN } from '../quants.js';
import { balanceKey, placeKey } from '../balance.js';
import type { StockState } from '../stock-state.js';
import type { Needs } from '../touches.js';
import type { MemoryTables } from './memory-tables.js';

// How stock in memory answers for lots in every warehouse and for whole warehouses: the counterpart of `places.sql.ts`.

/** Adds what a command is about that is about a lot in every warehouse, or about a whole warehouse. */
export function findWhole(
  stock: MemoryTables,
  state: StockState,
  need: Needs,
  into: { lock: (key: string, need: Needs) => void } & Record<'shorted' | 'freed' | 'lots' | 'lotHolds', Set<string>>,
): void {
  const whole = placesOf(stock, state, need);
  for (const key of whole.locked) {
    into.lock(key, need);
    into.shorted.add(key);
    if (need.frees) into.freed.add(key);
  }
  for (const lot of whole.lots) into.lots.add(lot);
  if (need.wholeLot !== null) for (const lot of whole.lots) into.lotHolds.add(lot);
}

/** The balances and lots of a command that is about a lot in every warehouse, or about a whole warehouse. */
function placesOf(stock: MemoryTables, state: StockState, { wholeLot, wholeWarehouse }: Needs) {
  const locked: string[] = [];
  const lots: string[] = [];
  if (wholeLot !== null) {
    const places = placesOfLot(stock, wholeLot);
    locked.push(...places);
    lots.push(...places.map((key) => `${key}/${wholeLot.split('/')[2]}`));
    state.placesOfLots.set(wholeLot, places);
  }
  if (wholeWarehouse !== null) {
    const places = placesOfWarehouse(stock, wholeWarehouse);
    noteStored(state, wholeWarehouse, places.length > COMMAND_LINES_MAX ? null : places);
    locked.push(...places.map(({ itemId }) => `${wholeWarehouse}/${itemId}`));
    lots.push(...places.map(({ itemId, lot }) => `${wholeWarehouse}/${itemId}/${lot}`));
  }
  return { locked, lots };
}

function placesOfLot(stock: MemoryTables, name: string): string[] {
  const [orgId, itemId, lot] = name.split('/') as [string, string, string];
  return [...stock.quants.keys()].filter((key) => {
    const [org, , item] = key.split('/');
    return org === orgId && item === itemId && stock.quantsAt(key).some((quant) => quant.lot === lot && quant.quantity > ZERO);
  });
}

function placesOfWarehouse(stock: MemoryTables, warehouse: string): StoredPlace[] {
  const places = new Map<string, StoredPlace>();
  for (const [key, { orgId, itemId, onHand }] of stock.balances) {
    if (!key.startsWith(`${warehouse}/`)) continue;
    const tracking = stock.items.get(`${orgId}/${itemId}`)?.tracking ?? 'none';
    const isPlainEmpty = onHand === sumQuantities(stock.quantsAt(key), ({ quantity }) => quantity);
    if (tracking === 'none' && !isPlainEmpty) places.set(placeKey(key, PLAIN), { itemId, lot: NO_LOT, location: DEFAULT_LOCATION });
    for (const { lot, location, quantity } of stock.quantsAt(key)) {
      if (quantity > ZERO) places.set(placeKey(key, { lot, location }), { itemId, lot, location });
    }
  }
  return [...places.values()];
}

/** What was posted since the times that commands ask about. */
export function notePostedSince(stock: MemoryTables, state: StockState, needs: readonly Needs[]): void {
  for (const { postedSince } of needs) {
    if (postedSince === null) continue;
    const time = new Date(postedSince);
    const posted = new Map<string, Quantity>();
    for (const entry of stock.ledger) {
      if (entry.recordedAt <= time || entry.movement.occurredAt <= time) continue;
      const key = placeKey(balanceKey(entry.orgId, entry.warehouseId, entry.itemId), entry);
      posted.set(key, (posted.get(key) ?? ZERO) + entry.quantityDelta);
    }
    state.postedSince.set(postedSince, posted);
  }
}
