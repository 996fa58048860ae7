import { LowStockDetected, StockReplenished } from '#libs/contracts';
import { formatQuantity, isQuantity, type Quantity, uuidv7, ZERO } from '#libs/domain';
import { lowStockThreshold } from '../availability/available-to-promise.js';
import type { CommandMeta } from './commands.js';
import type { Balance, MovementHead, Quality, StockState } from './stock-state.js';

/** A change of one quality of one balance; several of them make a movement. */
export interface StockChange {
  readonly balance: Balance;
  readonly quality: Quality;
  readonly delta: Quantity;
  readonly unitCost?: Quantity | null;
  readonly producedAt?: string | undefined;
  readonly expiresAt?: string | undefined;
}

/**
 * Whether on hand and what waits, together, stay a quantity: what is not could be stored, but neither told nor read again. Together, because
 * a fact turns what is held into what waits. Asked before anything is changed.
 */
export function staysInRange(changes: readonly Pick<StockChange, 'balance' | 'delta'>[]): boolean {
  const after = new Map<Balance, Quantity>();
  for (const { balance, delta } of changes) after.set(balance, (after.get(balance) ?? balance.onHand + balance.backordered) + delta);
  return [...after.values()].every(isQuantity);
}

export function newMovement(
  head: Pick<MovementHead, 'orgId' | 'movementType' | 'refType' | 'refId'> & Partial<MovementHead>,
  meta: CommandMeta,
  now: Date,
): MovementHead {
  return {
    movementId: uuidv7(),
    orderId: null,
    reason: null,
    fingerprint: null,
    lines: [],
    occurredAt: meta.time ?? now,
    actor: meta.actor ?? null,
    ...head,
  };
}

/**
 * Posts a movement: changes on hand and blocked of each balance and writes one ledger entry per (item, warehouse, quality), numbered
 * without gaps. The only place where on hand changes. Tells when an item crosses its low-stock threshold.
 */
export function postMovement(state: StockState, movement: MovementHead, changes: readonly StockChange[], meta: CommandMeta): void {
  state.newMovements.push(movement);
  const before = new Map<Balance, { onHand: Quantity; everStocked: boolean }>();
  for (const change of mergeChanges(changes)) {
    const { balance, quality, delta } = change;
    if (!before.has(balance)) before.set(balance, { onHand: balance.onHand, everStocked: balance.lastEntryNo > 0 });
    balance.onHand += delta;
    if (quality !== 'available') {
      balance.blocked += delta;
      balance.blockedChanges.set(quality, (balance.blockedChanges.get(quality) ?? ZERO) + delta);
    }
    // Also when stock leaves: a safety stock in percent falls with it.
    state.freed.add(balance);
    balance.lastEntryNo++;
    state.touchBalance(balance);
    state.ledger.push({
      orgId: balance.orgId,
      warehouseId: balance.warehouseId,
      itemId: balance.itemId,
      entryNo: balance.lastEntryNo,
      movement,
      quality,
      quantityDelta: delta,
      balanceAfter: balance.onHand,
      unitCost: change.unitCost ?? null,
      producedAt: change.producedAt ?? null,
      expiresAt: change.expiresAt ?? null,
    });
  }
  for (const [balance, was] of before) tellCrossing(state, balance, was, meta);
}

/** One entry per balance and quality, unless costs or dates tell them apart. */
function mergeChanges(changes: readonly StockChange[]): StockChange[] {
  const merged: StockChange[] = [];
  for (const change of changes) {
    const at = merged.findIndex(
      (other) =>
        other.balance === change.balance &&
        other.quality === change.quality &&
        (other.unitCost ?? null) === (change.unitCost ?? null) &&
        other.producedAt === change.producedAt &&
        other.expiresAt === change.expiresAt,
    );
    if (at < 0) merged.push(change);
    else merged[at] = { ...change, delta: merged[at]!.delta + change.delta };
  }
  return merged;
}

/** The on-hand quantity at which the balance counts as low. */
export function thresholdOf(state: StockState, balance: Balance): Quantity {
  return lowStockThreshold(balance.ownReorderPoint, balance.itemReorderPoint, state.settingsOf(balance.orgId).defaultReorderPoint);
}

function tellCrossing(state: StockState, balance: Balance, before: { onHand: Quantity; everStocked: boolean }, meta: CommandMeta): void {
  const threshold = thresholdOf(state, balance);
  // An item that was never stocked is not low; its first receipt may leave it so.
  const wasLow = before.everStocked && before.onHand <= threshold;
  const isLow = balance.onHand <= threshold;
  if (wasLow === isLow) return;
  const data = {
    itemId: balance.itemId,
    warehouseId: balance.warehouseId,
    onHand: formatQuantity(balance.onHand),
    threshold: formatQuantity(threshold),
  };
  state.emit(isLow ? LowStockDetected : StockReplenished, balance.orgId, balance.itemId, meta, data);
}
