import { LowStockDetected, StockReplenished } from '#libs/contracts';
import {
  absolute,
  formatQuantity,
  type HoldfastError,
  isMoney,
  isQuantity,
  type Money,
  type Quantity,
  rejected,
  sumQuantities,
  unitCostOf,
  uuidv7,
  valueOf,
  ZERO,
} from '#libs/domain';
import { lowStockThreshold } from '../availability/available-to-promise.js';
import { cameAt, type CostPart } from '../costing/cost-layers.js';
import type { CommandMeta } from './commands.js';
import { changeQuantity, quantAt } from './balance-quants.js';
import { DEFAULT_LOCATION, isPlain, NO_LOT, type Quality, type QuantKey } from './quants.js';
import { type Balance, balanceKey, lotNameKey } from './balance.js';
import { type MovementHead, movementKey } from './movement.js';
import { NeedsMore } from './needs-more.js';
import type { StockState } from './stock-state.js';

/** A change of one quant of a balance; several of them make a movement. */
export interface StockChange {
  readonly balance: Balance;
  /** Absent = none. */
  readonly lot?: string | undefined;
  /** Absent = the default bin. */
  readonly location?: string | undefined;
  readonly quality: Quality;
  readonly delta: Quantity;
  /** What one of what comes in costs; absent, with `parts`, = the current cost. */
  readonly unitCost?: Money | null;
  /** What comes back into the layers that it came from. */
  readonly parts?: readonly CostPart[];
  /** Somebody should look at it. */
  readonly flagged?: boolean;
  /** The discrepancy that it answers to. */
  readonly discrepancyId?: string;
  readonly producedAt?: string | undefined;
  readonly expiresAt?: string | undefined;
  /** Since when it is in the warehouse; absent = since now. */
  readonly receivedAt?: Date | undefined;
}

/** A change of a quant, as part of a movement. */
export function changeOf(balance: Balance, { lot, location, quality }: QuantKey, delta: Quantity): StockChange {
  return { balance, lot, location, quality, delta };
}

/** Goods that go from one quant of a balance to another: they come no later into the warehouse by that. */
export function shiftOf(state: StockState, balance: Balance, from: QuantKey, to: QuantKey, quantity: Quantity): StockChange[] {
  const receivedAt = isPlain(from) ? undefined : quantAt(state, balance, from).receivedAt;
  return [changeOf(balance, from, -quantity), { ...changeOf(balance, to, quantity), receivedAt }];
}

/**
 * Whether on hand and what waits, together, stay a quantity, and the value of the stock an amount of money: what is not could be stored, but
 * neither told nor read again. Together, because a fact turns what is held into what waits. Asked before anything is changed.
 */
export function staysInRange(state: StockState, changes: readonly Omit<StockChange, 'quality'>[]): boolean {
  const after = new Map<Balance, { quantity: Quantity; value: Money }>();
  for (const { balance, delta, unitCost, parts } of changes) {
    const book = state.costOf(balance);
    const sum = after.get(balance) ?? { quantity: balance.onHand + balance.backordered, value: book.value };
    const known = parts === undefined || parts.length === 0 ? null : sumQuantities(parts, (part) => part.value);
    const added = known ?? (unitCost === undefined || unitCost === null ? book.worth(delta) : valueOf(unitCost, delta));
    const value = sum.value + (delta < ZERO ? ZERO : added);
    after.set(balance, { quantity: sum.quantity + delta, value });
  }
  return [...after.values()].every(({ quantity, value }) => isQuantity(quantity) && isMoney(value));
}

/** Why not. */
export function outOfRange(what = 'an item'): HoldfastError {
  return rejected('STOCK_VALIDATION', `with it 10^12 or more of ${what} would be on hand, or it would be worth 10^18 or more`);
}

/**
 * Makes sure that the layers which goods come from are at hand, before anything is changed.
 *
 * @throws NeedsMore when they are not.
 */
export function requireCosts(state: StockState, changes: readonly Pick<StockChange, 'balance' | 'delta'>[]): void {
  const issued = new Map<Balance, Quantity>();
  for (const { balance, delta } of changes) if (delta < ZERO) issued.set(balance, (issued.get(balance) ?? ZERO) - delta);
  for (const [balance, quantity] of issued) {
    if (!state.costOf(balance).needsMoreFor(quantity)) continue;
    const layersPerBalanceMax = Math.max(LAYERS_PER_BALANCE, state.layersRead) * 10;
    throw new NeedsMore({ balances: [balanceKey(balance.orgId, balance.warehouseId, balance.itemId)], layersPerBalanceMax });
  }
}

/** How many cost layers are read of a balance that goods leave, unless the decision asks for more. */
export const LAYERS_PER_BALANCE = 50;

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

/** What a change cost. */
export interface Posted {
  /** What it added to the value of the stock; null for what only moves inside a balance or changes its quality. */
  readonly valueDelta: Money | null;
  /** The layers that it came from, or went into. */
  readonly parts: readonly CostPart[];
}

/** A repeat in the same batch is recognised like any other. */
function record(state: StockState, movement: MovementHead): void {
  state.newMovements.push(movement);
  const { orgId, movementType, refId } = movement;
  if (refId !== null) state.movements.set(movementKey(orgId, movementType, refId), movement);
}

/** What a movement without goods adds to the value of a balance. */
export interface Revaluation {
  readonly balance: Balance;
  readonly lot: string;
  /** What one costs from now on; null = not said. */
  readonly unitCost: Money | null;
  readonly valueDelta: Money;
}

/** Posts a movement of value alone; the layers have it already. */
export function postRevaluation(state: StockState, movement: MovementHead, revaluations: readonly Revaluation[]): void {
  record(state, movement);
  for (const { balance, lot, unitCost, valueDelta } of revaluations) {
    balance.lastEntryNo++;
    state.touchBalance(balance);
    state.ledger.push({
      orgId: balance.orgId,
      warehouseId: balance.warehouseId,
      itemId: balance.itemId,
      entryNo: balance.lastEntryNo,
      movement,
      lot,
      location: DEFAULT_LOCATION,
      quality: 'available',
      quantityDelta: ZERO,
      balanceAfter: balance.onHand,
      unitCost,
      valueDelta,
      flagged: false,
      discrepancyId: null,
      producedAt: null,
      expiresAt: null,
    });
  }
}

/** What neither comes nor goes has no cost. */
const INSIDE: ReadonlySet<string> = new Set(['quality_change', 'bin_move']);

/**
 * Posts a movement: changes on hand and blocked of each balance and its cost layers, and writes one ledger entry per (item, warehouse, lot,
 * bin, quality), numbered without gaps. The only place where on hand changes. Tells when an item crosses its low-stock threshold.
 *
 * @returns what each change cost, in their order.
 */
export function postMovement(state: StockState, movement: MovementHead, changes: readonly StockChange[], meta: CommandMeta): Posted[] {
  record(state, movement);
  const wasLow = new Map<Balance, boolean>();
  const differences = new Map<Balance, Money>();
  const posted = changes.map((change) => (INSIDE.has(movement.movementType) ? NO_COST : postCost(state, movement, change, differences)));
  for (const [change, valueDelta] of mergeChanges(changes, posted)) {
    const { balance, quality, delta } = change;
    if (!wasLow.has(balance)) wasLow.set(balance, isLow(state, balance));
    balance.onHand += delta;
    if (quality !== 'available') balance.blocked += delta;
    const place = { lot: change.lot ?? NO_LOT, location: change.location ?? DEFAULT_LOCATION, quality };
    const lot = state.lots.get(lotNameKey(balance.orgId, balance.itemId, place.lot));
    changeQuantity(state, balance, place, delta, lot?.expiresAt ?? null, change.receivedAt);
    if (lot !== undefined && balance.tracking === 'serial') lot.isStocked = delta > ZERO;
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
      ...place,
      quantityDelta: delta,
      balanceAfter: balance.onHand,
      unitCost:
        change.unitCost ?? (valueDelta === null || delta === ZERO ? null : tellable(unitCostOf(absolute(valueDelta), absolute(delta)))),
      valueDelta,
      flagged: change.flagged ?? false,
      discrepancyId: change.discrepancyId ?? null,
      producedAt: change.producedAt ?? null,
      expiresAt: change.expiresAt ?? null,
    });
  }
  for (const [balance, was] of wasLow) {
    if (balance.onHand >= balance.blocked) balance.mayBeNegative = false;
    tellCrossing(state, balance, was, meta);
  }
  postDifferences(state, movement, differences);
  return posted;
}

const NO_COST: Posted = { valueDelta: null, parts: [] };
const tellable = (unitCost: Money) => (isQuantity(unitCost) ? unitCost : null);

/** What leaves costs what its layers cost; what comes in what is said, else what the rest costs. */
function postCost(
  state: StockState,
  movement: MovementHead,
  { balance, delta, unitCost, parts }: StockChange,
  differences: Map<Balance, Money>,
): Posted {
  const book = state.costOf(balance);
  const receive = (part: CostPart, each?: Money) => {
    const difference = book.receive(part, each);
    if (difference !== ZERO) differences.set(balance, (differences.get(balance) ?? ZERO) + difference);
  };
  if (delta < ZERO) {
    const issued = book.issue(-delta, balance.mayBeNegative);
    return { valueDelta: -sumQuantities(issued, (part) => part.value), parts: issued };
  }
  if (parts !== undefined && parts.length > 0) {
    // An average knows no other time than that at which it begins anew.
    const isAverage = balance.costing === 'average';
    for (const part of parts) receive({ ...part, receivedAt: isAverage ? state.now : cameAt(part, state.now) });
    return { valueDelta: sumQuantities(parts, (part) => part.value), parts };
  }
  const known = unitCost ?? undefined;
  const value = known === undefined ? book.worth(delta) : valueOf(known, delta);
  const receiptId = movement.movementType === 'receipt' ? movement.refId : null;
  const part: CostPart = { receivedAt: state.now, receiptId, quantity: delta, value };
  receive(part, known);
  return { valueDelta: value, parts: [part] };
}

/** What had left before it came, at what was paid before, cost something else: that is told by entries of its own. */
function postDifferences(state: StockState, movement: MovementHead, differences: ReadonlyMap<Balance, Money>): void {
  const revaluations = [...differences]
    .filter(([, valueDelta]) => valueDelta !== ZERO)
    .map(([balance, valueDelta]) => ({ balance, lot: NO_LOT, unitCost: null, valueDelta }));
  if (revaluations.length === 0) return;
  const reason = 'left before it came, at another cost';
  const correction = { movementId: uuidv7(), movementType: 'cost_correction', fingerprint: null, lines: [], reason };
  postRevaluation(state, { ...movement, ...correction }, revaluations);
}

/** One entry per quant, unless costs or dates tell them apart. */
function mergeChanges(changes: readonly StockChange[], posted: readonly Posted[]): [StockChange, Money | null][] {
  const merged: [StockChange, Money | null][] = [];
  changes.forEach((change, index) => {
    const { valueDelta } = posted[index]!;
    const at = merged.findIndex(
      ([other]) =>
        other.balance === change.balance &&
        (other.lot ?? NO_LOT) === (change.lot ?? NO_LOT) &&
        (other.location ?? DEFAULT_LOCATION) === (change.location ?? DEFAULT_LOCATION) &&
        other.quality === change.quality &&
        (other.unitCost ?? null) === (change.unitCost ?? null) &&
        other.flagged === change.flagged &&
        other.discrepancyId === change.discrepancyId &&
        other.producedAt === change.producedAt &&
        other.expiresAt === change.expiresAt,
    );
    const known = merged[at];
    if (known === undefined) merged.push([change, valueDelta]);
    else merged[at] = [{ ...change, delta: known[0].delta + change.delta }, valueDelta === null ? null : (known[1] ?? ZERO) + valueDelta];
  });
  return merged;
}

/** The on-hand quantity at which the balance counts as low. */
function thresholdOf(state: StockState, balance: Balance): Quantity {
  return lowStockThreshold(balance.ownReorderPoint, balance.itemReorderPoint, state.settingsOf(balance.orgId).defaultReorderPoint);
}

/** Whether the item is low there; one that was never stocked is not. */
export function isLow(state: StockState, balance: Balance): boolean {
  return balance.lastEntryNo > 0 && balance.onHand <= thresholdOf(state, balance);
}

/** Tells when a balance has become low, or is not any more, by whatever was done to it. */
export function tellCrossing(state: StockState, balance: Balance, wasLow: boolean, meta: CommandMeta): void {
  if (wasLow === isLow(state, balance)) return;
  const data = {
    itemId: balance.itemId,
    warehouseId: balance.warehouseId,
    onHand: formatQuantity(balance.onHand),
    threshold: formatQuantity(thresholdOf(state, balance)),
  };
  state.emit(wasLow ? StockReplenished : LowStockDetected, balance.orgId, balance.itemId, meta, data);
}
