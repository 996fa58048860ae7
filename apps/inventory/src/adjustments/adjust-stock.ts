import { type AdjustmentReason, contradicts, StockAdjusted } from '#libs/contracts';
import {
  formatQuantity,
  HoldfastError,
  maxQuantity,
  minQuantity,
  parseMoney,
  parseQuantity,
  type Quantity,
  rejected,
  ZERO,
} from '#libs/domain';
import { fingerprintOf } from '../fingerprint.js';
import { free, sellable } from '../availability/available-to-promise.js';
import { type AdjustStock, answered, type Outcome } from '../stock-machine/commands.js';
import { carryOutFact, planFact } from '../stock-machine/facts.js';
import { enterLots, qualityOfIncoming, refusalOfIncoming, refusalOfPlace } from '../stock-machine/lots.js';
import {
  changeOf,
  newMovement,
  outOfRange,
  postMovement,
  requireCosts,
  type StockChange,
  staysInRange,
} from '../stock-machine/post-movement.js';
import { quantAt } from '../stock-machine/balance-quants.js';
import { DEFAULT_LOCATION, NO_LOT, type QuantKey } from '../stock-machine/quants.js';
import type { Shortfall } from '../stock-machine/movement.js';
import { flagged, isLetPass, noteShortfalls, takeWhoeverHolds } from '../stock-machine/shortfalls.js';
import { answerToRepeat, balanceOrError, insufficientStock, refuse } from '../stock-machine/warehouse-work.js';
import type { Balance } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';

export interface AdjustmentAnswer {
  readonly movementId: string;
  readonly itemId: string;
  readonly warehouseId: string;
  readonly quantityDelta: string;
  readonly reasonCode?: AdjustmentReason;
  readonly balanceAfter: string;
}

/** Facts: they are never refused because stock is held. The other reasons are wishes, which need free stock. */
const FACTS: ReadonlySet<AdjustmentReason> = new Set(['damage', 'loss', 'correction', 'found']);

/**
 * Corrects the stock of an item by a difference. A fact that takes held stock away turns those holds into backorders in the same
 * transaction (docs/rules.md, "facts come first").
 */
export function adjustStock(state: StockState, { isTrial, ...command }: AdjustStock): Outcome<AdjustmentAnswer | null> {
  const print = fingerprintOf(command);
  const repeat = answerToRepeat<AdjustmentAnswer>(state, command.orgId, 'adjustment', command.commandId, print);
  if (repeat !== undefined) return repeat;
  const balance = balanceOrError(state, command);
  if (balance instanceof HoldfastError) return refuse(balance);
  const delta = parseQuantity(command.quantityDelta);
  if (delta === ZERO) return refuse(rejected('STOCK_VALIDATION', 'quantityDelta is 0: an adjustment changes stock'));
  if (contradicts(command.reasonCode, delta > ZERO)) {
    const way = delta > ZERO ? 'adds' : 'takes away';
    return refuse(rejected('STOCK_VALIDATION', `quantityDelta ${way} stock, which reasonCode ${command.reasonCode} does not`));
  }
  if (delta < ZERO && command.unitCost !== undefined) return refuse(rejected('STOCK_VALIDATION', COSTS_ITS_LAYERS));
  const line = { balance, quantity: command.quantityDelta, lot: command.lot, location: command.location };
  const misplaced = delta > ZERO ? refusalOfIncoming(state, [line]) : refusalOfPlace(state, line);
  if (misplaced !== null) return refuse(misplaced.error);
  const unitCost = command.unitCost === undefined ? null : parseMoney(command.unitCost);
  const quality = delta > ZERO ? qualityOfIncoming(state, balance, command.lot, 'available') : 'available';
  const place: QuantKey = { lot: command.lot ?? NO_LOT, location: command.location ?? DEFAULT_LOCATION, quality };
  const change = { ...changeOf(balance, place, delta), unitCost };
  if (!staysInRange(state, [change])) return refuse(outOfRange(command.itemId));
  const isFact = FACTS.has(command.reasonCode);
  const most = delta < ZERO ? mostAt(state, balance, place, isFact) : ZERO;
  const short =
    delta < ZERO && -delta > most
      ? [{ balance, quantity: -delta - maxQuantity(most, ZERO), lot: command.lot ?? null, location: place.location }]
      : [];
  const about = { refType: 'adjustment', refId: command.commandId, orderId: null };
  const changes = short.length === 0 ? [change] : takenAnyway(state, change, place, isFact, short);
  if (changes === null) {
    const noted = isFact ? [] : noteShortfalls(state, short, about, command, true).values();
    return refuse(insufficient(command, most, isFact, [...noted]));
  }
  requireCosts(state, changes);
  const fact = planFact(
    state,
    changes.map(({ lot = NO_LOT, location = DEFAULT_LOCATION, ...part }) => ({ ...part, place: { lot, location, quality: part.quality } })),
  );
  if (isTrial) return answered(null);

  // After this point it must succeed.
  if (delta > ZERO) enterLots(state, [line]);
  const marked = flagged(changes, noteShortfalls(state, short, about, command, false));
  return answered(carryOutFact(state, fact, command.reasonCode, command.meta, () => post(state, command, marked, print)));
}

const COSTS_ITS_LAYERS = 'unitCost is only for stock that is added: what leaves costs what its cost layers cost';

/** What leaves where too little is free, if the phase lets a wish pass; null when it does not. */
function takenAnyway(
  state: StockState,
  change: StockChange,
  { lot, location }: QuantKey,
  isFact: boolean,
  short: readonly Shortfall[],
): StockChange[] | null {
  const { balance, delta } = change;
  if (isFact || !isLetPass(state, short)) return null;
  const parts = takeWhoeverHolds(state, balance, { lot, location }, -delta, () => ZERO);
  return parts && parts.map(({ quant, quantity }) => changeOf(balance, quant, -quantity));
}

/** How much can be taken from a lot and bin: by a fact all that is available there, by a wish what no order holds. */
function mostAt(state: StockState, balance: Balance, place: QuantKey, isFact: boolean): Quantity {
  const { quantity, reserved } = quantAt(state, balance, place);
  return isFact ? minQuantity(quantity, sellable(balance)) : minQuantity(quantity - reserved, free(balance));
}

function insufficient(command: AdjustStock, most: bigint, isFact: boolean, discrepancyIds: readonly string[]): HoldfastError {
  const what = isFact ? 'are on hand and available' : 'are free; the rest is held for orders';
  return insufficientStock(command, -parseQuantity(command.quantityDelta), maxQuantity(most, ZERO), what, discrepancyIds);
}

function post(state: StockState, command: AdjustStock, changes: readonly StockChange[], print: string): AdjustmentAnswer {
  const { balance } = changes[0]!;
  const delta = parseQuantity(command.quantityDelta);
  const movement = newMovement(
    {
      orgId: command.orgId,
      movementType: 'adjustment',
      refType: 'adjustment',
      refId: command.commandId,
      reason: command.reason,
      fingerprint: print,
    },
    command.meta,
    state.now,
  );
  const answer = {
    movementId: movement.movementId,
    itemId: command.itemId,
    warehouseId: command.warehouseId,
    quantityDelta: formatQuantity(delta),
    reasonCode: command.reasonCode,
    balanceAfter: formatQuantity(balance.onHand + delta),
  };
  const recorded = { ...movement, lines: answer };
  postMovement(state, recorded, changes, command.meta);
  state.emit(StockAdjusted, command.orgId, command.itemId, command.meta, { ...answer, lot: command.lot ?? null, reason: command.reason });
  return answer;
}
