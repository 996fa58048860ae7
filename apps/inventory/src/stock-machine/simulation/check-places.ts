import { formatQuantity, minQuantity, parseQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import type { CountStock, SetDemand, Ship, StockCommand } from '../commands.js';
import { isDetailed } from '../balance-quants.js';
import { DEFAULT_LOCATION, NO_LOT, PLAIN, quantKey, type QuantKey, receivedAfter } from '../quants.js';
import { type Balance, balanceKey, placeKey, subjectKey } from '../balance.js';
import type { Demand, DemandLine } from '../demand.js';
import type { StockState } from '../stock-state.js';
import { ensure } from './check-rows.js';
import type { MemoryStock } from './memory-stock.js';

// What a single decision may do inside of a balance: with lots, bins and dates. Said from the rows before and after.

/** Something of an item that lies in one place. */
export interface PlaceRow extends QuantKey {
  readonly quantity: Quantity;
  readonly reserved: Quantity;
  readonly expiresAt: Date | null;
  readonly receivedAt: Date;
}

type Places = ReadonlyMap<string, ReadonlyMap<string, PlaceRow>>;
type Wish = Pick<DemandLine, 'lot' | 'minRemainingShelfLifeDays'>;

/** What lies where, as a batch has it: the stored rows, and what the batch has changed. */
function placesOf(stock: MemoryStock, state: StockState): Places {
  return new Map(
    [...state.balances].filter(([, balance]) => isDetailed(balance)).map(([key, balance]) => [key, placesAt(stock, key, balance)]),
  );
}

export function placesAt(stock: MemoryStock, key: string, balance: Balance): ReadonlyMap<string, PlaceRow> {
  const rows = new Map<string, PlaceRow>(stock.quantsAt(key).map((quant) => [quantKey(quant), quant]));
  for (const [name, change] of balance.quants.changes ?? []) {
    const row = rows.get(name) ?? { ...change, quantity: ZERO, reserved: ZERO };
    // As it is stored: a bin that was emptied takes its turn from what came in then.
    const receivedAt = change.isKnown ? change.receivedAt : receivedAfter(row, change.quantity, change.receivedAt);
    rows.set(name, { ...row, quantity: row.quantity + change.quantity, reserved: row.reserved + change.reserved, receivedAt });
  }
  if (balance.tracking === 'none') {
    const quantity = balance.onHand - sumQuantities(rows.values(), (row) => row.quantity);
    const reserved = balance.reserved - sumQuantities(rows.values(), (row) => row.reserved);
    rows.set(quantKey(PLAIN), { ...PLAIN, quantity, reserved, expiresAt: null, receivedAt: new Date(0) });
  }
  return rows;
}

/** Compares where stock lies, and for whom, before and after one decision. */
export class PlacesCheck {
  private readonly before: Places;
  private readonly heldBefore: ReadonlyMap<string, Held>;
  private readonly ledgerBefore: number;
  private readonly openedBefore: number;
  private readonly sequenceBefore: number | null;

  constructor(
    private readonly stock: MemoryStock,
    private readonly state: StockState,
    private readonly command: StockCommand,
  ) {
    this.before = placesOf(stock, state);
    this.heldBefore = heldPlaces(state);
    this.ledgerBefore = state.ledger.length;
    this.openedBefore = state.newDiscrepancies.size;
    this.sequenceBefore = command.kind === 'set-demand' ? state.demand(command.orgId, command.orderId).incomingSequence : null;
  }

  /** @param hasMoved whether the command posted a movement. */
  check(name: string, hasMoved: boolean): void {
    const after = placesOf(this.stock, this.state);
    // What is moved stays held where it goes.
    for (const [place, held] of this.command.kind === 'move-stock' ? [] : heldPlaces(this.state)) {
      const gained = held.quantity - (this.heldBefore.get(place)?.quantity ?? ZERO);
      if (gained > ZERO && after.has(held.key)) this.checkGain(name, held, after.get(held.key)!);
    }
    if (this.command.kind === 'ship') this.checkShipped(name, this.command);
    if (this.command.kind === 'count-stock' && hasMoved) this.checkCounted(name, this.command);
    if (this.command.kind === 'set-demand') this.checkAsked(name, this.command);
  }

  /** What is held anew is alive, lives as long as it must, is of the lot that was asked for, and is the first of what might be taken. */
  private checkGain(name: string, { owner, key, quant, line }: Held, after: ReadonlyMap<string, PlaceRow>): void {
    const row = after.get(quantKey(quant))!;
    const say = (what: string) => () => `${name} holds ${quantKey(quant)} of ${key} for line ${line.lineNo} of ${owner}, ${what}`;
    ensure(row.expiresAt === null || row.expiresAt > this.state.now, say(`which expired at ${row.expiresAt?.toISOString()}`));
    const isOwn = 'orderId' in this.command && owner === subjectKey(this.command.orgId, this.command.orderId);
    if (isOwn && this.command.kind === 'unship') return;
    const balance = this.state.balances.get(key)!;
    ensure(line.lot === null || line.lot === row.lot, say('which wants another lot'));
    ensure(row.quality === 'available', say('and it cannot be sold'));
    ensure(this.serves(row, line, balance), say('which must live longer'));
    // What was really picked wins, whatever would have come first.
    if (isOwn && this.command.kind === 'confirm-pick') return;
    // Where something is given back in between, what is free at the end need not have been so when it was chosen.
    if (this.command.kind === 'ship' || this.command.kind === 'unship') return;
    const before = this.before.get(key);
    const missed = this.missedAt(key);
    for (const [other, sooner] of after) {
      const free = minQuantity(freeOf(sooner) - (missed.get(other) ?? ZERO), freeOf(before?.get(other)));
      const isFirst = free > ZERO && this.serves(sooner, line, balance) && isBefore(sooner, row);
      ensure(!isFirst, say(`though ${other} comes first and ${formatQuantity(free)} of it are free`));
    }
  }

  /** What a picker did not find in places of a balance: his order gives it back after others had to move. */
  private missedAt(key: string): ReadonlyMap<string, Quantity> {
    const missed = new Map<string, Quantity>();
    for (const { orgId, warehouseId, itemId, source, ...found } of [...this.state.newDiscrepancies].slice(this.openedBefore)) {
      if (source !== 'pick_shortage' || balanceKey(orgId, warehouseId!, itemId) !== key) continue;
      const place = quantKey({ lot: found.lot ?? NO_LOT, location: found.location!, quality: 'available' });
      missed.set(place, (missed.get(place) ?? ZERO) + found.ledgerQuantity - found.snapshotQuantity);
    }
    return missed;
  }

  /** Whether a place may serve a line. */
  private serves(row: PlaceRow, { lot, minRemainingShelfLifeDays }: Wish, balance: Balance): boolean {
    const byOrg = this.state.settings.get(balance.orgId)?.minRemainingShelfLifeDays ?? 0;
    const days = minRemainingShelfLifeDays ?? balance.minRemainingShelfLifeDays ?? byOrg;
    const mustLiveUntil = this.state.now.getTime() + days * 86_400_000;
    const isAlive = row.expiresAt === null || row.expiresAt.getTime() > mustLiveUntil;
    return row.quality === 'available' && isAlive && (lot === null || lot === row.lot);
  }

  /** What a line could have before the command, of what its balance offered; for those who held and waited for nothing there. */
  couldHave(key: string, balance: Balance, offered: Quantity, line: Wish): Quantity {
    return this.share([...(this.before.get(key)?.values() ?? [])], balance, offered, line);
  }

  /**
   * The same, after it.
   *
   * @param doubted the places in which nothing is thought to be, whatever the books say.
   */
  canHave(key: string, balance: Balance, offered: Quantity, line: Wish, doubted: ReadonlySet<string> = new Set()): Quantity {
    if (!isDetailed(balance)) return doubted.has(quantKey(PLAIN)) ? ZERO : offered;
    const rows = [...placesAt(this.stock, key, balance)];
    const notThere = sumQuantities(rows, ([place, row]) => (doubted.has(place) ? freeOf(row) : ZERO));
    const others = rows.flatMap(([place, row]) => (doubted.has(place) ? [] : [row]));
    return this.share(others, balance, offered - notThere, line);
  }

  /**
   * What is in a place after a count is what was counted, of a whole warehouse also that nothing is anywhere else; or it is as it was, and a
   * discrepancy says so.
   */
  private checkCounted(name: string, { orgId, commandId, warehouseId, mode, lines }: CountStock): void {
    const counted = new Map<string, Quantity>();
    for (const { itemId, lot = NO_LOT, location = DEFAULT_LOCATION, countedQuantity } of lines) {
      counted.set(placeKey(itemId, { lot, location }), parseQuantity(countedQuantity));
    }
    const there = new Map<string, Quantity>();
    for (const [key, balance] of this.state.balances) {
      if (!key.startsWith(`${orgId}/${warehouseId}/`)) continue;
      for (const row of placesAt(this.stock, key, balance).values()) {
        const place = placeKey(balance.itemId, row);
        there.set(place, (there.get(place) ?? ZERO) + row.quantity);
      }
    }
    // What came in this very batch to where nothing was came after it.
    const missed = mode === 'full' ? this.storedIn(`${orgId}/${warehouseId}`).filter((place) => !counted.has(place)) : [];
    for (const [place, quantity] of [...counted, ...missed.map((place) => [place, ZERO] as const)]) {
      const left = there.get(place) ?? ZERO;
      const found = [...this.state.newDiscrepancies].find(
        ({ refId, itemId, lot, location }) =>
          refId === commandId && placeKey(itemId, { lot: lot ?? NO_LOT, location: location! }) === place,
      );
      ensure(found === undefined || found.snapshotQuantity === quantity, () => `${name} counted something else in ${place} than it says`);
      const expected = found?.ledgerQuantity ?? quantity;
      ensure(left === expected, () => `${name} leaves ${formatQuantity(left)} in ${place}, where ${formatQuantity(quantity)} were counted`);
    }
  }

  /** Where something lay in a warehouse before the batch. */
  private storedIn(warehouse: string): string[] {
    return [...this.stock.balances].flatMap(([key, { itemId, onHand }]) => {
      if (!key.startsWith(`${warehouse}/`)) return [];
      const quants = this.stock.quantsAt(key);
      const plain = { ...PLAIN, quantity: onHand - sumQuantities(quants, (quant) => quant.quantity) };
      return [...quants, plain].filter((quant) => quant.quantity > ZERO).map((quant) => placeKey(itemId, quant));
    });
  }

  /** What a line can have of what is offered: without what has expired or is too old for it, not more than what serves it, whole pieces. */
  private share(rows: readonly PlaceRow[], balance: Balance, offered: Quantity, line: Wish): Quantity {
    const open = rows.filter((row) => row.quality === 'available');
    const fit = sumQuantities(open, (row) => (this.serves(row, line, balance) ? freeOf(row) : ZERO));
    const isOld = (row: PlaceRow) => balance.tracking !== 'none' && !this.serves(row, { ...line, lot: row.lot }, balance);
    const most = minQuantity(offered - sumQuantities(open, (row) => (isOld(row) ? freeOf(row) : ZERO)), fit);
    if (most <= ZERO) return ZERO;
    return balance.tracking === 'serial' ? most - (most % parseQuantity('1')) : most;
  }

  /** What a line could have had, if something of a lot had not been given to somebody else. @param offered what it could then choose from. */
  couldHaveInstead(key: string, given: { readonly lot: string; readonly quantity: Quantity }, offered: Quantity, line: Wish): Quantity {
    const balance = this.state.balances.get(key)!;
    if (!isDetailed(balance)) return offered;
    let open = given.quantity;
    const rows = [...placesAt(this.stock, key, balance).values()].map((row) => {
      const back = row.lot === given.lot ? minQuantity(open, row.reserved) : ZERO;
      open -= back;
      return { ...row, reserved: row.reserved - back };
    });
    return this.share(rows, balance, offered, line);
  }

  /** Nothing that has expired leaves, and what is said to have left has. */
  private checkShipped(name: string, command: Ship): void {
    // What was let through was counted before.
    const posted = this.state.ledger.slice(this.ledgerBefore).filter(({ movement }) => movement.movementType !== 'count');
    const left = new Map<string, Quantity>();
    for (const entry of posted) {
      const key = balanceKey(entry.orgId, entry.warehouseId, entry.itemId);
      const row = this.before.get(key)?.get(quantKey(entry));
      const isExpired = row !== undefined && row.expiresAt !== null && row.expiresAt <= this.state.now;
      ensure(!isExpired && entry.quality === 'available', () => `${name} ships ${quantKey(entry)} of ${key}, which cannot be sold`);
      const what = `${entry.itemId}/${entry.lot}`;
      left.set(what, (left.get(what) ?? ZERO) - entry.quantityDelta);
    }
    if (posted.length === 0) return;
    const named = new Map<string, Quantity>();
    for (const line of command.lines) {
      const lots = line.lots ?? (line.lot === undefined ? [] : [{ lot: line.lot, quantity: line.quantity }]);
      for (const { lot, quantity } of lots) {
        const what = `${line.itemId}/${lot}`;
        named.set(what, (named.get(what) ?? ZERO) + parseQuantity(quantity));
      }
    }
    for (const [what, quantity] of named) {
      ensure((left.get(what) ?? ZERO) >= quantity, () => `${name} says that ${formatQuantity(quantity)} of ${what} left, and less did`);
    }
  }

  /** What was accepted of lots and shelf life is what the order asks for now, and of a named lot is what it holds. */
  private checkAsked(name: string, command: SetDemand): void {
    const demand = this.state.demand(command.orgId, command.orderId);
    const { sequence } = command.meta;
    const isNew = sequence !== undefined && demand.incomingSequence === sequence && sequence !== this.sequenceBefore;
    if (!isNew || demand.refusal !== null || demand.state !== 'open') return;
    for (const asked of command.lines) {
      const line = demand.lines.find((one) => one.lineNo === asked.lineNo);
      const life = asked.minRemainingShelfLifeDays ?? command.minRemainingShelfLifeDays ?? null;
      const isKept = line?.lot === (asked.lot ?? null) && line.minRemainingShelfLifeDays === life;
      ensure(isKept, () => `${name} asks for a lot or a shelf life on line ${asked.lineNo} that is not kept`);
      const other = demand.reservations.find(
        (row) => row.lineNo === asked.lineNo && row.status === 'active' && asked.lot !== undefined && row.lot !== asked.lot,
      );
      ensure(other === undefined, () => `${name} asks for lot ${asked.lot} on line ${asked.lineNo}, and ${other?.lot} is held`);
    }
  }
}

interface Held {
  readonly owner: string;
  readonly key: string;
  readonly quant: QuantKey;
  readonly line: DemandLine;
  readonly quantity: Quantity;
}

function heldPlaces(state: StockState): Map<string, Held> {
  const held = new Map<string, Held>();
  for (const [owner, demand] of state.demands) {
    for (const row of demand.reservations) {
      if (row.status !== 'active') continue;
      const key = balanceKey(demand.orgId, row.warehouseId, row.itemId);
      const quant = { lot: row.lot, location: row.location, quality: 'available' } as const;
      const place = `${owner}/${row.lineNo}/${key}/${quantKey(quant)}`;
      const quantity = (held.get(place)?.quantity ?? ZERO) + row.quantity - row.fulfilled;
      held.set(place, { owner, key, quant, line: lineOf(demand, row.lineNo), quantity });
    }
  }
  return held;
}

const lineOf = (demand: Demand, lineNo: number): DemandLine => demand.lines.find((line) => line.lineNo === lineNo)!;
const freeOf = (row: PlaceRow | undefined): Quantity =>
  row === undefined || row.quality !== 'available' ? ZERO : row.quantity - row.reserved;

/** First expired, first out, what never does last; then the oldest receipt. */
function isBefore(a: PlaceRow, b: PlaceRow): boolean {
  const expiry = (row: PlaceRow) => row.expiresAt?.getTime() ?? Number.MAX_SAFE_INTEGER;
  if (expiry(a) !== expiry(b)) return expiry(a) < expiry(b);
  return a.receivedAt < b.receivedAt;
}
