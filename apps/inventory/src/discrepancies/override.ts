import { StockAdjusted } from '#libs/contracts';
import { formatQuantity, sumQuantities, ZERO } from '#libs/domain';
import { changeOf, newMovement, postMovement } from '../stock-machine/post-movement.js';
import { quantAt } from '../stock-machine/balance-quants.js';
import { DEFAULT_LOCATION, NO_LOT, type QuantKey } from '../stock-machine/quants.js';
import type { MovementOverride, Shortfall } from '../stock-machine/movement.js';
import { lotNameKey } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';

// What somebody approved of a movement that is short: what is missing is counted as found before it is posted (docs/rules.md, "overrides of
// movements").

/** Where what is missing is counted as found. */
export function countedAt({ lot, location }: Pick<Shortfall, 'lot' | 'location'>): QuantKey {
  return { lot: lot ?? NO_LOT, location: location ?? DEFAULT_LOCATION, quality: 'available' };
}

/** Whether no more is missing than was approved, and all of it can be counted as found; then it is granted, and nothing changed yet. */
export function isCovered(state: StockState, override: MovementOverride, shortfalls: readonly Shortfall[]): boolean {
  const isEnough = [...Map.groupBy(shortfalls, (one) => one.balance)].every(([balance, parts]) => {
    return sumQuantities(parts, ({ quantity }) => quantity) <= (override.approved.get(balance)?.quantity ?? ZERO);
  });
  const isGranted = isEnough && shortfalls.every((one) => isCountable(state, one));
  override.granted = isGranted ? shortfalls : [];
  return isGranted;
}

/** Of a lot that is known, may be sold and was named, in a bin that exists; a piece with a serial number is there or it is not. */
function isCountable(state: StockState, { balance, lot, location }: Shortfall): boolean {
  const { orgId, warehouseId, itemId, tracking } = balance;
  if (tracking === 'serial' || (lot === null) !== (tracking === 'none')) return false;
  const known = lot === null ? null : state.lots.get(lotNameKey(orgId, itemId, lot));
  if (known === undefined || (known !== null && known.recalledAt !== null)) return false;
  if (known !== null && known.expiresAt !== null && known.expiresAt <= state.now) return false;
  const place = countedAt({ lot, location });
  return state.hasLocation(orgId, warehouseId, place.location) || quantAt(state, balance, place).quantity > ZERO;
}

/** Posts what is missing as found, at what one costs now, for the discrepancy of each item and warehouse. */
export function postGranted(state: StockState, override: MovementOverride): void {
  const { approved, granted, reason, meta } = override;
  for (const [balance, shortfalls] of Map.groupBy(granted, (one) => one.balance)) {
    const { discrepancyId } = approved.get(balance)!;
    const { orgId, itemId, warehouseId } = balance;
    const movement = newMovement({ orgId, movementType: 'count', refType: 'discrepancy', refId: discrepancyId, reason }, meta, state.now);
    const before = balance.onHand;
    const changes = shortfalls.map((one) => ({ ...changeOf(balance, countedAt(one), one.quantity), discrepancyId }));
    postMovement(state, movement, changes, meta);
    const lots = new Set(shortfalls.map(({ lot }) => lot));
    state.emit(StockAdjusted, orgId, itemId, meta, {
      movementId: movement.movementId,
      itemId,
      warehouseId,
      lot: lots.size === 1 ? [...lots][0]! : null,
      quantityDelta: formatQuantity(balance.onHand - before),
      reason,
      balanceAfter: formatQuantity(balance.onHand),
    });
  }
}
