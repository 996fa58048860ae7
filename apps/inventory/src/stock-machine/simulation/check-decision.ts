import type { BackorderFilled, EventOf, PickAnswer, PickShortage } from '#libs/contracts';
import { maxQuantity, minQuantity, parseQuantity, percentOf, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import type { ConfirmPick, Outcome, SetDemand, StockCommand } from '../commands.js';
import { isOutdated } from '../message-order.js';
import { isDetailed } from '../balance-quants.js';
import { NO_LOT, quantKey } from '../quants.js';
import { type Balance, balanceKey, subjectKey } from '../balance.js';
import { type Backorder, type Demand, heldQuantity, type Reservation } from '../demand.js';
import { NeedsMore } from '../needs-more.js';
import type { StockState } from '../stock-state.js';
import { type Act, actOf } from './acts.js';
import { PlacesCheck } from './check-places.js';
import { ensure, type Owned, Overlay } from './check-rows.js';
import type { MemoryStock } from './memory-stock.js';

// What a single decision may do, said a second time and in another way than the decisions say it: from the state before and after.

interface Terms {
  readonly onHand: Quantity;
  readonly blocked: Quantity;
  readonly reserved: Quantity;
  readonly backordered: Quantity;
  /** What is kept from being promised: as safety stock, and because it is in doubt. */
  readonly safety: Quantity;
  readonly doubt: Quantity;
}

interface HeldBefore {
  readonly owner: string;
  readonly lineNo: number;
  readonly key: string;
  readonly held: Quantity;
}

interface Before {
  readonly revision: number;
  readonly events: number;
  readonly ledger: number;
  readonly attempts: number;
  readonly terms: ReadonlyMap<string, Terms>;
  readonly holds: readonly HeldBefore[];
  /** Of the command's own order. */
  readonly own: Demand | undefined;
  /** Everything held on the balance that a fact may take from. */
  readonly shortable: readonly Ranked[];
  readonly movements: number;
  /** How much came of what was announced. */
  readonly expected: ReadonlyMap<string, Quantity>;
  readonly unserved: ReadonlySet<string>;
  readonly waitedForInVain: ReadonlySet<string>;
}

interface Ranked {
  readonly reservationId: string;
  readonly held: Quantity;
  readonly firm: boolean;
  readonly priority: number;
  readonly reservedAtMs: number;
}

/** Compares the state before and after one decision. */
export class DecisionCheck {
  private readonly before: Before;
  private readonly overlay: Overlay;
  private readonly places: PlacesCheck;
  private readonly act: Act;

  constructor(
    stock: MemoryStock,
    private readonly state: StockState,
    private readonly command: StockCommand,
  ) {
    this.overlay = new Overlay(stock, state);
    this.act = actOf(command);
    this.places = new PlacesCheck(stock, state, this.act.command);
    const own = 'orderId' in this.act.command ? state.demands.get(subjectKey(command.orgId, this.act.command.orderId)) : undefined;
    const factAt = this.factAt();
    this.before = {
      revision: state.revision,
      events: state.events.length,
      ledger: state.ledger.length,
      attempts: state.attempts.length,
      terms: new Map([...state.balances].map(([key, balance]) => [key, termsOf(balance)])),
      holds: holdsOf(state),
      own: own && copyOf(own),
      shortable: factAt === null ? [] : this.rankedAt(factAt),
      movements: state.newMovements.length,
      expected: new Map([...state.expectedReceipts].map(([key, { received }]) => [key, received])),
      unserved: new Set([...state.unserved].map(keyOf)),
      waitedForInVain: new Set([...state.balances].filter(([key, balance]) => this.isWaitedForInVain(key, balance)).map(([key]) => key)),
    };
  }

  /** @param isRepeat the same was decided before: then nothing may change. */
  check(outcome: Outcome | NeedsMore, isRepeat: boolean): void {
    const { state, before, command } = this;
    const name = `${command.kind} ${JSON.stringify(command.meta.messageId)}`;
    if (outcome instanceof NeedsMore || outcome.kind === 'duplicate' || outcome.kind === 'too-early') {
      const kind = outcome instanceof NeedsMore ? 'needs more' : outcome.kind;
      ensure(
        state.revision === before.revision && state.events.length === before.events,
        () => `${name} changed something, but is ${kind}`,
      );
    }
    if (isRepeat) this.checkNothingMoved(name);
    const { own } = before;
    const wasClosed = own?.state === 'closed' && state.demand(own.orgId, own.orderId).state !== 'closed';
    ensure(!wasClosed, () => `${name} brings a cancelled order back`);
    this.checkOthersHolds(name);
    this.checkShortfalls(name);
    this.places.check(name, state.newMovements.length > before.movements);
    this.checkExpected(name);
    const factAt = this.factAt();
    if (factAt !== null) this.checkShorting(name, factAt);
    if (command.kind === 'unship') this.checkReturned(name);
    if (command.kind === 'confirm-pick' && !(outcome instanceof NeedsMore) && outcome.kind === 'answer')
      this.checkPicked(name, command, outcome.answer as PickAnswer);
    if (command.kind === 'set-demand' && !(outcome instanceof NeedsMore) && outcome.kind === 'answer')
      this.checkDemand(name, command, outcome);
    this.checkFills(name);
    this.checkNobodyWaitsForFreeStock(name);
  }

  /** I6: what was done before is not done again. */
  private checkNothingMoved(name: string): void {
    ensure(this.state.ledger.length === this.before.ledger, () => `I6: the repeat ${name} moved stock`);
    for (const [key, was] of this.before.terms) {
      const now = termsOf(this.state.balances.get(key)!);
      const isSame =
        now.onHand === was.onHand && now.reserved === was.reserved && now.backordered === was.backordered && now.blocked === was.blocked;
      ensure(isSame, () => `I6: the repeat ${name} changed ${key}`);
    }
  }

  /** Only the order itself gives up its hold, and a fact that leaves too little. */
  private checkOthersHolds(name: string): void {
    const { command, override } = this.act;
    const isFact = FACTS.has(command.kind) || (command.kind === 'close-discrepancy' && command.adjust);
    if (override === null && (isFact || this.mayTakeFromOthers())) return;
    const own = 'orderId' in command ? subjectKey(command.orgId, command.orderId) : '';
    const now = holdsOf(this.state);
    for (const held of this.before.holds) {
      if (held.owner === own) continue;
      const before = sumQuantities(this.before.holds, (one) => (isSameHold(one, held) ? one.held : ZERO));
      const after = sumQuantities(now, (one) => (isSameHold(one, held) ? one.held : ZERO));
      ensure(after >= before, () => `${name} took from the hold of ${held.owner} at ${held.key}`);
    }
  }

  /** What is short is let pass, up to a limit. */
  private mayTakeFromOthers(): boolean {
    const { kind, orgId } = this.command;
    return (kind === 'ship' || kind === 'transfer-stock') && this.state.settingsOf(orgId).enforcementPhase !== 'hard';
  }

  /** What leaves beyond the order's own and what is free is within what the phase lets pass, and on record. */
  private checkShortfalls(name: string): void {
    const { state } = this;
    const { command, override } = this.act;
    const isWish = command.kind === 'adjust-stock' && (command.reasonCode === 'sample' || command.reasonCode === 'internal_use');
    if (command.kind !== 'ship' && command.kind !== 'transfer-stock' && !isWish) return;
    const { enforcementPhase, softBlockPercent } = state.settingsOf(command.orgId);
    // What was approved is counted before it leaves.
    const limit = override === null ? { dark: null, soft: softBlockPercent, hard: ZERO }[enforcementPhase] : ZERO;
    for (const [key, was] of this.before.terms) {
      const left = was.onHand - state.balances.get(key)!.onHand;
      const free = maxQuantity(was.onHand - was.blocked - was.reserved, ZERO);
      const beyond = left - free - heldAt(this.before.own, key);
      if (beyond <= ZERO) continue;
      const allowed = limit === null ? beyond : percentOf(maxQuantity(was.onHand, ZERO), limit);
      ensure(beyond <= allowed, () => `${name} took ${beyond} beyond what is free at ${key}, of ${was.onHand}`);
      const entry = state.ledger.slice(this.before.ledger).find((one) => keyOf(one) === key && one.flagged && one.discrepancyId !== null);
      const noted = [...state.newDiscrepancies].find(({ discrepancyId }) => discrepancyId === entry?.discrepancyId);
      ensure(noted?.severity === 'medium', () => `${name} took ${beyond} beyond what is free at ${key}, and that is not on record`);
    }
  }

  /** Facts come first: exactly what is missing is taken; soft before firm, lowest priority, newest first. */
  private checkShorting(name: string, key: string): void {
    const balance = this.state.balances.get(key);
    const was = this.before.terms.get(key);
    if (balance === undefined || was === undefined) return;
    const left = new Map(this.rankedAt(key).map((hold) => [hold.reservationId, hold.held]));
    const changed = this.before.shortable.map((hold) => ({ ...hold, left: left.get(hold.reservationId) ?? ZERO }));
    const taken = sumQuantities(changed, (hold) => hold.held - minQuantity(hold.left, hold.held));
    const sellable = maxQuantity(balance.onHand - balance.blocked, ZERO);
    const expected = maxQuantity(was.reserved - sellable, ZERO);
    if (isDetailed(balance)) return this.checkShortingInPlaces(name, key, expected);
    ensure(taken === expected, () => `${name} took ${taken} of held stock at ${key}, ${expected} were missing`);
    for (const loser of changed) {
      if (loser.left >= loser.held) continue;
      const spared = changed.find((other) => other.left > ZERO && isTakenBefore(other, loser));
      ensure(spared === undefined, () => `${name} took ${JSON.stringify(loser, text)} before ${JSON.stringify(spared, text)}`);
    }
  }

  /**
   * Where it matters of which lot stock is, what finds no other place is lost beyond what is missing, and may serve others then. At least
   * what is missing is taken, and nobody loses anything when nothing is missing and everything found a place.
   */
  private checkShortingInPlaces(name: string, key: string, expected: Quantity): void {
    const now = holdsOf(this.state);
    const lost = this.before.holds.filter((held) => held.key === key);
    const left = (one: HeldBefore) => lost.some((held) => isSameHold(held, one));
    const taken = sumQuantities(lost, ({ held }) => held) - sumQuantities(now, (one) => (left(one) ? one.held : ZERO));
    const filled = sumQuantities(this.filled(), (fill) => (fill.key === key ? fill.quantity : ZERO));
    ensure(taken + filled >= expected, () => `${name} took ${taken} of held stock at ${key}, ${expected} were missing`);
    const told = this.state.events.slice(this.before.events).some((event) => event.type === 'ReservationShorted');
    ensure(told || taken <= ZERO, () => `${name} took ${taken} of held stock at ${key} and told nobody`);
  }

  /** What was returned cannot be taken back as not shipped. */
  private checkReturned(name: string): void {
    const { own } = this.before;
    for (const line of own === undefined ? [] : this.state.demand(own.orgId, own.orderId).lines) {
      const was = own!.lines.find((candidate) => candidate.lineNo === line.lineNo);
      const wasFine = was !== undefined && was.returned <= was.fulfilled;
      ensure(!wasFine || line.returned <= line.fulfilled, () => `${name} takes back what was returned of line ${line.lineNo}`);
    }
  }

  /** What was picked is held where it was, unless it has left; what was not is released, and what the order wants stays as it was. */
  private checkPicked(name: string, { orgId, orderId, lines }: ConfirmPick, { status }: PickAnswer): void {
    const demand = this.state.demand(orgId, orderId);
    const { own } = this.before;
    for (const line of demand.lines) {
      const was = own?.lines.find(({ lineNo }) => lineNo === line.lineNo);
      const isKept = was !== undefined && was.reserved + was.backordered === line.reserved + line.backordered;
      ensure(isKept, () => `${name} changes what order ${orderId} holds and waits for on line ${line.lineNo} together`);
      const isSame = status === 'done' || (was.reserved === line.reserved && was.backordered === line.backordered);
      ensure(isSame, () => `${name} was refused, and line ${line.lineNo} holds something else`);
    }
    if (status !== 'done' || !this.isNews()) return;
    for (const { lineNo, lots = [] } of lines ?? []) {
      const held = demand.reservations.filter((row) => row.lineNo === lineNo);
      // From which bin goods left is what the shipment says; a pick that comes after it may name another.
      const shipped = this.overlay.shipmentsOf(demand).flatMap((shipment) => shipment.lines.filter((line) => line.lineNo === lineNo));
      for (const { lot = NO_LOT, location } of lots) {
        const isThere = (place: { lot?: string; location?: string }) =>
          (place.lot ?? NO_LOT) === lot && (location === undefined || place.location === location);
        const said = sumQuantities(lots.filter(isThere), ({ quantity }) => parseQuantity(quantity));
        const left = sumQuantities(shipped, (place) => (place.lot === lot ? place.quantity : ZERO));
        const there = sumQuantities(held, (row) => (isThere(row) ? heldQuantity(row) : ZERO));
        ensure(
          there + left >= said,
          () => `${name} says that ${said} of line ${lineNo} were picked in ${lot}/${location}, ${there} are held there, ${left} left`,
        );
      }
    }
  }

  /** Whether the command was heard for the first time, and nothing later of its order: else it changes nothing. */
  private isNews(): boolean {
    const { meta } = this.command;
    const { own } = this.before;
    return own !== undefined && !isOutdated(own, meta);
  }

  /** What came of what was announced is what the receipt names, once. */
  private checkExpected(name: string): void {
    const { command, state, before } = this;
    const lines = command.kind === 'receive-goods' && state.newMovements.length > before.movements ? command.lines : [];
    for (const [key, { received, quantity, status }] of state.expectedReceipts) {
      const came = sumQuantities(lines, (line) =>
        subjectKey(command.orgId, line.expectedReceiptId ?? '') === key ? parseQuantity(line.quantity) : ZERO,
      );
      const expected = (before.expected.get(key) ?? ZERO) + came;
      ensure(received === expected, () => `${name} counts ${received} as come of ${key}, ${expected} have`);
      ensure(
        status === 'cancelled' || (status === 'open') === received < quantity,
        () => `${key} is ${status}, ${received} of ${quantity} have come`,
      );
    }
  }

  private checkDemand(name: string, command: SetDemand, outcome: Outcome & { kind: 'answer' }): void {
    const answer = outcome.answer as { status: string; reason?: string; sequence: number };
    const now = this.state.demand(command.orgId, command.orderId);
    const { own } = this.before;
    // Stock that the command itself set free may fill a backorder of the same order right after.
    const filled = this.filled().filter(({ owner }) => owner === subjectKey(now.orgId, now.orderId));
    ensure(
      answer.sequence === now.sequence - (filled.length > 0 ? 1 : 0),
      () => `${name} answers sequence ${answer.sequence} of ${now.sequence}`,
    );
    if (answer.status === 'failed') {
      for (const line of own?.reservations ?? []) {
        const after = now.reservations.find((held) => held.reservationId === line.reservationId);
        const isKept = after?.status === line.status && after.quantity >= line.quantity;
        ensure(isKept, () => `${name} was refused, and the old hold does not stand`);
      }
      this.checkRefusal(name, command, answer.reason);
      return;
    }
    this.checkLate(name, command, now);
    this.checkTotals(name, command, now);
    this.checkGains(name, command, now);
    this.checkConfirmed(name, command, now);
    if (now.mode !== 'all_or_nothing' || now.state !== 'open' || this.mayBeShort(command)) return;
    for (const line of now.lines) {
      const waited = own?.lines.find((known) => known.lineNo === line.lineNo && known.itemId === line.itemId)?.backordered ?? ZERO;
      ensure(line.backordered <= waited, () => `${name} is all or nothing, and line ${line.lineNo} newly waits`);
    }
  }

  /** What is enforced does not stop the order, or somebody approved it. */
  private mayBeShort({ orgId, source, approvedShortages }: SetDemand): boolean {
    return this.state.settingsOf(orgId).enforcementPhase === 'dark' || (source === '/orders' && approvedShortages !== undefined);
  }

  /** New demand gets what is available to promise: above the safety stock, not in doubt, behind everybody who waits. */
  private checkGains(name: string, command: SetDemand, now: Demand): void {
    const filled = this.filled().filter(({ owner }) => owner === subjectKey(now.orgId, now.orderId));
    for (const [key, was] of this.before.terms) {
      if (this.before.unserved.has(key)) continue;
      const had = heldAt(this.before.own, key);
      const byQueue = sumQuantities(filled, (fill) => (fill.key === key ? fill.quantity : ZERO));
      const gained = heldAt(now, key) - had - byQueue;
      const othersWaiting = was.backordered - waitingAt(this.before.own, key);
      const kept = this.mayBeShort(command) ? ZERO : was.safety + othersWaiting;
      const promised = maxQuantity(was.onHand - was.blocked - was.reserved - kept, ZERO);
      ensure(gained <= promised, () => `${name} gained ${gained} at ${key}, ${promised} could be promised`);
    }
  }

  /** What is held where everything is in doubt is not confirmed, unless nothing is enforced or somebody approved it. */
  private checkConfirmed(name: string, command: SetDemand, now: Demand): void {
    const { own } = this.before;
    if (own?.state !== 'open' || own.firm || !now.firm || this.mayBeShort(command)) return;
    const isKept = ({ reservationId }: Reservation) =>
      now.reservations.some((held) => held.reservationId === reservationId && heldQuantity(held) > ZERO);
    // What it gives back of one line it may take for another.
    const locked = [...this.state.balances].find(
      ([key, { doubts, lockPolicy }]) =>
        doubts > 0 &&
        lockPolicy === 'hard' &&
        own.reservations.some((held) => keyOf({ orgId: own.orgId, ...held }) === key && isKept(held)),
    );
    ensure(
      locked === undefined || command.pendingApproval === true,
      () => `${name} confirms what is held at ${locked![0]}, all of it in doubt`,
    );
  }

  /** What was said before the last totals says nothing any more; but a cancellation counts whenever it was said. */
  private checkLate(name: string, { meta, lines, source }: SetDemand, now: Demand): void {
    const { own } = this.before;
    const last = own?.incomingSequence ?? null;
    if (own === undefined || last === null || meta.sequence === undefined || meta.sequence >= last || lines.length === 0) return;
    if (own.source !== source) return;
    const wanted = (demand: Demand) =>
      JSON.stringify(
        demand.lines.map(({ lineNo, itemId, requested }) => [lineNo, itemId, requested]),
        text,
      );
    ensure(wanted(now) === wanted(own), () => `${name} was said before the last totals, and changes ${wanted(own)} to ${wanted(now)}`);
  }

  /** What was accepted as new totals is what the order wants now, line by line. */
  private checkTotals(name: string, command: SetDemand, now: Demand): void {
    const { sequence } = command.meta;
    const isNew = sequence !== undefined && sequence === now.incomingSequence && sequence !== this.before.own?.incomingSequence;
    if (!isNew || command.lines.length === 0) return;
    for (const asked of command.lines) {
      const line = now.lines.find((candidate) => candidate.lineNo === asked.lineNo && candidate.itemId === asked.itemId);
      const wanted = maxQuantity(parseQuantity(asked.quantity), line?.fulfilled ?? ZERO);
      ensure(line?.requested === wanted, () => `${name} asks for ${asked.quantity} on line ${asked.lineNo}, which is ${line?.requested}`);
    }
    const isPending = command.source === '/orders' && command.pendingApproval === true;
    for (const line of now.lines) {
      ensure(isPending || line.unheld === ZERO, () => `${name} waits for no approval, and ${line.unheld} of line ${line.lineNo} is unheld`);
      const isAsked = command.lines.some((asked) => asked.lineNo === line.lineNo);
      ensure(
        isAsked || line.requested === line.fulfilled,
        () => `${name} dropped line ${line.lineNo}, of which more is left than was shipped`,
      );
    }
  }

  /** A refusal is true: what is said not to exist does not, and an order that held nothing wants more than can be promised. */
  private checkRefusal(name: string, command: SetDemand, reason: string | undefined): void {
    const { own } = this.before;
    const isNamed = (what: string) =>
      command.lines.some((line) => line.itemId === what || (line.warehouseId ?? command.warehouseId) === what);
    const isMissing = reason === 'ITEM_NOT_FOUND' || reason === 'WAREHOUSE_NOT_FOUND';
    const isOld = own?.refusal?.reason === reason;
    ensure(!isMissing || isOld || isNamed('UNKNOWN'), () => `${name} was refused as ${reason}, though all it names exists`);
    if (reason !== 'INSUFFICIENT_STOCK' && reason !== 'DISCREPANCY_LOCK') return;
    const places = command.lines.map((line) => balanceKey(command.orgId, line.warehouseId ?? command.warehouseId ?? '', line.itemId));
    const isSimple = places.every((key) => this.before.terms.has(key)) && new Set(places).size === places.length;
    const isFresh = own !== undefined && own.state === 'awaiting_order' && own.lines.length === 0;
    if (isFresh)
      ensure(this.state.settingsOf(command.orgId).enforcementPhase !== 'dark', () => `${name} was refused, though nothing is enforced`);
    if (!isSimple || !isFresh) return;
    ensure(this.state.attempts.length > this.before.attempts, () => `${name} was refused, and that is not on record`);
    const isDoubted = places.some((key) => this.before.terms.get(key)!.doubt > ZERO);
    ensure(isDoubted || reason !== 'DISCREPANCY_LOCK', () => `${name} was refused for doubts, and nobody has any`);
    const short = command.lines.some((line, index) => {
      const key = places[index]!;
      const was = this.before.terms.get(key)!;
      const promised = maxQuantity(was.onHand - was.blocked - was.reserved - was.safety - was.backordered, ZERO);
      const wish = {
        lot: line.lot ?? null,
        minRemainingShelfLifeDays: line.minRemainingShelfLifeDays ?? command.minRemainingShelfLifeDays ?? null,
      };
      const balance = this.state.balances.get(key)!;
      return parseQuantity(line.quantity) > (isDetailed(balance) ? this.places.couldHave(key, balance, promised, wish) : promised);
    });
    ensure(short, () => `${name} was refused, though everything could be promised`);
  }

  /** Priority, then first come; and only above the safety stock. */
  private checkFills(name: string): void {
    for (const { key, owner, lineNo, lot, quantity } of this.filled()) {
      const terms = termsOf(this.state.balances.get(key)!);
      ensure(
        terms.reserved <= maxQuantity(terms.onHand - terms.blocked, ZERO) - terms.safety,
        () => `${name} filled into the safety stock of ${key}`,
      );
      const { doubts, lockPolicy } = this.state.balances.get(key)!;
      ensure(doubts === 0 || lockPolicy !== 'hard', () => `${name} filled at ${key}, where everything is in doubt`);
      const demand = this.state.demands.get(owner)!;
      const offered = terms.onHand - terms.blocked - terms.reserved - terms.safety + quantity;
      const overtaken = this.overlay.waitingAt(key).find((other) => {
        const isSelf = subjectKey(other.demand.orgId, other.demand.orderId) === owner && other.row.lineNo === lineNo;
        if (isSelf || !isServedBefore(other, demand)) return false;
        return this.places.couldHaveInstead(key, { lot: lot ?? NO_LOT, quantity }, offered, lineOf(other)) > ZERO;
      });
      ensure(overtaken === undefined, () => `${name} filled ${owner} before ${overtaken?.row.orderId} at ${key}`);
    }
  }

  /**
   * Stock that came free goes to whoever waits, at once; or is noted down to be gone on with. Only what the books have in places where a picker
   * did not find all is not given away at the same time.
   */
  private checkNobodyWaitsForFreeStock(name: string): void {
    const doubted = this.doubted();
    const unserved = new Set([...this.state.unserved].map(keyOf));
    for (const balance of this.state.changedBalances) {
      const key = keyOf(balance);
      // A fill that an earlier batch asked for is still on its way.
      const isOld = this.before.waitedForInVain.has(key);
      ensure(
        isOld || unserved.has(key) || !this.isWaitedForInVain(key, balance, doubted.get(key)),
        () => `${name} lets somebody wait at ${key}, though stock is free`,
      );
    }
  }

  /** Whether somebody waits for stock that is there, and that he may have. */
  private isWaitedForInVain(key: string, balance: Balance, doubted: ReadonlySet<string> = new Set()): boolean {
    const terms = termsOf(balance);
    if (!isWaitedForInVain(terms)) return false;
    const offered = terms.onHand - terms.blocked - terms.reserved - terms.safety;
    return this.overlay.waitingAt(key).some((waiting) => this.places.canHave(key, balance, offered, lineOf(waiting), doubted) > ZERO);
  }

  /** The places in which the command says that not all was found, by balance. */
  private doubted(): Map<string, Set<string>> {
    const doubted = new Map<string, Set<string>>();
    for (const event of this.state.events.slice(this.before.events)) {
      if (event.type !== 'PickShortage') continue;
      const { warehouseId, itemId, lot, location } = (event as EventOf<typeof PickShortage>).data;
      const key = balanceKey(event.orgid, warehouseId, itemId);
      const place = quantKey({ lot: lot ?? NO_LOT, location, quality: 'available' });
      doubted.set(key, (doubted.get(key) ?? new Set()).add(place));
    }
    return doubted;
  }

  private filled() {
    return this.state.events.slice(this.before.events).flatMap((event) => {
      if (event.type !== 'BackorderFilled') return [];
      const { orderId, lines } = (event as EventOf<typeof BackorderFilled>).data;
      return lines.map(({ lineNo, warehouseId, itemId, lot, quantity }) => ({
        owner: subjectKey(event.orgid, orderId),
        lineNo,
        lot,
        key: balanceKey(event.orgid, warehouseId, itemId),
        quantity: parseQuantity(quantity),
      }));
    });
  }

  private rankedAt(key: string): Ranked[] {
    return this.overlay.holdsAt(key).map(({ row, demand }) => ({
      reservationId: row.reservationId,
      held: row.quantity - row.fulfilled,
      firm: demand.firm,
      priority: demand.priority,
      reservedAtMs: row.reservedAt.getTime(),
    }));
  }

  /** The balance that a fact changes, if the command is one of those that name one. */
  private factAt(): string | null {
    const { command, override } = this.act;
    if (override !== null) return null;
    if (command.kind === 'adjust-stock') return keyOf(command);
    if (command.kind !== 'close-discrepancy' || !command.adjust || command.place === null) return null;
    return keyOf({ orgId: command.orgId, ...command.place });
  }
}

/** What happened to goods, whether we like it or not. */
const FACTS: ReadonlySet<StockCommand['kind']> = new Set([
  'adjust-stock',
  'change-quality',
  'scrap-stock',
  'recall-lot',
  'expire-lot',
  'count-stock',
]);

/** Whether somebody waits for stock that is there. */
export function isWaitedForInVain({ onHand, blocked, reserved, backordered, safety }: Terms): boolean {
  return backordered > ZERO && onHand - blocked - reserved > safety;
}

export function termsOf(
  balance: Omit<Terms, 'safety' | 'doubt'> & Pick<Balance, 'safetyQuantity' | 'safetyPercent' | 'doubts' | 'doubtful' | 'lockPolicy'>,
): Terms {
  const { onHand, blocked, reserved, backordered, doubts, doubtful, lockPolicy } = balance;
  const sellable = maxQuantity(onHand - blocked, ZERO);
  const inDoubt = { hard: maxQuantity(sellable - reserved, doubtful), soft: doubtful, monitor: ZERO }[lockPolicy];
  const doubt = doubts > 0 ? inDoubt : ZERO;
  const safety = maxQuantity(balance.safetyQuantity, percentOf(sellable, balance.safetyPercent)) + doubt;
  return { onHand, blocked, reserved, backordered, safety, doubt };
}

const keyOf = ({ orgId, warehouseId, itemId }: Pick<Balance, 'orgId' | 'warehouseId' | 'itemId'>) => balanceKey(orgId, warehouseId, itemId);

function holdsOf(state: StockState): HeldBefore[] {
  return [...state.demands].flatMap(([owner, demand]) =>
    demand.reservations.flatMap((row) => {
      const held = row.status === 'active' ? row.quantity - row.fulfilled : ZERO;
      return held === ZERO ? [] : [{ owner, lineNo: row.lineNo, key: balanceKey(demand.orgId, row.warehouseId, row.itemId), held }];
    }),
  );
}

function heldAt(demand: Demand | undefined, key: string): Quantity {
  if (demand === undefined) return ZERO;
  return sumQuantities(demand.reservations, (row) =>
    row.status === 'active' && balanceKey(demand.orgId, row.warehouseId, row.itemId) === key ? row.quantity - row.fulfilled : ZERO,
  );
}

function waitingAt(demand: Demand | undefined, key: string): Quantity {
  if (demand === undefined) return ZERO;
  return sumQuantities(demand.backorders, (row) => (balanceKey(demand.orgId, row.warehouseId, row.itemId) === key ? row.quantity : ZERO));
}

function copyOf(demand: Demand): Demand {
  return {
    ...demand,
    lines: demand.lines.map((line) => ({ ...line })),
    reservations: demand.reservations.map((row) => ({ ...row })),
    backorders: demand.backorders.map((row) => ({ ...row })),
  };
}

function isServedBefore(other: Owned<Backorder>, demand: Pick<Demand, 'priority' | 'acceptedAt'>): boolean {
  if (other.row.priority !== demand.priority) return other.row.priority > demand.priority;
  return other.row.acceptedAt < demand.acceptedAt;
}

function isTakenBefore(a: Ranked, b: Ranked): boolean {
  if (a.firm !== b.firm) return b.firm;
  if (a.priority !== b.priority) return a.priority < b.priority;
  return a.reservedAtMs > b.reservedAtMs;
}

const lineOf = ({ row, demand }: Owned<Backorder>) => demand.lines.find((line) => line.lineNo === row.lineNo)!;
const isSameHold = (a: HeldBefore, b: HeldBefore) => a.owner === b.owner && a.lineNo === b.lineNo && a.key === b.key;
const text = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
