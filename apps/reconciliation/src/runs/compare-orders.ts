import type { DemandBook, LineBook, Mismatch, MismatchKind, OrderBook, ShipmentBook } from '#libs/contracts';
import { formatQuantity, parseQuantity, type Quantity, SCALE, sumQuantities, ZERO } from '#libs/domain';

/** What a comparison of an order came to: the mismatches; or that it is changing just now, and is to be looked at again. */
export type Compared = readonly Mismatch[] | 'unsettled';

const FIELDS = ['requested', 'reserved', 'backordered', 'fulfilled', 'returned', 'closed', 'unheld'] as const;

/**
 * Compares what orders and inventory know of an order (docs/rules.md, "reconciliation").
 *
 * They are compared only when they speak of the same moment: inventory has answered all that orders told it, and the last that orders
 * applied of inventory is the last that inventory said, by inventory's own count, which every change of an order's stock raises. Otherwise
 * something is under way between them.
 *
 * @param order read before the demand, so that it cannot know of more than the demand.
 * @param demand undefined: inventory knows of none.
 */
export function compareOrder(order: OrderBook, demand: DemandBook | undefined): Compared {
  if (order.isRefused) return [];
  const said = demand?.sequence ?? 0;
  // What orders has applied inventory must once have said; and nothing takes back what it said.
  if (order.stockSequence > said) return aheadOfStock(order, said);
  if (!order.isAnswered || demand === undefined || order.stockSequence < said) return 'unsettled';
  return [...compareLines(order, demand), ...compareFirmness(order, demand), ...compareShipments(order, demand)];
}

/**
 * What inventory holds for an order that orders does not know, although it commits an order before it tells of it.
 *
 * @param demand was known to inventory before orders was asked.
 */
export function unknownOrder(demand: DemandBook): readonly Mismatch[] {
  return demand.lines.flatMap((line) => {
    const open = parseQuantity(line.reserved) + parseQuantity(line.backordered);
    const note = `Inventory holds or awaits ${formatQuantity(open)} for line ${line.lineNo} of an order that orders does not know.`;
    return mismatch('order_unknown', demand.orderId, { itemId: line.itemId, subject: String(line.lineNo) }, ZERO, open, note);
  });
}

/** Orders has applied what inventory does not know to have said: the stock of the order was lost or taken back. */
function aheadOfStock({ orderId, stock, lines, stockSequence }: OrderBook, said: number): Mismatch[] {
  const itemId = stock[0]?.itemId ?? lines[0]?.itemId;
  const note = `Orders has applied report ${stockSequence} of inventory, which has said ${said} about the order.`;
  // An order without any line has nothing that could be missing.
  if (itemId === undefined) return [];
  return mismatch('order_missing_stock', orderId, { itemId, subject: '' }, toQuantity(said), toQuantity(stockSequence), note);
}

const toQuantity = (count: number): Quantity => BigInt(count) * SCALE;

function compareLines(order: OrderBook, demand: DemandBook): Mismatch[] {
  const theirs = new Map(demand.lines.map((line) => [line.lineNo, line]));
  const ours = new Map(order.stock.map((line) => [line.lineNo, line]));
  const ordered = new Map(order.lines.map((line) => [line.lineNo, line]));
  const lineNos = [...new Set([...theirs.keys(), ...ours.keys(), ...ordered.keys()])].sort((a, b) => a - b);
  return lineNos.flatMap((lineNo) => {
    const [inventory, known, line] = [theirs.get(lineNo), ours.get(lineNo), ordered.get(lineNo)];
    const itemId = (inventory ?? known ?? line)!.itemId;
    const differ = (what: string, expected: Quantity, actual: Quantity) => {
      const note = `Line ${lineNo}, ${what}: ${formatQuantity(actual)} in orders, ${formatQuantity(expected)} in inventory.`;
      return mismatch('order_line', order.orderId, { itemId, subject: `${lineNo}/${what}` }, expected, actual, note);
    };
    return [
      ...differ('ordered', read(inventory?.asked), read(line?.quantity)),
      ...FIELDS.flatMap((field) => differ(field, read(inventory?.[field]), read(known?.[field]))),
    ];
  });
}

function compareFirmness(order: OrderBook, demand: DemandBook): Mismatch[] {
  const held = sumQuantities(demand.lines, (line: LineBook) => parseQuantity(line.reserved));
  if (order.firm === demand.firm || held === ZERO) return [];
  const firmly = (isFirm: boolean) => (isFirm ? held : ZERO);
  const note = `Held: ${formatQuantity(held)}, ${demand.firm ? 'firmly' : 'softly'} by inventory, ${order.firm ? 'firmly' : 'softly'} as orders knows.`;
  const at = { itemId: demand.lines[0]!.itemId, subject: '' };
  return mismatch('order_firm', order.orderId, at, firmly(demand.firm), firmly(order.firm), note);
}

/** Of the shipments that orders knows; others may ship an order as well. */
function compareShipments(order: OrderBook, demand: DemandBook): Mismatch[] {
  const theirs = shipped(demand.shipments);
  return [...shipped(order.shipments)].flatMap(([key, quantity]) => {
    const expected = theirs.get(key) ?? ZERO;
    const [shipmentId, itemId] = key.split('/') as [string, string];
    const note = `Shipped by ${shipmentId}: ${formatQuantity(quantity)} as orders knows, ${formatQuantity(expected)} by inventory.`;
    return mismatch('order_shipment', order.orderId, { itemId, subject: shipmentId }, expected, quantity, note);
  });
}

/** By shipment and item; ids have no slash. */
function shipped(lines: readonly ShipmentBook[]): Map<string, Quantity> {
  const sums = new Map<string, Quantity>();
  for (const { shipmentId, itemId, quantity } of lines) {
    const key = `${shipmentId}/${itemId}`;
    sums.set(key, (sums.get(key) ?? ZERO) + parseQuantity(quantity));
  }
  return sums;
}

const read = (quantity: string | undefined): Quantity => (quantity === undefined ? ZERO : parseQuantity(quantity));

/** @param at what exactly, in the order: the item, and what tells the mismatches of a kind apart. */
function mismatch(
  kind: MismatchKind,
  orderId: string,
  at: { readonly itemId: string; readonly subject: string },
  expected: Quantity,
  actual: Quantity,
  note: string,
): Mismatch[] {
  if (expected === actual) return [];
  const numbers = { expected: formatQuantity(expected), actual: formatQuantity(actual) };
  return [{ kind, ...at, warehouseId: null, lot: null, location: null, orderId, ...numbers, note }];
}
