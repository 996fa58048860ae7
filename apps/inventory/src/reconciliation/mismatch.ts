import type { Mismatch, MismatchKind } from '#libs/contracts';
import { formatQuantity, isQuantity, parseFixedPoint, type Quantity, shortestDecimal } from '#libs/domain';

/** A mismatch as a statement answers it; what does not apply is null. */
export interface MismatchRow {
  readonly kind: MismatchKind;
  readonly warehouse_id: string | null;
  readonly item_id: string;
  readonly lot?: string | null;
  readonly location?: string | null;
  readonly quality?: string | null;
  readonly order_id?: string | null;
  readonly line_no?: number | null;
  readonly entry_no?: number | null;
  readonly expected: string;
  readonly actual: string;
}

/** What is compared: the number that is wrong, and the records that it is measured by. */
const COMPARED: Readonly<Partial<Record<MismatchKind, readonly [actual: string, expected: string]>>> = {
  on_hand: ['The on-hand quantity of the balance', 'its ledger entries add up to'],
  ledger_numbering: ['The ledger entries that are there, numbered from 1 without gaps,', 'the balance has counted'],
  ledger_balance: ['What was on hand after the ledger entry, as it says itself', 'its quantity and those of the entries before add up to'],
  blocked: ['The blocked quantity of the balance', 'its ledger entries of other qualities than available add up to'],
  quant: ['The quantity of the lot, bin and quality', 'its ledger entries add up to'],
  reserved: ['The reserved quantity of the balance', 'its open reservations add up to'],
  quant_reserved: ['The reserved quantity of the lot and bin', 'its open reservations add up to'],
  oversold: ['The reserved quantity of the balance', 'there is to hold at most'],
  backordered: ['The backordered quantity of the balance', 'its backorders add up to'],
  in_transit: ['The quantity on its way to the warehouse, by the balance,', 'its open transfers add up to'],
  doubts: ['How much of the balance is in doubt', 'its open discrepancies differ by'],
  layer_quantity: ['The quantity of its cost layers', 'its ledger entries add up to'],
  layer_value: ['The value of its cost layers', 'its ledger entries add up to'],
  ledger_value: ['The value of the balance', 'its ledger entries add up to'],
  value_of_nothing: ['What is not there is worth', 'it must be worth'],
  line_parts: ['What is reserved, backordered, fulfilled, closed and unheld of the line', 'the line requests'],
  line_reserved: ['The reserved quantity of the line', 'its open reservations add up to'],
  line_backordered: ['The backordered quantity of the line', 'its backorders add up to'],
  orphan_reservation: ['Held by open reservations for which there is no open line of an order', 'must be held'],
  shipped: ['The shipped quantity of the order', 'its ledger entries add up to'],
  returned: ['The returned quantity of the order', 'its ledger entries add up to'],
  returned_shipment: ['What of its shipments came back', 'its ledger entries add up to'],
  return_record: ['What its returns brought back', 'its ledger entries add up to'],
};

/** The mismatch that a row tells of, in words. Numbers beyond what a decimal may be are cut to the largest that there is. */
export function toMismatch(row: MismatchRow): Mismatch {
  const { kind, warehouse_id: warehouseId, item_id: itemId, lot = null, location = null, quality = null } = row;
  const { order_id: orderId = null, line_no: lineNo = null } = row;
  const [expected, actual] = [toDecimal(row.expected), toDecimal(row.actual)];
  const [of, by] = COMPARED[kind]!;
  return {
    kind,
    subject: [lot, location, quality, lineNo].filter((part) => part !== null).join('/'),
    itemId,
    warehouseId,
    lot: lot === '' ? null : lot,
    location,
    orderId,
    expected,
    actual,
    note: `${of}${placeOf(row)}: ${actual}; ${by}: ${expected}.`,
  };
}

function placeOf({ lot = null, location = null, quality = null, line_no: lineNo = null, entry_no: entryNo = null }: MismatchRow): string {
  const words = [
    lot === null || lot === '' ? null : `lot ${lot}`,
    location === null ? null : `bin ${location}`,
    quality,
    lineNo === null ? null : `line ${lineNo}`,
    entryNo === null ? null : `number ${entryNo}`,
  ].filter((word) => word !== null);
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
}

const LARGEST: Quantity = parseFixedPoint('999999999999.9999');

function toDecimal(text: string): string {
  const number = parseFixedPoint(shortestDecimal(text));
  if (isQuantity(number)) return formatQuantity(number);
  return formatQuantity(number < 0n ? -LARGEST : LARGEST);
}
