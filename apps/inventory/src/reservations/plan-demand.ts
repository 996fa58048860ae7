import { minQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import type { SetDemand } from '../stock-machine/commands.js';
import type { SourcingStrategy } from '../stock-machine/decision-settings.js';
import { placeOf } from '../stock-machine/holds.js';
import { cutoffOf, isDetailed, quantAt } from '../stock-machine/balance-quants.js';
import { livesUntil } from '../stock-machine/quants.js';
import { type Balance, balanceKey } from '../stock-machine/balance.js';
import { type Demand, type DemandLine, heldQuantity, type Refusal, type Reservation } from '../stock-machine/demand.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { Offer, type OfferLimit, type Take, type WantedLine } from './offer.js';
import { type Cause, consentTo, isPending, refusalOf, type Shortage } from './shortage.js';

/** What will be done for one line if the command is accepted. */
export interface LinePlan {
  readonly wanted: WantedLine;
  /** With the lots and bins, where it matters. */
  readonly take: readonly Take[];
  readonly wait: { balance: Balance; quantity: Quantity } | null;
  readonly closed: Quantity;
  /** What waits for an approval. */
  readonly unheld: Quantity;
}

/** A line while it is planned. */
interface Draft extends Omit<LinePlan, 'wait' | 'unheld' | 'take'> {
  readonly take: Take[];
  /** Where it may be held, in turn. */
  readonly candidates: readonly Balance[];
  /** What is to be held in addition, and cannot be promised. */
  readonly missing: Quantity;
  /** What is held softly, and cannot be confirmed. */
  readonly locked: Quantity;
  /** What of it waits already: that was accepted before. */
  readonly waited: Quantity;
}

/** What will be done for an order if the command is accepted. */
export interface Plan {
  readonly lines: readonly LinePlan[];
  /** What of the existing holds stays. */
  readonly kept: ReadonlyMap<Reservation, Quantity>;
  /** The lines that get less than they want, though they may not wait, or more than was promised. */
  readonly shortages: readonly Shortage[];
  /** What would have refused them. */
  readonly cause: Cause;
}

/**
 * Plans every line, all together: several lines with the same item are counted together. Lines that take only certain lots choose first,
 * because the others can do with what is left. Changes nothing but the record of what was wanted in vain.
 */
export function planLines(
  state: StockState,
  demand: Demand,
  command: SetDemand,
  wanted: readonly WantedLine[],
  mode: 'all_or_nothing' | 'partial',
): Plan | Refusal {
  const kept = keptHolds(state, demand, wanted);
  const offer = new Offer(state, demand, kept);
  const { sourcingStrategy } = state.settingsOf(demand.orgId);
  const isConfirmed = command.firm === true && demand.state === 'open' && !demand.firm;
  const inTurn = inTurnOfChoice(wanted);
  const drafts = inTurn.map((line): Draft => {
    const keeps = kept.size === 0 ? NO_HOLDS : demand.reservations.filter((held) => held.lineNo === line.lineNo && kept.has(held));
    const known = demand.lines.find((candidate) => candidate.lineNo === line.lineNo && candidate.itemId === line.itemId);
    const closed = minQuantity(known?.closed ?? ZERO, line.requested - (known?.fulfilled ?? ZERO));
    const extra = line.requested - (known?.fulfilled ?? ZERO) - closed - sumQuantities(keeps, (held) => kept.get(held)!);
    const stays = isConfirmed ? sumQuantities(keeps, (held) => (isLocked(balanceAt(state, demand, held)) ? kept.get(held)! : ZERO)) : ZERO;
    if (extra === ZERO && stays === ZERO) {
      return { wanted: line, take: [], closed, candidates: [], missing: ZERO, locked: stays, waited: ZERO };
    }
    const candidates = candidateBalances(state, demand, line, keeps);
    const take = takeFrom(offer, candidates, line, extra, 'promise', sourcingStrategy);
    // What another line of the order gives back there is no more certain for being held by this one.
    const locked = stays + (isConfirmed ? sumQuantities(take, ({ balance, quantity }) => (isLocked(balance) ? quantity : ZERO)) : ZERO);
    const missing = extra - sumQuantities(take, (part) => part.quantity);
    const waited = demand.state === 'open' ? (known?.backordered ?? ZERO) : ZERO;
    return { wanted: line, take, closed, candidates, missing, locked, waited };
  });
  const isShort = ({ missing, locked, waited }: Draft) =>
    locked > ZERO || missing > (mode === 'partial' && !isPending(command) ? missing : waited);
  const short = drafts.filter(isShort).sort((a, b) => a.wanted.lineNo - b.wanted.lineNo);
  const placeOfDraft = ({ wanted: line, take, candidates }: Draft) =>
    waitingPlace(state, demand, line) ?? take[0]?.balance ?? candidates[0]!;
  const shortageOf = (draft: Draft): Shortage => {
    const { wanted: line, missing, locked, candidates } = draft;
    const there = sumQuantities(draft.take, (part) => part.quantity);
    return { line, there, missing, locked, places: [...new Set([placeOfDraft(draft), ...candidates])] };
  };
  const shortages = short.map(shortageOf);
  const consent = short.length === 0 ? 'waits' : consentTo(state, command, shortages);
  const causeIn = (tried: Offer): Cause => {
    const isDoubtOnly = short.every(({ wanted: line, candidates, missing }) => {
      const isDoubted = candidates.some(({ doubts }) => doubts > 0);
      if (!isDoubted) return false;
      const more = takeFrom(tried, candidates, line, missing, 'despite doubts', sourcingStrategy);
      return sumQuantities(more, (part) => part.quantity) === missing;
    });
    return isDoubtOnly ? 'DISCREPANCY_LOCK' : 'INSUFFICIENT_STOCK';
  };
  if (consent === 'refused') return refusalOf(state, command, shortages, causeIn(offer));
  // It is held all the same: what is tried out here must not be missing there.
  const cause = short.length === 0 ? 'INSUFFICIENT_STOCK' : causeIn(offerAfter(new Offer(state, demand, kept), drafts));
  const beyond: Draft[] = [];
  const lines = drafts.map((draft): LinePlan => {
    const { wanted: line, closed, candidates, take, waited } = draft;
    let { missing } = draft;
    const isOfShort = short.length > 0 && short.includes(draft);
    if (isOfShort && consent === 'waits') {
      const more = takeFrom(offer, candidates, line, missing, 'free', sourcingStrategy);
      missing -= sumQuantities(more, (part) => part.quantity);
      take.push(...more);
    }
    const unheld = isOfShort && consent === 'unheld' ? missing - minQuantity(missing, waited) : ZERO;
    if (missing === unheld) return { wanted: line, take, wait: null, closed, unheld };
    const wait = { balance: placeOfDraft(draft), quantity: missing - unheld };
    if (!offer.wait(wait.balance, wait.quantity)) beyond.push(draft);
    return { wanted: line, take, wait, closed, unheld };
  });
  // More waits than can be told.
  if (beyond.length > 0) return refusalOf(state, command, beyond.map(shortageOf), 'INSUFFICIENT_STOCK');
  if (inTurn !== wanted) lines.sort((one, other) => one.wanted.lineNo - other.wanted.lineNo);
  return { lines, kept, shortages, cause };
}

/** What is left when others have taken the same. */
function offerAfter(offer: Offer, drafts: readonly Draft[]): Offer {
  for (const { wanted: line, take } of drafts) for (const { balance, quantity } of take) offer.take(balance, line, quantity);
  return offer;
}

/** Takes of a quantity what the candidates offer. */
function takeFrom(
  offer: Offer,
  candidates: readonly Balance[],
  line: WantedLine,
  quantity: Quantity,
  limit: OfferLimit,
  strategy: SourcingStrategy,
): Take[] {
  if (quantity === ZERO) return [];
  const sources = chooseSources(candidates, (balance) => offer.of(balance, line, limit), quantity, strategy);
  return sources.map((source) => offer.take(source.balance, line, source.quantity));
}

/** Where a soft hold cannot be confirmed: where everything is in doubt (docs/rules.md, "discrepancies"). */
const isLocked = ({ doubts, lockPolicy }: Balance) => doubts > 0 && lockPolicy === 'hard';

/** First the lines that name a lot, then those whose lots must live longest. */
function inTurnOfChoice(lines: readonly WantedLine[]): readonly WantedLine[] {
  if (lines.every((line) => line.lot === null && line.minRemainingShelfLifeDays === null)) return lines;
  const needs = (line: WantedLine) => (line.lot === null ? (line.minRemainingShelfLifeDays ?? 0) : Infinity);
  return lines.toSorted((a, b) => (needs(a) === needs(b) ? a.lineNo - b.lineNo : needs(b) - needs(a)));
}

/**
 * From which balances a quantity is taken: from the first that covers it alone, unless what has most goes first; else from several, each as
 * far as it offers.
 */
function chooseSources(
  candidates: readonly Balance[],
  offerOf: (balance: Balance) => Quantity,
  quantity: Quantity,
  strategy: SourcingStrategy,
): { balance: Balance; quantity: Quantity }[] {
  const [only] = candidates;
  if (candidates.length === 1) {
    const part = minQuantity(quantity, offerOf(only!));
    return part > ZERO ? [{ balance: only!, quantity: part }] : [];
  }
  const covering = strategy === 'most_stock' ? undefined : candidates.find((balance) => offerOf(balance) >= quantity);
  if (covering !== undefined) return [{ balance: covering, quantity }];
  const inTurn =
    strategy === 'priority' ? candidates : candidates.toSorted((a, b) => (offerOf(a) > offerOf(b) ? -1 : offerOf(a) < offerOf(b) ? 1 : 0));
  const taken: { balance: Balance; quantity: Quantity }[] = [];
  let open = quantity;
  for (const balance of inTurn) {
    const part = minQuantity(open, offerOf(balance));
    if (part <= ZERO) continue;
    taken.push({ balance, quantity: part });
    open -= part;
    if (open === ZERO) break;
  }
  return taken;
}

const NO_HOLDS: readonly Reservation[] = [];
const NOTHING_KEPT: ReadonlyMap<Reservation, Quantity> = new Map();

/**
 * What of the order's holds stays: of each line as much as is still wanted, in the warehouse and of the lot that is wanted, the oldest first.
 * What has expired does not, nor what lives too short for a line that asks for more than it did.
 */
function keptHolds(state: StockState, demand: Demand, wanted: readonly WantedLine[]): ReadonlyMap<Reservation, Quantity> {
  if (demand.reservations.length === 0) return NOTHING_KEPT;
  const kept = new Map<Reservation, Quantity>();
  for (const line of wanted) {
    const known = demand.lines.find((candidate) => candidate.lineNo === line.lineNo && candidate.itemId === line.itemId);
    if (known === undefined) continue;
    const closed = minQuantity(known.closed, line.requested - known.fulfilled);
    let open = line.requested - known.fulfilled - closed;
    for (const reservation of demand.reservations) {
      if (reservation.lineNo !== line.lineNo || reservation.itemId !== line.itemId) continue;
      if (line.warehouseId !== null && reservation.warehouseId !== line.warehouseId) continue;
      if (line.lot !== null && reservation.lot !== line.lot) continue;
      if (!staysFit(state, demand, line, known, reservation)) continue;
      const quantity = minQuantity(open, heldQuantity(reservation));
      if (quantity <= ZERO) continue;
      kept.set(reservation, quantity);
      open -= quantity;
    }
  }
  return kept;
}

const balanceAt = (state: StockState, { orgId }: Demand, { warehouseId, itemId }: Reservation) =>
  state.existingBalance(orgId, warehouseId, itemId);

function staysFit(state: StockState, demand: Demand, line: WantedLine, known: DemandLine, held: Reservation): boolean {
  const balance = balanceAt(state, demand, held);
  if (!isDetailed(balance)) return true;
  const quant = quantAt(state, balance, placeOf(held));
  const asked = cutoffOf(state, balance, line);
  return livesUntil(quant, asked > cutoffOf(state, balance, known) ? asked : state.now);
}

/** Where a line may be held: where it asks for; else where it is held already, then by the priority of the warehouses. */
function candidateBalances(state: StockState, demand: Demand, line: WantedLine, keeps: readonly Reservation[]): Balance[] {
  if (line.warehouseId !== null) return [state.balance(demand.orgId, line.warehouseId, line.itemId)!];
  const first = keeps.map((held) => held.warehouseId);
  const rest = state.warehousesOf(demand.orgId).map((warehouse) => warehouse.warehouseId);
  const candidates: Balance[] = [];
  for (const warehouseId of new Set([...first, ...rest])) {
    const key = balanceKey(demand.orgId, warehouseId, line.itemId);
    const balance = state.balances.get(key);
    if (balance !== undefined) candidates.push(balance);
  }
  // Nothing was ever stored anywhere: the line is short, or waits, in the first warehouse.
  if (candidates.length === 0) candidates.push(state.balance(demand.orgId, rest[0]!, line.itemId)!);
  return candidates;
}

/** A line that already waits keeps its place. */
function waitingPlace(state: StockState, demand: Demand, line: WantedLine): Balance | undefined {
  const waiting = demand.backorders.find(
    (b) => b.lineNo === line.lineNo && b.itemId === line.itemId && (line.warehouseId ?? b.warehouseId) === b.warehouseId,
  );
  return waiting === undefined ? undefined : state.existingBalance(demand.orgId, waiting.warehouseId, waiting.itemId);
}
