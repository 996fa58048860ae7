import type { RefusalReason } from '#libs/contracts';
import { absolute, conflict, type HoldfastError, notFound, parseQuantity, rejected } from '#libs/domain';
import { DEFAULT_LOCATION, NO_LOT, type Quality } from './quants.js';
import { type Balance, type Lot, lotNameKey } from './balance.js';
import type { StockState } from './stock-state.js';

/** Goods on their way into a place. */
export interface Incoming {
  readonly balance: Balance;
  readonly quantity: string;
  readonly lot?: string | undefined;
  readonly location?: string | undefined;
  readonly producedAt?: string | undefined;
  readonly expiresAt?: string | undefined;
}

/** Why goods cannot be put or taken where a command says: for the event that answers it, and for the caller. */
export interface PlaceRefusal {
  readonly reason: RefusalReason;
  readonly itemId: string;
  readonly error: HoldfastError;
}

const PIECE = parseQuantity('1');

/** Whether a line names a bin that exists, and a lot exactly when the item is tracked by lots; null when it does. */
export function refusalOfPlace(
  state: StockState,
  { balance, quantity, lot, location = DEFAULT_LOCATION }: Pick<Incoming, 'balance' | 'quantity' | 'lot' | 'location'>,
): PlaceRefusal | null {
  const { orgId, warehouseId, itemId, tracking } = balance;
  if (!state.hasLocation(orgId, warehouseId, location)) {
    const error = notFound('LOCATION_NOT_FOUND', `location ${location} does not exist in ${warehouseId}; create it first`);
    return { reason: 'INVALID_STATE', itemId, error };
  }
  const invalid = (message: string, reason: RefusalReason = 'INVALID_STATE'): PlaceRefusal => ({
    reason,
    itemId,
    error: rejected('STOCK_VALIDATION', message),
  });
  if (tracking === 'none' && lot !== undefined) {
    return invalid(`item ${itemId} is not tracked by lot; leave the lot out`, 'LOT_NOT_FOUND');
  }
  if (tracking === 'lot' && lot === undefined) return invalid(`item ${itemId} is tracked by lot; say which`, 'LOT_NOT_FOUND');
  if (tracking === 'serial' && lot === undefined) {
    return invalid(`item ${itemId} is tracked by serial number; say in lot which piece it is`, 'LOT_NOT_FOUND');
  }
  if (tracking === 'serial' && absolute(parseQuantity(quantity)) !== PIECE) {
    return invalid(`${lot} of item ${itemId} is one piece, so its quantity is 1; give every piece a line of its own`);
  }
  return null;
}

/**
 * Whether goods can be put where their lines say: the bin exists, a lot is named exactly when the item is tracked, dates only with a lot, and
 * they are those it is known by and in their order, and a serial number is nowhere else. Null when they can.
 */
export function refusalOfIncoming(state: StockState, lines: readonly Incoming[]): PlaceRefusal | null {
  const said = new Map<string, Lot>();
  for (const line of lines) {
    const refusal = refusalOfPlace(state, line);
    if (refusal !== null) return refusal;
    const { orgId, itemId, tracking } = line.balance;
    if (line.lot === undefined) {
      const [date] = datesOf(line);
      if (date === undefined) continue;
      const error = rejected('STOCK_VALIDATION', `item ${itemId} is not tracked by lot, and only lots have dates; leave ${date} out`);
      return { reason: 'INVALID_STATE', itemId, error };
    }
    const key = lotNameKey(orgId, itemId, line.lot);
    const known = said.get(key) ?? state.lots.get(key);
    if (tracking === 'serial' && (known?.isStocked === true || said.has(key))) {
      const error = conflict('SERIAL_EXISTS', `${line.lot} of item ${itemId} is in stock already: a serial number exists once`);
      return { reason: 'ALREADY_EXISTS', itemId, error };
    }
    const differs = known !== undefined && (isOther(line.producedAt, known.producedAt) || isOther(line.expiresAt, known.expiresAt));
    if (differs) {
      const { producedAt, expiresAt } = known;
      const dates = `produced ${producedAt?.toISOString() ?? 'unknown'}, expires ${expiresAt?.toISOString() ?? 'never'}`;
      const error = rejected('STOCK_VALIDATION', `lot ${line.lot} of item ${itemId} is known by other dates: ${dates}`);
      return { reason: 'INVALID_STATE', itemId, error };
    }
    const lot = known ?? newLot(line);
    if (isOverBeforeItBegins(lot)) {
      const dates = `produced ${lot.producedAt!.toISOString()}, expires ${lot.expiresAt!.toISOString()}`;
      const error = rejected('STOCK_VALIDATION', `lot ${lot.lot} of item ${itemId} would expire before it was produced: ${dates}`);
      return { reason: 'INVALID_STATE', itemId, error };
    }
    said.set(key, lot);
  }
  return null;
}

/** Which dates of its lot a line says. */
export const datesOf = (line: Pick<Incoming, 'producedAt' | 'expiresAt'>) =>
  (['producedAt', 'expiresAt'] as const).filter((date) => line[date] !== undefined);

/** What is not said is not in contradiction. */
const isOther = (said: string | undefined, known: Date | null) => said !== undefined && new Date(said).getTime() !== known?.getTime();

/** Whether a lot would expire before it was produced: somebody has swapped its dates, and it would never be sold, or for ever. */
export const isOverBeforeItBegins = ({ producedAt, expiresAt }: Pick<Lot, 'producedAt' | 'expiresAt'>): boolean =>
  producedAt !== null && expiresAt !== null && expiresAt < producedAt;

function newLot({ balance, lot = NO_LOT, producedAt, expiresAt }: Incoming): Lot {
  return {
    orgId: balance.orgId,
    itemId: balance.itemId,
    lot,
    producedAt: producedAt === undefined ? null : new Date(producedAt),
    expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
    recalledAt: null,
    recallReason: null,
    isStocked: false,
  };
}

/** What goods that come in, or become good again, are: nothing of a recalled lot is available (docs/rules.md, "recalls"). */
export function qualityOfIncoming(state: StockState, { orgId, itemId }: Balance, lot: string | undefined, quality: Quality): Quality {
  const known = state.lots.get(lotNameKey(orgId, itemId, lot ?? NO_LOT));
  const isRecalled = known !== undefined && known.recalledAt !== null;
  return quality === 'available' && isRecalled ? 'recalled' : quality;
}

/** Makes the lots that come for the first time. After {@link refusalOfIncoming}, before the movement is posted. */
export function enterLots(state: StockState, lines: readonly Incoming[]): void {
  for (const line of lines) {
    if (line.lot === undefined) continue;
    const key = lotNameKey(line.balance.orgId, line.balance.itemId, line.lot);
    if (state.lots.has(key)) continue;
    const lot = newLot(line);
    state.lots.set(key, lot);
    state.newLots.add(lot);
  }
}
