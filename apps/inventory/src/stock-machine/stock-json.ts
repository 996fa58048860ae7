import { formatQuantity, parseQuantity, type Quantity, ZERO } from '#libs/domain';
import type { Demand, DemandLine, Quality, Refusal, ReturnLine, ShipmentLine } from './stock-state.js';

// How lines lie in jsonb columns: the names of the domain, quantities as decimal strings, what is zero or null left out.

type Stored = Readonly<Record<string, string | number | null | undefined>>;

const quantity = (value: string | number | null | undefined): Quantity => (typeof value === 'string' ? parseQuantity(value) : ZERO);
const unlessZero = (value: Quantity): string | undefined => (value === ZERO ? undefined : formatQuantity(value));

export function demandLinesToJson(lines: readonly DemandLine[]): string {
  return JSON.stringify(
    lines.map((line) => ({
      lineNo: line.lineNo,
      itemId: line.itemId,
      warehouseId: line.warehouseId ?? undefined,
      requested: formatQuantity(line.requested),
      unasked: unlessZero(line.unasked),
      reserved: unlessZero(line.reserved),
      backordered: unlessZero(line.backordered),
      fulfilled: unlessZero(line.fulfilled),
      returned: unlessZero(line.returned),
      closed: unlessZero(line.closed),
      unheld: unlessZero(line.unheld),
    })),
  );
}

export function demandLinesFromJson(stored: unknown): DemandLine[] {
  return (stored as Stored[]).map((line) => ({
    lineNo: Number(line['lineNo']),
    itemId: String(line['itemId']),
    warehouseId: (line['warehouseId'] as string | undefined) ?? null,
    requested: quantity(line['requested']),
    unasked: quantity(line['unasked']),
    reserved: quantity(line['reserved']),
    backordered: quantity(line['backordered']),
    fulfilled: quantity(line['fulfilled']),
    returned: quantity(line['returned']),
    closed: quantity(line['closed']),
    unheld: quantity(line['unheld']),
  }));
}

export function refusalFromJson(stored: unknown): Refusal | null {
  return stored as Refusal | null;
}

export function refusedMessagesFromJson(stored: unknown): Demand['refusedMessages'] {
  return (stored as Demand['refusedMessages'] | null) ?? [];
}

export function shipmentLinesToJson(lines: readonly ShipmentLine[]): string {
  return JSON.stringify(lines.map((line) => ({ ...line, quantity: formatQuantity(line.quantity) })));
}

export function shipmentLinesFromJson(stored: unknown): ShipmentLine[] {
  return (stored as Stored[]).map((line) => ({
    lineNo: Number(line['lineNo']),
    itemId: String(line['itemId']),
    warehouseId: String(line['warehouseId']),
    quantity: quantity(line['quantity']),
  }));
}

export function returnLinesToJson(lines: readonly ReturnLine[]): string {
  return JSON.stringify(
    lines.map((line) => ({
      ...line,
      quantity: formatQuantity(line.quantity),
      balanceAfter: formatQuantity(line.balanceAfter),
      inspected: unlessZero(line.inspected),
    })),
  );
}

export function returnLinesFromJson(stored: unknown): ReturnLine[] {
  return (stored as Stored[]).map((line) => ({
    lineNo: Number(line['lineNo']),
    itemId: String(line['itemId']),
    warehouseId: String(line['warehouseId']),
    quantity: quantity(line['quantity']),
    quality: line['quality'] as Quality,
    balanceAfter: quantity(line['balanceAfter']),
    inspected: quantity(line['inspected']),
  }));
}
