import { COMMAND_LINES_MAX, type CountAnswer, StockAdjusted } from '#libs/contracts';
import { formatQuantity, HoldfastError, notFound, parseQuantity, type Quantity, rejected, sumQuantities, ZERO } from '#libs/domain';
import { type Discrepancy, isOpen, isTolerated, seenAt } from '../discrepancies/discrepancy.js';
import { closeDiscrepancy, openDiscrepancy } from '../discrepancies/open-discrepancy.js';
import { fingerprintOf } from '../fingerprint.js';
import { changesOfDifference, TAKEN_FIRST } from './changes-of-difference.js';
import { answered, type CountedLine, type CountStock, type Outcome } from '../stock-machine/commands.js';
import { carryOutFact, planFact } from '../stock-machine/facts.js';
import { lotOrNull } from '../stock-machine/holds.js';
import { enterLots, refusalOfIncoming, refusalOfPlace } from '../stock-machine/lots.js';
import { newMovement, outOfRange, postMovement, requireCosts, type StockChange, staysInRange } from '../stock-machine/post-movement.js';
import { quantAt } from '../stock-machine/balance-quants.js';
import { DEFAULT_LOCATION, NO_LOT } from '../stock-machine/quants.js';
import { type Balance, balanceKey, lotNameKey, placeKey } from '../stock-machine/balance.js';
import { requireEach } from '../stock-machine/needs-more.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { answerToRepeat, balanceOrError, refuse } from '../stock-machine/warehouse-work.js';

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
  /** What is open of what was seen there: up to when it was counted, and later. */
  readonly seenBefore: readonly Discrepancy[];
  readonly seenSince: readonly Discrepancy[];
}

/**
 * Posts how much more or less was counted in bins than the ledger says was there then: the difference, so that what moves meanwhile does
 * not matter. A fact, whoever holds what is missing. What differs by more than is tolerated is not posted: it becomes a discrepancy, which
 * posts it when it is resolved (docs/rules.md, "counts").
 */
export function countStock(state: StockState, command: CountStock): Outcome<CountAnswer> {
  const print = fingerprintOf(command);
  const repeat = answerToRepeat<CountAnswer>(state, command.orgId, 'count', command.commandId, print);
  if (repeat !== undefined) return repeat;
  const counted = countedLines(state, command);
  if (counted instanceof HoldfastError) return refuse(counted);
  const checked = requireEach(counted, (line) => differenceOf(state, command, line));
  const differences: Difference[] = [];
  for (const difference of checked) {
    if (difference instanceof HoldfastError) return refuse(difference);
    // Of what nobody counted only what is missing is told.
    if (command.lines.includes(difference.line) || difference.delta !== ZERO) differences.push(difference);
  }
  if (differences.length > COMMAND_LINES_MAX) return refuse(tooMany(command.warehouseId));
  const changes: StockChange[] = [];
  for (const difference of differences) {
    if (!isPosted(state, difference)) continue;
    const change = changesOfDifference(state, difference);
    if (change instanceof HoldfastError) return refuse(change);
    changes.push(...change);
  }
  // What was found comes first: where less than nothing lies in one bin and more in another, what is missing could not leave before.
  changes.sort((one, other) => Number(one.delta < ZERO) - Number(other.delta < ZERO));
  const posted = differences.filter((difference) => isPosted(state, difference));
  const found = posted.filter(({ delta }) => delta > ZERO).map(({ balance, lot, location }) => incomingOf(balance, lot, location));
  const misplaced = refusalOfIncoming(state, found);
  if (misplaced !== null) return refuse(misplaced.error);
  if (!staysInRange(state, changes)) return refuse(outOfRange());
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
 * Whether a difference is posted at once: it is small enough that nobody has to look at it, and nobody has seen since how much lies there: that
 * differs by the same, which would be posted twice.
 */
function isPosted(state: StockState, { balance, counted, ledger, delta, seenSince }: Difference): boolean {
  if (delta !== ZERO && seenSince.length > 0) return false;
  return isTolerated({ snapshotQuantity: counted, ledgerQuantity: ledger }, state.settingsOf(balance.orgId).tolerance);
}

/** What is open of what somebody saw in a place. */
function seenAtPlace(state: StockState, { orgId, warehouseId, itemId }: Balance, lot: string, location: string): Discrepancy[] {
  return [...state.discrepancies.values()].filter(
    (known) =>
      known.orgId === orgId &&
      known.warehouseId === warehouseId &&
      known.itemId === itemId &&
      (known.lot ?? NO_LOT) === lot &&
      known.location === location &&
      isOpen(known) &&
      SEEN_THERE.has(known.source),
  );
}
const SEEN_THERE: ReadonlySet<string> = new Set(['count', 'pick_shortage', 'manual_report']);

/** When the goods were counted; what is not yet, by a clock that is ahead of ours, is now. */
function timeOf(state: StockState, { countedAt }: CountStock): Date {
  const time = countedAt === undefined ? state.now : new Date(countedAt);
  return time < state.now ? time : state.now;
}

/** Makes of a difference that is too large to be posted what somebody has to look at. */
function open(state: StockState, { balance, lot, location, counted, ledger }: Difference, command: CountStock): string {
  const { orgId, itemId } = balance;
  const { commandId, note = null, meta } = command;
  const place = { orgId, itemId, lot: lotOrNull(lot), location };
  const seen = { ledgerQuantity: ledger, snapshotQuantity: counted, source: 'count' as const, note, seenAt: timeOf(state, command) };
  return openDiscrepancy(state, balance, { ...place, ...seen, refType: 'count', refId: commandId }, meta).discrepancyId;
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
  const missed = stored.filter((place) => !counted.has(keyOf(place))).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
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
  const seen = seenAtPlace(state, balance, lot, location);
  const seenBefore = seen.filter((one) => seenAt(one) <= timeOf(state, command));
  const seenSince = seen.filter((one) => !seenBefore.includes(one));
  return { line, balance, lot, location, counted, ledger, delta: counted - ledger, seenBefore, seenSince };
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
    {
      orgId,
      movementType: 'count',
      refType: 'count',
      refId: command.commandId,
      reason: note,
      fingerprint: print,
      // The difference was there then: who counted later, and tells later still, has not found it once more.
      occurredAt: timeOf(state, command),
    },
    command.meta,
    state.now,
  );
  const opened = new Map<Difference, string>();
  for (const difference of differences) {
    // What was seen there until then is over: what counts is the count. Else the same difference would be posted twice.
    const end = { status: 'resolved', note: 'Counted again.', by: command.meta.actor ?? null } as const;
    for (const seen of difference.seenBefore) closeDiscrepancy(state, difference.balance, seen, end, command.meta);
    if (!isPosted(state, difference)) opened.set(difference, open(state, difference, command));
  }
  const answer: CountAnswer = {
    movementId: movement.movementId,
    lines: differences.map((difference) => ({
      ...(opened.has(difference) ? { discrepancyId: opened.get(difference)! } : {}),
      itemId: difference.balance.itemId,
      lot: lotOrNull(difference.lot),
      location: difference.location,
      countedQuantity: formatQuantity(difference.counted),
      ledgerQuantity: formatQuantity(difference.ledger),
      difference: formatQuantity(difference.delta),
      posted: !opened.has(difference),
    })),
  };
  const sums = new Map<Balance, Quantity>();
  const before = new Map(differences.map(({ balance }) => [balance, balance.onHand]));
  // Also when nothing differs: that it was counted is worth knowing.
  postMovement(state, { ...movement, lines: answer }, changes, command.meta);
  for (const difference of differences) {
    const { balance, lot, delta } = difference;
    if (delta === ZERO || opened.has(difference)) continue;
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
