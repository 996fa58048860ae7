import { COMMAND_LINES_MAX, type CountAnswer, StockAdjusted } from '#libs/contracts';
import {
  formatQuantity,
  HoldfastError,
  minQuantity,
  notFound,
  parseQuantity,
  type Quantity,
  rejected,
  sumQuantities,
  ZERO,
} from '#libs/domain';
import { fingerprint } from '../fingerprint.js';
import { answered, type CountedLine, type CountStock, type Outcome } from '../stock-machine/commands.js';
import { carryOutFact, gatherNeeds, planFact } from '../stock-machine/facts.js';
import { lotOrNull } from '../stock-machine/holds.js';
import { enterLots, qualityOfIncoming, refusalOfIncoming, refusalOfPlace } from '../stock-machine/lots.js';
import { changeOf, newMovement, postMovement, requireCosts, type StockChange, staysInRange } from '../stock-machine/post-movement.js';
import { NO_LOT, quantAt } from '../stock-machine/quants.js';
import {
  type Balance,
  balanceKey,
  DEFAULT_LOCATION,
  lotNameKey,
  placeKey,
  type Quality,
  type StockState,
} from '../stock-machine/stock-state.js';
import { answerToRepeat, balanceOrError, insufficientStock, refuse } from '../stock-machine/warehouse-work.js';

/** In which order what is missing is taken off: what could be sold first, so that nothing is promised that may not be there. */
const TAKEN_FIRST: readonly Quality[] = ['available', 'pending_inspection', 'quarantined', 'damaged', 'expired', 'recalled'];
/** How far the clock of who counts may be ahead of ours. */
const CLOCKS_DIFFER_MS = 5 * 60 * 1000;
const PIECE = parseQuantity('1');

/** What was counted in one place, against what the ledger says of it. */
interface Difference {
  readonly line: CountedLine;
  readonly balance: Balance;
  readonly lot: string;
  readonly location: string;
  readonly counted: Quantity;
  readonly ledger: Quantity;
  readonly delta: Quantity;
}

/**
 * Posts how much more or less was counted in bins than the ledger says was there then: the difference, so that what moves meanwhile does
 * not matter. A fact, whoever holds what is missing (docs/rules.md, "counts").
 */
export function countStock(state: StockState, command: CountStock): Outcome<CountAnswer> {
  const print = fingerprint({ ...command, meta: undefined, kind: undefined, commandId: undefined });
  const repeat = answerToRepeat<CountAnswer>(state, command.orgId, 'count', command.commandId, print);
  if (repeat !== undefined) return repeat;
  const counted = countedLines(state, command);
  if (counted instanceof HoldfastError) return refuse(counted);
  const checked = gatherNeeds(counted, (line) => differenceOf(state, command, line));
  const differences: Difference[] = [];
  for (const difference of checked) {
    if (difference instanceof HoldfastError) return refuse(difference);
    // Of what nobody counted only what is missing is told.
    if (command.lines.includes(difference.line) || difference.delta !== ZERO) differences.push(difference);
  }
  if (differences.length > COMMAND_LINES_MAX) return refuse(tooMany(command.warehouseId));
  const changes: StockChange[] = [];
  for (const difference of differences) {
    const change = changesOf(state, difference);
    if (change instanceof HoldfastError) return refuse(change);
    changes.push(...change);
  }
  const found = differences.filter(({ delta }) => delta > ZERO).map(({ balance, lot, location }) => incomingOf(balance, lot, location));
  const misplaced = refusalOfIncoming(state, found);
  if (misplaced !== null) return refuse(misplaced.error);
  if (!staysInRange(state, changes)) {
    return refuse(rejected('STOCK_VALIDATION', 'with it 10^12 or more of an item would be on hand, or it would be worth 10^18 or more'));
  }
  requireCosts(state, changes);
  const fact = planFact(
    state,
    changes.map(({ balance, lot = NO_LOT, location = DEFAULT_LOCATION, quality, delta }) => {
      return { balance, place: { lot, location, quality }, delta };
    }),
  );

  // After this point it must succeed.
  enterLots(state, found);
  return carryOutFact(state, fact, 'count', command.meta, () => answered(post(state, command, differences, changes, print)));
}

/**
 * Whether a difference is small enough to be posted without anybody looking at it. Every one is, until beyond a tolerance a discrepancy is
 * opened instead.
 */
function withinTolerance(_difference: Difference): boolean {
  return true;
}

/** What was counted; of a whole warehouse also what is there and was not, as nothing. */
function countedLines(state: StockState, command: CountStock): readonly CountedLine[] | HoldfastError {
  const { orgId, warehouseId, lines, countedAt } = command;
  if (countedAt !== undefined && new Date(countedAt).getTime() > state.now.getTime() + CLOCKS_DIFFER_MS) {
    return rejected('STOCK_VALIDATION', `countedAt is ${countedAt}, which is not yet: it says when the goods were counted`);
  }
  const keyOf = ({ itemId, lot = NO_LOT, location = DEFAULT_LOCATION }: Omit<CountedLine, 'countedQuantity'>) =>
    placeKey(balanceKey(orgId, warehouseId, itemId), { lot, location });
  const counted = new Set<string>();
  for (const line of lines) {
    if (!counted.has(keyOf(line))) counted.add(keyOf(line));
    else return rejected('STOCK_VALIDATION', `item ${line.itemId} is counted twice in the same bin; give one line with the sum`);
  }
  if (command.mode === 'cycle') return lines;
  const stored = state.storedPlaces.get(`${orgId}/${warehouseId}`);
  if (stored === null || stored === undefined) return tooMany(warehouseId);
  const missed = stored.filter((place) => !counted.has(keyOf(place)));
  return [
    ...lines,
    ...missed.map(({ itemId, lot, location }) => ({ itemId, countedQuantity: '0', ...(lot === NO_LOT ? {} : { lot }), location })),
  ];
}

function tooMany(warehouseId: string): HoldfastError {
  return rejected(
    'STOCK_VALIDATION',
    `with what was not counted, more than ${COMMAND_LINES_MAX} bins and lots of ${warehouseId} would be counted at once; count it in parts, with mode cycle`,
  );
}

function differenceOf(state: StockState, command: CountStock, line: CountedLine): Difference | HoldfastError {
  const balance = balanceOrError(state, { ...command, itemId: line.itemId });
  if (balance instanceof HoldfastError) return balance;
  const { lot = NO_LOT, location = DEFAULT_LOCATION } = line;
  const counted = parseQuantity(line.countedQuantity);
  // That a piece is not there can be counted, too.
  const quantity = counted === ZERO ? formatQuantity(PIECE) : line.countedQuantity;
  const misplaced = refusalOfPlace(state, { balance, quantity, lot: line.lot, location });
  if (misplaced !== null) return misplaced.error;
  if (lot !== NO_LOT && !state.lots.has(lotNameKey(balance.orgId, balance.itemId, lot))) {
    return notFound('LOT_NOT_FOUND', `item ${balance.itemId} has no lot ${lot}; receive it, or adjust it as found`);
  }
  const there = sumQuantities(TAKEN_FIRST, (quality) => quantAt(state, balance, { lot, location, quality }).quantity);
  const ledger = there - postedSince(state, command, balance, lot, location);
  return { line, balance, lot, location, counted, ledger, delta: counted - ledger };
}

/** What came and went in a bin since the count was made, by when it happened; of this batch, too. */
function postedSince(state: StockState, { countedAt }: CountStock, balance: Balance, lot: string, location: string): Quantity {
  if (countedAt === undefined) return ZERO;
  const key = placeKey(balanceKey(balance.orgId, balance.warehouseId, balance.itemId), { lot, location });
  const time = new Date(countedAt);
  const inBatch = state.ledger.filter(
    (entry) =>
      placeKey(balanceKey(entry.orgId, entry.warehouseId, entry.itemId), entry) === key &&
      state.now > time &&
      entry.movement.occurredAt > time,
  );
  return (state.postedSince.get(countedAt)?.get(key) ?? ZERO) + sumQuantities(inBatch, (entry) => entry.quantityDelta);
}

/** What a difference changes: more is available, unless it is of a recalled lot; less is taken off what can be sold first. */
function changesOf(state: StockState, difference: Difference): StockChange[] | HoldfastError {
  const { balance, lot, location, delta } = difference;
  if (delta === ZERO || !withinTolerance(difference)) return [];
  if (delta > ZERO) {
    return [changeOf(balance, { lot, location, quality: qualityOfIncoming(state, balance, lot, 'available') }, delta)];
  }
  const changes: StockChange[] = [];
  let missing = -delta;
  for (const quality of TAKEN_FIRST) {
    const place = { lot, location, quality };
    const part = minQuantity(missing, quantAt(state, balance, place).quantity);
    if (part > ZERO) changes.push(changeOf(balance, place, -part));
    missing -= part;
  }
  if (missing === ZERO) return changes;
  return insufficientStock(balance, -delta, -delta - missing, `are still in ${location}: what was counted cannot be right`);
}

const incomingOf = (balance: Balance, lot: string, location: string) => {
  return { balance, quantity: formatQuantity(PIECE), lot: lot === NO_LOT ? undefined : lot, location };
};

function post(
  state: StockState,
  command: CountStock,
  differences: readonly Difference[],
  changes: readonly StockChange[],
  print: string,
): CountAnswer {
  const { orgId, warehouseId, note = null } = command;
  const movement = newMovement(
    { orgId, movementType: 'count', refType: 'count', refId: command.commandId, reason: note, fingerprint: print },
    command.meta,
    state.now,
  );
  const answer: CountAnswer = {
    movementId: movement.movementId,
    lines: differences.map((difference) => ({
      itemId: difference.balance.itemId,
      lot: lotOrNull(difference.lot),
      location: difference.location,
      countedQuantity: formatQuantity(difference.counted),
      ledgerQuantity: formatQuantity(difference.ledger),
      difference: formatQuantity(difference.delta),
      posted: withinTolerance(difference),
    })),
  };
  const sums = new Map<Balance, Quantity>();
  const before = new Map(differences.map(({ balance }) => [balance, balance.onHand]));
  // Also when nothing differs: that it was counted is worth knowing.
  postMovement(state, { ...movement, lines: answer }, changes, command.meta);
  for (const { balance, lot, delta } of differences) {
    if (delta === ZERO) continue;
    sums.set(balance, (sums.get(balance) ?? ZERO) + delta);
    state.emit(StockAdjusted, orgId, balance.itemId, command.meta, {
      movementId: movement.movementId,
      itemId: balance.itemId,
      warehouseId,
      lot: lotOrNull(lot),
      quantityDelta: formatQuantity(delta),
      reason: note ?? 'counted',
      balanceAfter: formatQuantity(before.get(balance)! + sums.get(balance)!),
    });
  }
  return answer;
}
