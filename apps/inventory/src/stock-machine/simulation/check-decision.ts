import type { BackorderFilled, EventOf } from '#libs/contracts';
import { maxQuantity, minQuantity, parseQuantity, percentOf, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import type { Outcome, SetDemand, StockCommand } from '../commands.js';
import { isDetailed } from '../quants.js';
import { type Backorder, type Balance, balanceKey, type Demand, NeedsMore, type StockState, subjectKey } from '../stock-state.js';
import { PlacesCheck } from './check-places.js';
import { ensure, type Owned, Overlay } from './check-rows.js';
import type { MemoryStock } from './memory-stock.js';

// What a single decision may do, said a second time and in another way than the decisions say it: from the state before and after.

interface Terms {
  readonly onHand: Quantity;
  readonly blocked: Quantity;
  readonly reserved: Quantity;
  readonly backordered: Quantity;
  readonly safety: Quantity;
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
  readonly terms: ReadonlyMap<string, Terms>;
  readonly holds: readonly HeldBefore[];
  /** Of the command's own order. */
  readonly own: Demand | undefined;
  /** Everything held on the balance that a fact may take from. */
  readonly shortable: readonly Ranked[];
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

  constructor(
    stock: MemoryStock,
    private readonly state: StockState,
    private readonly command: StockCommand,
  ) {
    this.overlay = new Overlay(stock, state);
    this.places = new PlacesCheck(stock, state, command);
    const own = 'orderId' in command ? state.demands.get(subjectKey(command.orgId, command.orderId)) : undefined;
    this.before = {
      revision: state.revision,
      events: state.events.length,
      ledger: state.ledger.length,
      terms: new Map([...state.balances].map(([key, balance]) => [key, termsOf(balance)])),
      holds: holdsOf(state),
      own: own && copyOf(own),
      shortable: command.kind === 'adjust-stock' ? this.rankedAt(this.placeOf(command)) : [],
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
    this.places.check(name);
    if (command.kind === 'adjust-stock') this.checkShorting(name);
    if (command.kind === 'unship') this.checkReturned(name);
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
    if (FACTS.has(this.command.kind)) return;
    const own = 'orderId' in this.command ? subjectKey(this.command.orgId, this.command.orderId) : '';
    const now = holdsOf(this.state);
    for (const held of this.before.holds) {
      if (held.owner === own) continue;
      const before = sumQuantities(this.before.holds, (one) => (isSameHold(one, held) ? one.held : ZERO));
      const after = sumQuantities(now, (one) => (isSameHold(one, held) ? one.held : ZERO));
      ensure(after >= before, () => `${name} took from the hold of ${held.owner} at ${held.key}`);
    }
  }

  /** Facts come first: exactly what is missing is taken; soft before firm, lowest priority, newest first. */
  private checkShorting(name: string): void {
    const key = this.placeOf(this.command as Extract<StockCommand, { kind: 'adjust-stock' }>);
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
    this.checkTotals(name, command, now);
    this.checkGains(name, now);
    if (now.mode !== 'all_or_nothing' || now.state !== 'open') return;
    for (const line of now.lines) {
      const waited = own?.lines.find((known) => known.lineNo === line.lineNo && known.itemId === line.itemId)?.backordered ?? ZERO;
      ensure(line.backordered <= waited, () => `${name} is all or nothing, and line ${line.lineNo} newly waits`);
    }
  }

  /** New demand gets what is available to promise: above the safety stock, behind everybody who waits. */
  private checkGains(name: string, now: Demand): void {
    const filled = this.filled().filter(({ owner }) => owner === subjectKey(now.orgId, now.orderId));
    for (const [key, was] of this.before.terms) {
      if (this.before.unserved.has(key)) continue;
      const had = heldAt(this.before.own, key);
      const byQueue = sumQuantities(filled, (fill) => (fill.key === key ? fill.quantity : ZERO));
      const gained = heldAt(now, key) - had - byQueue;
      const othersWaiting = was.backordered - waitingAt(this.before.own, key);
      const promised = maxQuantity(was.onHand - was.blocked - was.reserved - was.safety - othersWaiting, ZERO);
      ensure(gained <= promised, () => `${name} gained ${gained} at ${key}, ${promised} could be promised`);
    }
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
    for (const line of now.lines) {
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
    if (reason !== 'INSUFFICIENT_STOCK') return;
    const places = command.lines.map((line) => balanceKey(command.orgId, line.warehouseId ?? command.warehouseId ?? '', line.itemId));
    const isSimple = places.every((key) => this.before.terms.has(key)) && new Set(places).size === places.length;
    const isFresh = own !== undefined && own.state !== 'open' && own.refusal === null && own.lines.length === 0;
    if (!isSimple || !isFresh) return;
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
    for (const { key, owner, lineNo, lot } of this.filled()) {
      const terms = termsOf(this.state.balances.get(key)!);
      ensure(
        terms.reserved <= maxQuantity(terms.onHand - terms.blocked, ZERO) - terms.safety,
        () => `${name} filled into the safety stock of ${key}`,
      );
      const demand = this.state.demands.get(owner)!;
      const overtaken = this.overlay.waitingAt(key).find((other) => {
        const isSelf = subjectKey(other.demand.orgId, other.demand.orderId) === owner && other.row.lineNo === lineNo;
        return !isSelf && isServedBefore(other, demand) && this.couldServe(other, key, lot);
      });
      ensure(overtaken === undefined, () => `${name} filled ${owner} before ${overtaken?.row.orderId} at ${key}`);
    }
  }

  /** Stock that came free goes to whoever waits, at once; or is noted down to be gone on with. */
  private checkNobodyWaitsForFreeStock(name: string): void {
    const unserved = new Set([...this.state.unserved].map(keyOf));
    for (const balance of this.state.changedBalances) {
      const key = keyOf(balance);
      // A fill that an earlier batch asked for is still on its way.
      const isOld = this.before.waitedForInVain.has(key);
      ensure(
        isOld || unserved.has(key) || !this.isWaitedForInVain(key, balance),
        () => `${name} lets somebody wait at ${key}, though stock is free`,
      );
    }
  }

  /** Whether somebody waits for stock that is there, and that he may have. */
  private isWaitedForInVain(key: string, balance: Balance): boolean {
    const terms = termsOf(balance);
    if (!isWaitedForInVain(terms)) return false;
    if (!isDetailed(balance)) return true;
    const offered = terms.onHand - terms.blocked - terms.reserved - terms.safety;
    return this.overlay.waitingAt(key).some((waiting) => this.places.canHave(key, balance, offered, lineOf(waiting)) > ZERO);
  }

  /** Whether what was given to somebody might have been given to another who waits. */
  private couldServe(other: Owned<Backorder>, key: string, lot: string | null): boolean {
    return !isDetailed(this.state.balances.get(key)!) || this.places.canServe(key, lot ?? '', lineOf(other));
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

  private placeOf({ orgId, warehouseId, itemId }: Extract<StockCommand, { kind: 'adjust-stock' }>): string {
    return balanceKey(orgId, warehouseId, itemId);
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

export function termsOf(balance: Omit<Terms, 'safety'> & Pick<Balance, 'safetyQuantity' | 'safetyPercent'>): Terms {
  const { onHand, blocked, reserved, backordered } = balance;
  const sellable = maxQuantity(onHand - blocked, ZERO);
  const safety = maxQuantity(balance.safetyQuantity, percentOf(sellable, balance.safetyPercent));
  return { onHand, blocked, reserved, backordered, safety };
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
