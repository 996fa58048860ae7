import type { EventDefinition, EventOf } from '#libs/contracts';
import { formatQuantity, parseQuantity, type Quantity, sumQuantities, uuidv7, ZERO } from '#libs/domain';
import type { CommandMeta, Outcome, SetDemand, Ship, StockCommand } from '../commands.js';
import { type Pending, withMore } from '../run-batch.js';
import type { Costing } from '../../costing/cost-layers.js';
import { DEFAULT_LOCATION, NO_LOT, type Quality } from '../quants.js';
import { type DecisionSettings, DEFAULT_SETTINGS } from '../decision-settings.js';
import { type Balance, balanceKey, subjectKey, type Tracking } from '../balance.js';
import { NeedsMore } from '../needs-more.js';
import { setDoubt } from './memory-discrepancies.js';
import type { BalanceRow } from './memory-tables.js';
import { MemoryStock, type ReadLimits } from './memory-stock.js';

// Words for specs of the rules: given stock, when a command is decided, then this holds and that was said. Lines are written as
// `{ 1: 'A 5', 2: 'B 3 @W2', 3: 'C 1 #lot' }`: line number, item, quantity, and the warehouse and lot where they are named; also how many days
// it must live (`life=30`), what a shipment took (`lots=L1:2,L2:1/bin`), the condition of a return (`condition=damaged`).

export const ORG = 'org';

export interface GivenItem {
  readonly safetyStock?: string;
  readonly reorderPoint?: string;
  readonly tracking?: Tracking;
  readonly costing?: Costing;
  readonly minRemainingShelfLifeDays?: number;
}

export interface GivenOptions {
  readonly items?: Readonly<Record<string, GivenItem>>;
  readonly warehouses?: readonly string[];
  /** Beside `default`, as `W1/bin`. */
  readonly bins?: readonly string[];
  readonly settings?: Partial<DecisionSettings>;
  /** How much is read ahead. */
  readonly limits?: Partial<ReadLimits>;
}

/** Stock in memory, one organisation, decided by the real machine. */
export class GivenStock {
  readonly stock: MemoryStock;
  /** How many batches were run. */
  batches = 0;
  private told = 0;
  private readonly unserved = new Map<string, Balance>();

  /** @param onHand by place, `W1/A`, `W1/A #lot`, `W1/A #lot @bin`; a lot with its date of expiry: `10 until 2026-02-01`. */
  constructor(
    onHand: Readonly<Record<string, string>>,
    { items = {}, warehouses = ['W1', 'W2'], bins = [], settings, limits }: GivenOptions = {},
  ) {
    this.stock = new MemoryStock({ filledPerBatchMax: 500, holdsPerBalance: 50, quantsPerBalance: 50, layersPerBalance: 50, ...limits });
    this.stock.warehouses.set(
      ORG,
      warehouses.map((warehouseId, priority) => ({ warehouseId, priority })),
    );
    for (const itemId of new Set(['A', 'B', ...Object.keys(items)])) {
      const { safetyStock, reorderPoint, ...more } = items[itemId] ?? {};
      this.stock.items.set(`${ORG}/${itemId}`, { safetyStock: optional(safetyStock), reorderPoint: optional(reorderPoint), ...more });
    }
    for (const bin of bins) this.stock.locations.add(`${ORG}/${bin}`);
    if (settings !== undefined) this.stock.settings.set(ORG, { ...DEFAULT_SETTINGS, ...settings });
    Object.entries(onHand).forEach(([place, goods], n) => this.answer(receivesAt(`opening-${n}`, place, goods)));
    this.told = this.stock.outbox.length;
  }

  /** Decides a command, in as many batches as it needs. */
  when(command: StockCommand): Outcome {
    return this.batch(command)[0]!;
  }

  /** Decides commands in one batch. */
  batch(...commands: readonly StockCommand[]): Outcome[] {
    const outcomes = new Map<StockCommand, Outcome>();
    for (let pending: Pending[] = commands.map((command) => ({ command })); pending.length > 0;) {
      const batch = pending;
      this.batches++;
      const decided = this.stock.runBatch(batch, {
        before: () => {},
        after: (state) => {
          for (const balance of state.unserved) this.unserved.set(balanceKey(balance.orgId, balance.warehouseId, balance.itemId), balance);
        },
      });
      pending = [];
      decided.forEach((outcome, index) => {
        if (outcome instanceof NeedsMore) pending.push(withMore(batch[index]!, outcome));
        else outcomes.set(batch[index]!.command, outcome);
      });
    }
    return commands.map((command) => outcomes.get(command)!);
  }

  /** Fills backorders until nobody can be served any more. */
  goOn(): void {
    for (let rounds = 0; this.unserved.size > 0; rounds++) {
      if (rounds > 100) throw new Error('filling backorders never comes to an end');
      const [key, { orgId, warehouseId, itemId }] = [...this.unserved][0]!;
      this.unserved.delete(key);
      this.when({ kind: 'fill-backorders', orgId, warehouseId, itemId, meta: { messageId: 'fill', mayWait: false } });
    }
  }

  /** The answer to a command; throws when there is none. */
  answer<A = Record<string, unknown>>(command: StockCommand): A {
    const outcome = this.when(command);
    if (outcome.kind !== 'answer') throw new Error(`${command.kind} was not answered: ${JSON.stringify(outcome)}`);
    return outcome.answer as A;
  }

  /** What was said since the last time that somebody asked. */
  said(): EventOf<EventDefinition>[] {
    const said = this.stock.outbox.slice(this.told);
    this.told = this.stock.outbox.length;
    return said;
  }

  /** The types of what was said since the last time that somebody asked. */
  saidTypes(): string[] {
    return this.said().map((event) => event.type);
  }

  pass(seconds: number): void {
    this.stock.now = new Date(this.stock.now.getTime() + seconds * 1000);
  }

  /** `10 on hand, 3 reserved`; what is zero is left out. */
  at(place: string): string {
    const [warehouseId, itemId] = place.split('/') as [string, string];
    const row = this.stock.balances.get(balanceKey(ORG, warehouseId, itemId)) ?? NO_STOCK;
    return words({ 'on hand': row.onHand, blocked: row.blocked, reserved: row.reserved, backordered: row.backordered }) || 'nothing';
  }

  /** Where the stock of a balance lies: `#lot @bin quality: 10, 3 reserved`, without what is zero and what is plain. */
  quants(place: string): string[] {
    const [warehouseId, itemId] = place.split('/') as [string, string];
    return this.stock
      .quantsAt(balanceKey(ORG, warehouseId, itemId))
      .filter(({ quantity }) => quantity > ZERO)
      .map(({ lot, location, quality, quantity, reserved }) => {
        const where = [lot === NO_LOT ? '' : `#${lot}`, location === DEFAULT_LOCATION ? '' : `@${location}`, quality];
        return `${where.filter(Boolean).join(' ')}: ${formatQuantity(quantity)}${reserved > ZERO ? `, ${formatQuantity(reserved)} reserved` : ''}`;
      })
      .sort();
  }

  /** The open holds of an order with their lots and bins, as `W1/A #lot @bin 3`. */
  placedHolds(orderId: string): string[] {
    return [...this.stock.reservations.values()]
      .filter((row) => row.orderId === orderId && row.status === 'active')
      .map(({ warehouseId, itemId, lot, location, quantity, fulfilled }) => {
        const where = [lot === NO_LOT ? '' : `#${lot}`, location === DEFAULT_LOCATION ? '' : `@${location}`];
        return [`${warehouseId}/${itemId}`, ...where.filter(Boolean), formatQuantity(quantity - fulfilled)].join(' ');
      })
      .sort();
  }

  /** The open cost layers of a balance in the order in which they came, as `5 for 10`. */
  layers(place: string): string[] {
    const [warehouseId, itemId] = place.split('/') as [string, string];
    return [...(this.stock.costs.get(balanceKey(ORG, warehouseId, itemId))?.layers.values() ?? [])]
      .filter((layer) => layer.quantity > ZERO)
      .sort((a, b) => a.receivedAt.getTime() - b.receivedAt.getTime() || a.layerNo - b.layerNo)
      .map((layer) => `${formatQuantity(layer.quantity)} for ${formatQuantity(layer.value)}`);
  }

  /** The blocked qualities of a balance. */
  blockedAt(place: string): string {
    const [warehouseId, itemId] = place.split('/') as [string, string];
    const blocked: Record<string, Quantity> = {};
    for (const { quality, quantity } of this.stock.quantsAt(balanceKey(ORG, warehouseId, itemId))) {
      if (quality !== 'available') blocked[quality] = (blocked[quality] ?? ZERO) + quantity;
    }
    return words(blocked);
  }

  /** `{ state, firm, lines: { 1: 'A 5: 3 reserved, 2 backordered' } }` */
  order(orderId: string) {
    const row = this.stock.demands.get(subjectKey(ORG, orderId));
    if (row === undefined) return null;
    const lines = row.lines.map((line) => {
      const { reserved, backordered, fulfilled, returned, closed, unheld } = line;
      const parts = words({ reserved, backordered, fulfilled, returned, closed, unheld });
      return [line.lineNo, `${line.itemId} ${formatQuantity(line.requested)}: ${parts || 'nothing'}`] as const;
    });
    return { state: row.state, firm: row.firm, lines: Object.fromEntries(lines) };
  }

  /** The open holds of an order, as `W1/A 3`. */
  holds(orderId: string): string[] {
    return [...this.stock.reservations.values()]
      .filter((row) => row.orderId === orderId && row.status === 'active')
      .map((row) => `${row.warehouseId}/${row.itemId} ${formatQuantity(row.quantity - row.fulfilled)}`);
  }

  /** Opens a discrepancy of high severity on a balance, of so much: from now on it keeps stock back as the lock policy says. */
  doubt(place: string, difference: string): string {
    return setDoubt(this.stock, `${ORG}/${place}`, difference)!;
  }

  /** What was wanted in vain, as `o1/1 5 of A, 3 there: refused (INSUFFICIENT_STOCK, hard)`. */
  attempts(): string[] {
    return this.stock.attempts.map(
      ({ orderId, lineNo, itemId, requested, available, outcome, reason, phase }) =>
        `${orderId}/${lineNo} ${formatQuantity(requested)} of ${itemId}, ${formatQuantity(available)} there: ${outcome} (${reason}, ${phase})`,
    );
  }

  /** Changes settings in mid-run. */
  set(settings: Partial<DecisionSettings>): void {
    this.stock.settings.set(ORG, { ...DEFAULT_SETTINGS, ...this.stock.settings.get(ORG), ...settings });
  }

  /** The ledger of a balance, oldest first, as `sale_shipment -2 = 8`. */
  ledger(place: string): string[] {
    return this.stock.ledger
      .filter((entry) => `${entry.warehouseId}/${entry.itemId}` === place)
      .map(
        (entry) =>
          `${entry.movement.movementType} ${formatQuantity(entry.quantityDelta)} ${entry.quality} = ${formatQuantity(entry.balanceAfter)}`,
      );
  }
}

/** `{ 1: 'A 5', 2: 'B 3 @W2' }` */
export type Lines = Readonly<Record<number, string>>;

let calls = 0;

/** What a command carries that came by call: nothing that orders it, unless it is said. */
export function byCall(meta: Partial<CommandMeta> = {}): CommandMeta {
  return { messageId: `call-${++calls}`, mayWait: false, ...meta };
}

/** What a command carries that came by event. */
export function byEvent(id: string, meta: Partial<CommandMeta> = {}, source = '/oms'): CommandMeta {
  return { messageId: id, event: { orgid: ORG, source, id }, causationId: id, actor: source, mayWait: true, ...meta };
}

export function wants(orderId: string, wanted: Lines, more: Partial<SetDemand> = {}): SetDemand {
  return { kind: 'set-demand', orgId: ORG, orderId, source: '/oms', lines: linesOf(wanted), meta: byCall(), ...more };
}

export const cancels = (orderId: string, more: Partial<SetDemand> = {}): SetDemand => wants(orderId, {}, more);

export function ships(shipmentId: string, orderId: string, shipped: Lines, more: Partial<Ship> = {}): Ship {
  return { kind: 'ship', orgId: ORG, shipmentId, orderId, lines: linesOf(shipped), meta: byCall(), ...more };
}

type Picks = Extract<StockCommand, { kind: 'confirm-pick' }>;

/** @param picked totals by line, where they were picked if it is said: `{ 1: '5', 2: ['2 #lot', '1 #other @bin'] }`; none = as suggested */
export function picks(orderId: string, picked?: Readonly<Record<number, string | readonly string[]>>, more: Partial<Picks> = {}): Picks {
  const lines = Object.entries(picked ?? {}).map(([lineNo, said]) => {
    if (typeof said === 'string') return { lineNo: Number(lineNo), quantity: said };
    const lots = said.map((part) => {
      const [quantity, ...place] = part.split(' ') as [string, ...string[]];
      const { lot, location } = placeOf(['W/I', ...place].join(' '));
      return { quantity, ...(lot === undefined ? {} : { lot }), ...(location === undefined ? {} : { location }) };
    });
    return { lineNo: Number(lineNo), quantity: formatQuantity(sumQuantities(lots, (part) => parseQuantity(part.quantity))), lots };
  });
  return { kind: 'confirm-pick', orgId: ORG, orderId, ...(picked === undefined ? {} : { lines }), meta: byCall(), ...more };
}

export function unships(shipmentId: string, orderId: string, meta = byCall()): StockCommand {
  return { kind: 'unship', orgId: ORG, shipmentId, orderId, meta };
}

export function returns(
  returnId: string,
  orderId: string,
  back: Lines,
  more: Partial<Extract<StockCommand, { kind: 'receive-return' }>> = {},
) {
  return {
    kind: 'receive-return',
    orgId: ORG,
    returnId,
    orderId,
    warehouseId: 'W1',
    lines: linesOf(back),
    meta: byCall(),
    ...more,
  } as const;
}

type Verdict = Extract<StockCommand, { kind: 'inspect-return' }>['lines'][number]['verdict'];

/** @param verdicts by line: `{ 1: '2 available' }` */
export function inspects(returnId: string, orderId: string, verdicts: Lines, meta = byCall()): StockCommand {
  const lines = Object.entries(verdicts).map(([lineNo, text]) => {
    const [quantity, verdict] = text.split(' ') as [string, Verdict];
    return { lineNo: Number(lineNo), quantity, verdict };
  });
  return { kind: 'inspect-return', orgId: ORG, returnId, orderId, lines, meta };
}

/** @param goods quantity by item */
export function receives(
  receiptId: string,
  warehouseId: string,
  goods: Readonly<Record<string, string>>,
  more: Partial<Extract<StockCommand, { kind: 'receive-goods' }>> = {},
) {
  const lines = Object.entries(goods).map(([itemId, quantity]) => ({ itemId, quantity, unitCost: '1' }));
  return { kind: 'receive-goods', orgId: ORG, receiptId, warehouseId, lines, meta: byCall(), ...more } as const;
}

/** Goods for one place, `W1/A #lot @bin`: `10`, or `10 until 2026-02-01` where the lot expires. */
export function receivesAt(receiptId: string, place: string, goods: string): StockCommand {
  const { warehouseId, ...at } = placeOf(place);
  const [quantity, , until] = goods.split(' ') as [string, string?, string?];
  const expiry = until === undefined ? {} : { expiresAt: `${until}T00:00:00.000Z` };
  return receives(receiptId, warehouseId, {}, { lines: [{ ...at, quantity, unitCost: '1', ...expiry }] });
}

const START = new MemoryStock().now;

/** A time so many days after the beginning. */
export const dayFromStart = (days: number): string => new Date(START.getTime() + days * 86_400_000).toISOString();

/** Goods with where they go and what they are: `puts('r1', 'W1', 'A 5 #lot @bin expires=30 costs=2 quality=damaged')`; expiry in days. */
export function puts(receiptId: string, warehouseId: string, ...goods: readonly string[]) {
  const lines = goods.map((text) => {
    const [itemId, quantity, ...words] = text.split(' ') as [string, string, ...string[]];
    const said = wordsOf(words);
    return {
      itemId,
      quantity,
      unitCost: said['costs'] ?? '1',
      ...(said['#'] === undefined ? {} : { lot: said['#'] }),
      ...(said['@'] === undefined ? {} : { location: said['@'] }),
      ...(said['expires'] === undefined ? {} : { expiresAt: dayFromStart(Number(said['expires'])) }),
      ...(said['quality'] === undefined ? {} : { quality: said['quality'] as 'damaged' }),
    };
  });
  return receives(receiptId, warehouseId, {}, { lines });
}

/** `#lot @place key=value`, by sign or key. */
function wordsOf(words: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(words.map((word) => (/^[#@]/.test(word) ? [word[0]!, word.slice(1)] : (word.split('=') as [string, string]))));
}

/** `W1/A #lot @bin`, in its parts. */
function placeOf(place: string) {
  const [balance, ...more] = place.split(' ') as [string, ...string[]];
  const [warehouseId, itemId] = balance.split('/') as [string, string];
  const named = (sign: string) => more.find((word) => word.startsWith(sign))?.slice(1);
  const lot = named('#');
  const location = named('@');
  return { warehouseId, itemId, ...(lot === undefined ? {} : { lot }), ...(location === undefined ? {} : { location }) };
}

type Adjustment = Extract<StockCommand, { kind: 'adjust-stock' }>;

/** @param place such as `W1/A #lot @bin` @param change such as `-3 damage` */
export function adjusts(place: string, change: string, commandId = `adjustment-${++calls}`): Adjustment {
  const [quantityDelta, reasonCode] = change.split(' ') as [string, Adjustment['reasonCode']];
  return { kind: 'adjust-stock', orgId: ORG, commandId, ...placeOf(place), quantityDelta, reasonCode, reason: 'counted', meta: byCall() };
}

/** @param what such as `3 default -> shelf`, or `3 default -> shelf damaged` */
export function moves(place: string, what: string, commandId = `move-${++calls}`): StockCommand {
  const [quantity, from, , to, quality = 'available'] = what.split(' ') as [string, string, string, string, Quality?];
  return { kind: 'move-stock', orgId: ORG, commandId, ...placeOf(place), quantity, from, to, quality, meta: byCall() };
}

/** @param what such as `3 available -> damaged` */
export function changesQuality(place: string, what: string, commandId = `quality-${++calls}`): StockCommand {
  const [quantity, from, , to] = what.split(' ') as [string, Quality, string, Quality];
  return { kind: 'change-quality', orgId: ORG, commandId, ...placeOf(place), quantity, from, to, reason: 'seen', meta: byCall() };
}

/** @param what such as `3`, or `3 damaged` */
export function scraps(place: string, what: string, commandId = `scrap-${++calls}`): StockCommand {
  const [quantity, quality = 'available'] = what.split(' ') as [string, Quality?];
  return { kind: 'scrap-stock', orgId: ORG, commandId, ...placeOf(place), quantity, quality, reason: 'broken', meta: byCall() };
}

/** @param lot such as `A #lot` */
export function recalls(lot: string, commandId = `recall-${++calls}`): StockCommand {
  const [itemId, name] = lot.split(' #') as [string, string];
  return { kind: 'recall-lot', orgId: ORG, commandId, itemId, lot: name, reason: 'glass in it', meta: byCall() };
}

/** @param place such as `W1/A #lot` */
export function expiresLot(place: string): StockCommand {
  const { lot = '', ...at } = placeOf(place);
  return { kind: 'expire-lot', orgId: ORG, ...at, lot, meta: { messageId: 'sweep', mayWait: false } };
}

/** @param counted by item, lot and bin: `{ 'A #lot @bin': '3' }` */
export function counts(
  warehouseId: string,
  counted: Readonly<Record<string, string>>,
  more: Partial<Extract<StockCommand, { kind: 'count-stock' }>> = {},
): StockCommand {
  const lines = Object.entries(counted).map(([place, countedQuantity]) => {
    const { warehouseId: _, ...at } = placeOf(`${warehouseId}/${place}`);
    return { ...at, countedQuantity };
  });
  return { kind: 'count-stock', orgId: ORG, commandId: `count-${++calls}`, warehouseId, mode: 'cycle', lines, meta: byCall(), ...more };
}

/** What reconciliation found at a place, which is its key. @param numbers expected and actual, as `10 7` */
export function finds(place: string, numbers: string): Extract<StockCommand, { kind: 'record-findings' }> {
  const [expected = '0', actual = '0'] = numbers.split(' ');
  const finding = { findingKey: place, kind: 'on_hand', ...placeOf(place), expected, actual, note: 'The ledger says otherwise.' };
  return { kind: 'record-findings', orgId: ORG, runId: 'run', findings: [finding], meta: byCall() };
}

type Reporting = Extract<StockCommand, { kind: 'report-discrepancy' }>;

/** @param place such as `W1/A #lot @bin` @param snapshotQuantity how much is there */
export function reports(place: string, snapshotQuantity: string, more: Partial<Reporting> = {}): Reporting {
  const report = { discrepancyId: uuidv7(), ...placeOf(place), snapshotQuantity, note: 'seen' };
  return { kind: 'report-discrepancy', orgId: ORG, ...report, meta: byCall(), ...more };
}

type Closing = Extract<StockCommand, { kind: 'close-discrepancy' }>;

export const resolves = (found: FoundPlace, more: Partial<Closing> = {}) => closes(found, { status: 'resolved', adjust: true, ...more });
export const dismisses = (found: FoundPlace, more: Partial<Closing> = {}) => closes(found, { status: 'dismissed', ...more });

type FoundPlace = { discrepancyId: string; warehouseId: string | null; itemId: string; lot: string | null };

function closes({ discrepancyId, warehouseId, itemId, lot }: FoundPlace, more: Partial<Closing>): Closing {
  const place = warehouseId === null ? null : { warehouseId, itemId, lot };
  const decision = { status: 'resolved' as const, adjust: false, note: 'looked at it' };
  return { kind: 'close-discrepancy', orgId: ORG, discrepancyId, place, ...decision, meta: byCall({ actor: 'ann' }), ...more };
}

export function reviews({ discrepancyId, warehouseId, itemId, lot }: FoundPlace, assignedTo?: string): StockCommand {
  const place = warehouseId === null ? null : { warehouseId, itemId, lot };
  return { kind: 'review-discrepancy', orgId: ORG, discrepancyId, place, assignedTo, meta: byCall() };
}

type Sending = Extract<StockCommand, { kind: 'transfer-stock' }>;
type Receiving = Extract<StockCommand, { kind: 'receive-transfer' }>;

/** @param goods such as `['A 5', 'B 1 #lot']`, from W1 to W2 */
export function transfers(transferId: string, goods: readonly string[], more: Partial<Sending> = {}): Sending {
  const warehouses = { fromWarehouseId: 'W1', toWarehouseId: 'W2' };
  return {
    kind: 'transfer-stock',
    orgId: ORG,
    transferId,
    ...warehouses,
    mode: 'immediate',
    lines: goodsOf(goods),
    meta: byCall(),
    ...more,
  };
}

/** @param goods such as `['A 5', 'B 1 #lot']`; none = all that is under way */
export function arrives(transferId: string, goods?: readonly string[], more: Partial<Receiving> = {}): Receiving {
  const lines = goods === undefined ? {} : { lines: goodsOf(goods) };
  return { kind: 'receive-transfer', orgId: ORG, transferId, commandId: `arrival-${++calls}`, ...lines, meta: byCall(), ...more };
}

const goodsOf = (goods: readonly string[]) =>
  goods.map((text) => {
    const [itemId, quantity, lot] = text.split(' ') as [string, string, string?];
    return { itemId, quantity, ...(lot === undefined ? {} : { lot: lot.slice(1) }) };
  });

export function expires(orderId: string): StockCommand {
  return { kind: 'expire-holds', orgId: ORG, orderId, meta: { messageId: 'sweep', mayWait: false } };
}

export function keeps(place: string, rules: Partial<Extract<StockCommand, { kind: 'set-stock-policy' }>>): StockCommand {
  const [warehouseId, itemId] = place.split('/') as [string, string];
  return { kind: 'set-stock-policy', orgId: ORG, warehouseId, itemId, ...rules, meta: byCall() };
}

function linesOf(lines: Lines) {
  return Object.entries(lines).map(([lineNo, text]) => {
    const [itemId, quantity, ...words] = text.split(' ') as [string, string, ...string[]];
    const { '@': warehouseId, '#': lot, life, lots, condition } = wordsOf(words);
    return {
      lineNo: Number(lineNo),
      itemId,
      quantity,
      ...(warehouseId === undefined ? {} : { warehouseId }),
      ...(lot === undefined ? {} : { lot }),
      ...(life === undefined ? {} : { minRemainingShelfLifeDays: Number(life) }),
      ...(lots === undefined ? {} : { lots: lots.split(',').map(pickedLot) }),
      ...(condition === undefined ? {} : { condition: condition as 'resellable' }),
    };
  });
}

/** `L1:2/bin` */
function pickedLot(text: string) {
  const [lot, quantity, location] = text.split(/[:/]/) as [string, string, string?];
  return { lot, quantity, ...(location === undefined ? {} : { location }) };
}

const NO_STOCK: Pick<BalanceRow, 'onHand' | 'blocked' | 'reserved' | 'backordered'> = {
  onHand: ZERO,
  blocked: ZERO,
  reserved: ZERO,
  backordered: ZERO,
};

function words(quantities: Readonly<Record<string, Quantity>>): string {
  return Object.entries(quantities)
    .filter(([, quantity]) => quantity !== ZERO)
    .map(([name, quantity]) => `${formatQuantity(quantity)} ${name}`)
    .join(', ');
}

const optional = (text: string | undefined): Quantity | null => (text === undefined ? null : parseQuantity(text));
