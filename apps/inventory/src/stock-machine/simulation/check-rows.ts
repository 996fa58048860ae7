import { formatQuantity, type Money, parseQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import { NO_LOT, PLAIN, type QuantKey, quantKey } from '../quants.js';
import { underWay } from '../../transfers/transfer-view.js';
import { type Balance, balanceKey, lotNameKey, subjectKey } from '../balance.js';
import type { Backorder, Demand, Reservation } from '../demand.js';
import type { PostedShipment } from '../movement.js';
import type { StockState } from '../stock-state.js';
import type { MemoryStock } from './memory-stock.js';

/** Something that must never be. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function ensure(holds: boolean, what: () => string): asserts holds {
  if (!holds) throw new Violation(what());
}

/** A hold or a place in a queue, with whose it is. */
export interface Owned<T> {
  readonly row: T;
  readonly demand: Pick<Demand, 'orgId' | 'orderId' | 'firm' | 'priority' | 'state' | 'lines'>;
}

const NOTHING_READ = { demands: new Map(), shipments: new Map(), returns: new Map() };

/** Where a batch stands: the rows of its working set, and of the stock behind it what the batch does not know. */
export class Overlay {
  constructor(
    private readonly stock: MemoryStock,
    private readonly state: Pick<StockState, 'demands' | 'shipments' | 'returns'> = NOTHING_READ,
  ) {}

  holdsAt(key: string): Owned<Reservation>[] {
    const holds: Owned<Reservation>[] = [];
    for (const demand of this.state.demands.values()) {
      for (const row of demand.reservations) if (row.status === 'active' && isAt(demand.orgId, row, key)) holds.push({ row, demand });
    }
    for (const row of this.stock.reservations.values()) {
      const owner = subjectKey(row.orgId, row.orderId);
      if (row.status !== 'active' || this.state.demands.has(owner) || !isAt(row.orgId, row, key)) continue;
      holds.push({ row, demand: this.stock.demands.get(owner)! });
    }
    return holds;
  }

  waitingAt(key: string): Owned<Backorder>[] {
    const waiting: Owned<Backorder>[] = [];
    for (const demand of this.state.demands.values()) {
      for (const row of demand.backorders) if (isAt(demand.orgId, row, key)) waiting.push({ row, demand });
    }
    for (const row of this.stock.backorders.values()) {
      const owner = subjectKey(row.orgId, row.orderId);
      if (!this.state.demands.has(owner) && isAt(row.orgId, row, key)) waiting.push({ row, demand: this.stock.demands.get(owner)! });
    }
    return waiting;
  }

  /** What was shipped and not taken back, by line. */
  shippedOf(demand: Demand): Map<number, Quantity> {
    return sumByLine(this.shipmentsOf(demand).flatMap((one) => one.lines));
  }

  /** Those that were not taken back. */
  shipmentsOf(demand: Demand): PostedShipment[] {
    const shipments = new Map([...this.stock.shipments, ...this.state.shipments]);
    return [...shipments.values()].filter((one) => isOf(one, demand) && one.status === 'posted');
  }

  returnedOf(demand: Demand): Map<number, Quantity> {
    const returns = new Map([...this.stock.returns, ...this.state.returns]);
    const lines = [...returns.values()].filter((one) => isOf(one, demand)).flatMap((one) => one.lines);
    for (const line of lines) {
      const ordered = demand.lines.find(({ lineNo }) => lineNo === line.lineNo);
      ensure(
        ordered?.itemId === line.itemId,
        () => `${demand.orderId} has ${ordered?.itemId} on line ${line.lineNo}, ${line.itemId} was returned`,
      );
    }
    return sumByLine(lines);
  }
}

/** Adds up the ledger independently of the balances, entry by entry. */
export class LedgerSums {
  private readonly byBalance = new Map<string, Sums>();
  private readonly shipped = new Map<string, Quantity>();

  /** Takes in the next entry; each follows the one before without a gap. */
  add(entry: StockState['ledger'][number]): void {
    const key = balanceKey(entry.orgId, entry.warehouseId, entry.itemId);
    const sums = this.byBalance.get(key) ?? noSums();
    this.byBalance.set(key, sums);
    sums.entries++;
    sums.value += entry.valueDelta ?? ZERO;
    const isWithoutGoods = entry.movement.movementType === 'cost_correction';
    const place = quantKey(entry);
    if (!isWithoutGoods) sums.places.set(place, (sums.places.get(place) ?? ZERO) + entry.quantityDelta);
    sums.onHand += entry.quantityDelta;
    sums.qualities.set(entry.quality, (sums.qualities.get(entry.quality) ?? ZERO) + entry.quantityDelta);
    ensure(entry.entryNo === sums.entries, () => `I2: entry ${entry.entryNo} of ${key} follows entry ${sums.entries - 1}`);
    ensure(entry.balanceAfter === sums.onHand, () => `I2: entry ${entry.entryNo} of ${key} says ${entry.balanceAfter}, not ${sums.onHand}`);
    ensure((entry.quantityDelta === ZERO) === isWithoutGoods, () => `an entry of ${key} changes nothing`);
    const { movementType, orderId } = entry.movement;
    if (movementType !== 'sale_shipment' && movementType !== 'shipment_cancel') return;
    const shipped = `${entry.orgId}/${orderId}/${entry.itemId}`;
    this.shipped.set(shipped, (this.shipped.get(shipped) ?? ZERO) - entry.quantityDelta);
  }

  /** I1 and I2 of a balance, without lots, bins and layers. */
  check(balance: Balance): void {
    const key = balanceKey(balance.orgId, balance.warehouseId, balance.itemId);
    for (const counter of ['onHand', 'blocked', 'reserved', 'backordered'] as const) {
      ensure(typeof balance[counter] === 'bigint', () => `I9: ${counter} of ${key} is a ${typeof balance[counter]}`);
      const mayBeNegative = counter === 'onHand' && balance.mayBeNegative;
      ensure(balance[counter] >= ZERO || mayBeNegative, () => `I1: ${counter} of ${key} is ${formatQuantity(balance[counter])}`);
    }
    const sellable = balance.onHand - balance.blocked;
    ensure(
      sellable < ZERO === balance.mayBeNegative,
      () => `I1: ${key} has ${sellable} to sell, and ${balance.mayBeNegative ? '' : 'not '}less than none`,
    );
    ensure(balance.reserved <= (sellable < ZERO ? ZERO : sellable), () => {
      return `I1: ${key} holds ${formatQuantity(balance.reserved)} of ${formatQuantity(balance.onHand)} - ${formatQuantity(balance.blocked)}`;
    });
    const sums = this.byBalance.get(key) ?? noSums();
    ensure(balance.onHand === sums.onHand, () => `I2: ${key} has ${balance.onHand}, its ledger says ${sums.onHand}`);
    ensure(balance.lastEntryNo === sums.entries, () => `I2: ${key} counts ${balance.lastEntryNo} entries, there are ${sums.entries}`);
    const blocked = sumQuantities(sums.qualities, ([quality, quantity]) => (quality === 'available' ? ZERO : quantity));
    ensure(balance.blocked === blocked, () => `I2: ${key} blocks ${balance.blocked}, its ledger says ${blocked}`);
    for (const [quality, quantity] of sums.qualities)
      ensure(quantity >= ZERO || quality === 'available', () => `I2: ${key} has ${quantity} of ${quality}`);
  }

  of(key: string): Sums {
    return this.byBalance.get(key) ?? noSums();
  }

  shippedOf(orgId: string, orderId: string, itemId: string): Quantity {
    return this.shipped.get(`${orgId}/${orderId}/${itemId}`) ?? ZERO;
  }
}

interface Sums {
  onHand: Quantity;
  entries: number;
  value: Money;
  readonly qualities: Map<string, Quantity>;
  /** By lot, bin and quality. */
  readonly places: Map<string, Quantity>;
}

const noSums = (): Sums => ({ onHand: ZERO, entries: 0, value: ZERO, qualities: new Map(), places: new Map() });

/**
 * I1, I2, I3 and I8 of what lies inside a balance: its quants are those of the ledger, and hold what its reservations say; its value is
 * that of its layers and of the ledger.
 */
export function checkQuants(balance: Balance, stock: MemoryStock, ledger: LedgerSums): void {
  const key = balanceKey(balance.orgId, balance.warehouseId, balance.itemId);
  const quants = new Map(stock.quantsAt(key).map((quant) => [quantKey(quant), quant]));
  const held = new Map<string, Quantity>();
  for (const row of stock.reservations.values()) {
    if (row.status !== 'active' || !isAt(row.orgId, row, key)) continue;
    const place = quantKey({ ...row, quality: 'available' });
    held.set(place, (held.get(place) ?? ZERO) + row.quantity - row.fulfilled);
  }
  const plain = {
    ...PLAIN,
    quantity: balance.onHand - sumQuantities(quants.values(), (quant) => quant.quantity),
    reserved: balance.reserved - sumQuantities(quants.values(), (quant) => quant.reserved),
  };
  const { places, value } = ledger.of(key);
  for (const [place, quant] of [...quants, [quantKey(PLAIN), plain] as const]) {
    const { quantity, reserved, quality } = quant;
    const say = (text: string) => () => `${text}: ${place} of ${key} has ${formatQuantity(quantity)}, ${formatQuantity(reserved)} held`;
    ensure(quantity === (places.get(place) ?? ZERO), say(`I2: its ledger says ${places.get(place)}`));
    // What is missing is missing in the default bin, of what is not tracked.
    const there = quant === plain && quantity < ZERO && balance.tracking === 'none' ? ZERO : quantity;
    ensure(reserved >= ZERO && reserved <= there && (quality === 'available' || reserved === ZERO), say('I1'));
    ensure(reserved === (held.get(place) ?? ZERO), say(`I3: its reservations say ${held.get(place)}`));
    if (balance.tracking === 'serial') ensure(quantity <= parseQuantity('1'), say('more than one piece'));
    checkLot(balance, quant, stock, say);
  }
  for (const place of [...places.keys(), ...held.keys()]) {
    ensure(quants.has(place) || place === quantKey(PLAIN), () => `I2: ${place} of ${key} is not stored`);
  }
  const costs = stock.costs.get(key);
  const broken = costs?.breaks() ?? [];
  ensure(broken.length === 0, () => `I8: ${key}: ${broken.join(', ')}`);
  const { value: stored, quantity } = costs?.balance ?? { value: ZERO, quantity: ZERO };
  ensure(quantity === balance.onHand, () => `I2: the layers of ${key} add up to ${quantity}, on hand are ${balance.onHand}`);
  ensure(stored === value, () => `I8: ${key} is worth ${stored}, its ledger says ${value}`);
}

/** What is tracked has a lot, and lies there with the lot's date. */
function checkLot(
  { orgId, itemId, tracking }: Balance,
  { lot, quality, quantity, expiresAt = null }: QuantKey & { quantity: Quantity; expiresAt?: Date | null },
  stock: MemoryStock,
  say: (text: string) => () => string,
): void {
  if (lot === NO_LOT) return ensure(tracking === 'none' || quantity === ZERO, say('it is tracked, and has no lot'));
  const known = stock.lots.get(lotNameKey(orgId, itemId, lot));
  ensure(tracking !== 'none' && known !== undefined, say('its lot is not known'));
  ensure(quality !== 'available' || quantity === ZERO || known.recalledAt === null, say('its lot was recalled'));
  const isSame = expiresAt?.getTime() === known.expiresAt?.getTime();
  ensure(isSame, say(`its lot expires at ${known.expiresAt?.toISOString()}, and it lies there ${expiresAt?.toISOString() ?? 'for ever'}`));
}

/** A piece with a serial number is in one place at most, in whichever warehouse, or on its way to one. */
export function checkPieces({ orgId, itemId, tracking }: Balance, stock: MemoryStock): void {
  if (tracking !== 'serial') return;
  const places = new Map<string, string>();
  const put = (lot: string, quantity: Quantity, place: string) => {
    if (quantity === ZERO) return;
    const other = places.get(lot);
    ensure(other === undefined, () => `piece ${lot} is in ${other} and in ${place}`);
    places.set(lot, place);
  };
  for (const key of stock.balances.keys()) {
    if (!key.startsWith(`${orgId}/`) || !key.endsWith(`/${itemId}`)) continue;
    for (const quant of stock.quantsAt(key)) put(quant.lot, quant.quantity, `${key}: ${quantKey(quant)}`);
  }
  for (const transfer of stock.transfers.values()) {
    if (transfer.orgId !== orgId) continue;
    for (const line of transfer.lines) if (line.itemId === itemId) put(line.lot, underWay(line), transfer.transferId);
  }
}

/** I8 of a shipment: its layers add up, and what came back of it came at what it cost, to the last fraction. */
export function checkCosts({ shipmentId, lines }: PostedShipment): void {
  for (const line of lines) {
    const say = (text: string) => () => `I8: line ${line.lineNo} of ${shipmentId} ${text}: ${JSON.stringify(line, readable)}`;
    ensure(sumQuantities(line.cost, (part) => part.quantity) === line.quantity, say('does not cost what left'));
    const cogs = sumQuantities(line.cost, (part) => part.value);
    ensure(line.returned <= line.quantity && line.returnedValue <= cogs, say('was returned beyond what left'));
    ensure(line.returned < line.quantity || line.returnedValue === cogs, say('came back at another cost'));
  }
}

/** I3 of a balance: its counters are the sums of the rows. */
export function checkSums(balance: Balance, overlay: Overlay): void {
  const key = balanceKey(balance.orgId, balance.warehouseId, balance.itemId);
  const held = sumQuantities(overlay.holdsAt(key), ({ row }) => row.quantity - row.fulfilled);
  ensure(balance.reserved === held, () => `I3: ${key} says ${balance.reserved} are reserved, its reservations add up to ${held}`);
  const waiting = sumQuantities(overlay.waitingAt(key), ({ row }) => row.quantity);
  ensure(balance.backordered === waiting, () => `I3: ${key} says ${balance.backordered} wait, its backorders add up to ${waiting}`);
}

/** I3 and I5 of an order. */
export function checkDemand(demand: Demand, overlay: Overlay, ledger: LedgerSums): void {
  const name = `${demand.orgId}/${demand.orderId}`;
  const shipped = overlay.shippedOf(demand);
  const returned = overlay.returnedOf(demand);
  const byItem = new Map<string, Quantity>();
  const lineNos = new Set<number>();
  for (const line of demand.lines) {
    const say = (text: string) => () => `${text}: line ${line.lineNo} of ${name} is ${JSON.stringify(line, readable)}`;
    ensure(!lineNos.has(line.lineNo), say('I3: a line is there twice'));
    lineNos.add(line.lineNo);
    const { requested, reserved, backordered, fulfilled, closed, unheld } = line;
    for (const part of [requested, reserved, backordered, fulfilled, closed, unheld, line.returned]) {
      ensure(typeof part === 'bigint' && part >= ZERO, say('I3, I9'));
    }
    ensure(requested === reserved + backordered + fulfilled + closed + unheld, say('I3: the parts do not add up'));
    ensure(fulfilled <= requested, say('I5'));
    ensure(fulfilled === (shipped.get(line.lineNo) ?? ZERO), say(`I5: its shipments say ${shipped.get(line.lineNo)}`));
    ensure(line.returned === (returned.get(line.lineNo) ?? ZERO), say(`its returns say ${returned.get(line.lineNo)}`));
    const held = sumOfLine(demand.reservations, line.lineNo, line.itemId, (row) =>
      row.status === 'active' ? row.quantity - row.fulfilled : ZERO,
    );
    ensure(reserved === held, say(`I3: its reservations add up to ${held}`));
    const waiting = sumOfLine(demand.backorders, line.lineNo, line.itemId, (row) => row.quantity);
    ensure(backordered === waiting, say(`I3: its backorders add up to ${waiting}`));
    if (demand.state !== 'open') ensure(reserved === ZERO && backordered === ZERO, say(`a demand that is ${demand.state} holds`));
    const isPending = demand.state === 'open' && demand.source === '/orders' && demand.expiresAt === null;
    if ((demand.state === 'open' && !isPending) || demand.state === 'closed')
      ensure(unheld === ZERO, say(`a demand that is ${demand.state} has something unheld`));
    byItem.set(line.itemId, (byItem.get(line.itemId) ?? ZERO) + fulfilled);
  }
  for (const [lineNo] of shipped) ensure(lineNos.has(lineNo), () => `I5: line ${lineNo} of ${name} was shipped and is gone`);
  for (const [lineNo] of returned) ensure(lineNos.has(lineNo), () => `line ${lineNo} of ${name} was returned and is gone`);
  for (const [itemId, quantity] of byItem) {
    const posted = ledger.shippedOf(demand.orgId, demand.orderId, itemId);
    ensure(quantity === posted, () => `I5: ${name} counts ${quantity} of ${itemId} as shipped, the ledger ${posted}`);
  }
  ensure(demand.state === 'open' || demand.expiresAt === null, () => `${name} is ${demand.state} and would expire`);
  ensure(!demand.firm || demand.state !== 'open' || demand.expiresAt === null, () => `${name} is firm and would expire`);
}

function sumOfLine<T extends { lineNo: number; itemId: string }>(
  rows: readonly T[],
  lineNo: number,
  itemId: string,
  of: (row: T) => Quantity,
) {
  return sumQuantities(rows, (row) => (row.lineNo === lineNo && row.itemId === itemId ? of(row) : ZERO));
}

function sumByLine(lines: readonly { lineNo: number; quantity: Quantity }[]): Map<number, Quantity> {
  const sums = new Map<number, Quantity>();
  for (const line of lines) sums.set(line.lineNo, (sums.get(line.lineNo) ?? ZERO) + line.quantity);
  return sums;
}

const isAt = (orgId: string, at: { warehouseId: string; itemId: string }, key: string) =>
  balanceKey(orgId, at.warehouseId, at.itemId) === key;
const isOf = (one: { orgId: string; orderId: string }, demand: Demand) => one.orgId === demand.orgId && one.orderId === demand.orderId;

export const readable = (_: string, value: unknown) => (typeof value === 'bigint' ? formatQuantity(value) : value);
