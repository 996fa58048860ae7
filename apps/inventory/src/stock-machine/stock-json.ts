import type { TransferLine } from '../transfers/transfer.js';
import { formatQuantity, parseMoney, parseQuantity, type Quantity, ZERO } from '#libs/domain';
import type { CostPart } from '../costing/cost-layers.js';
import { DEFAULT_LOCATION, NO_LOT, type Quality } from './quants.js';
import type { Demand, DemandLine, PickedTotal, Refusal } from './demand.js';
import type { ReturnLine, ShipmentLine } from './movement.js';

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
      lot: line.lot ?? undefined,
      minRemainingShelfLifeDays: line.minRemainingShelfLifeDays ?? undefined,
      requested: formatQuantity(line.requested),
      unasked: unlessZero(line.unasked),
      reserved: unlessZero(line.reserved),
      backordered: unlessZero(line.backordered),
      fulfilled: unlessZero(line.fulfilled),
      returned: unlessZero(line.returned),
      closed: unlessZero(line.closed),
      unheld: unlessZero(line.unheld),
      picked: line.picked === null ? undefined : pickedToJson(line.picked),
    })),
  );
}

export function demandLinesFromJson(stored: unknown): DemandLine[] {
  return (stored as (Stored & { readonly picked?: StoredPick })[]).map((line) => ({
    lineNo: Number(line['lineNo']),
    itemId: String(line['itemId']),
    warehouseId: (line['warehouseId'] as string | undefined) ?? null,
    lot: (line['lot'] as string | undefined) ?? null,
    minRemainingShelfLifeDays: (line['minRemainingShelfLifeDays'] as number | undefined) ?? null,
    requested: quantity(line['requested']),
    unasked: quantity(line['unasked']),
    reserved: quantity(line['reserved']),
    backordered: quantity(line['backordered']),
    fulfilled: quantity(line['fulfilled']),
    returned: quantity(line['returned']),
    closed: quantity(line['closed']),
    unheld: quantity(line['unheld']),
    picked: line.picked === undefined ? null : pickedFromJson(line.picked),
  }));
}

type StoredPick = Stored & { readonly missing?: readonly Stored[] };

const pickedToJson = ({ quantity: total, of, missing }: PickedTotal) => ({
  quantity: formatQuantity(total),
  of: formatQuantity(of),
  missing:
    missing.length === 0 ? undefined : missing.map((part) => ({ ...part, ...placeToJson(part), quantity: formatQuantity(part.quantity) })),
});
const pickedFromJson = (stored: StoredPick): PickedTotal => ({
  quantity: quantity(stored['quantity']),
  of: quantity(stored['of']),
  missing: (stored.missing ?? []).map((part) => ({
    warehouseId: String(part['warehouseId']),
    ...placeFromJson(part),
    quantity: quantity(part['quantity']),
  })),
});

export function refusalFromJson(stored: unknown): Refusal | null {
  return stored as Refusal | null;
}

export function refusedMessagesFromJson(stored: unknown): Demand['refusedMessages'] {
  return (stored as Demand['refusedMessages'] | null) ?? [];
}

/** Where most stock lies is not said. */
const placeToJson = ({ lot, location }: { lot: string; location: string }) => ({
  lot: lot === NO_LOT ? undefined : lot,
  location: location === DEFAULT_LOCATION ? undefined : location,
});
const placeFromJson = (line: Stored) => ({
  lot: (line['lot'] as string | undefined) ?? NO_LOT,
  location: (line['location'] as string | undefined) ?? DEFAULT_LOCATION,
});

export function shipmentLinesToJson(lines: readonly ShipmentLine[]): string {
  return JSON.stringify(
    lines.map((line) => ({
      ...line,
      ...placeToJson(line),
      quantity: formatQuantity(line.quantity),
      returned: unlessZero(line.returned),
      returnedValue: unlessZero(line.returnedValue),
      cost: costToJson(line.cost),
    })),
  );
}

export function shipmentLinesFromJson(stored: unknown): ShipmentLine[] {
  return (stored as (Stored & { readonly cost?: readonly Stored[] })[]).map((line) => ({
    lineNo: Number(line['lineNo']),
    itemId: String(line['itemId']),
    warehouseId: String(line['warehouseId']),
    ...placeFromJson(line),
    quantity: quantity(line['quantity']),
    returned: quantity(line['returned']),
    returnedValue: typeof line['returnedValue'] === 'string' ? parseMoney(line['returnedValue']) : ZERO,
    cost: costFromJson(line.cost),
  }));
}

const costToJson = (cost: readonly CostPart[]) =>
  cost.map((part) => ({ ...part, quantity: formatQuantity(part.quantity), value: formatQuantity(part.value) }));
const costFromJson = (cost: readonly Stored[] = []): CostPart[] =>
  cost.map((part) => ({
    receivedAt: new Date(String(part['receivedAt'])),
    receiptId: (part['receiptId'] as string | null | undefined) ?? null,
    quantity: quantity(part['quantity']),
    value: parseMoney(String(part['value'])),
  }));

export function transferLinesToJson(lines: readonly TransferLine[]): string {
  return JSON.stringify(
    lines.map((line) => ({
      itemId: line.itemId,
      lot: line.lot === NO_LOT ? undefined : line.lot,
      quantity: formatQuantity(line.quantity),
      received: unlessZero(line.received),
      missing: unlessZero(line.missing),
      cost: line.cost.length === 0 ? undefined : costToJson(line.cost),
    })),
  );
}

export function transferLinesFromJson(stored: unknown): TransferLine[] {
  return (stored as (Stored & { readonly cost?: readonly Stored[] })[]).map((line) => ({
    itemId: String(line['itemId']),
    lot: (line['lot'] as string | undefined) ?? NO_LOT,
    quantity: quantity(line['quantity']),
    received: quantity(line['received']),
    missing: quantity(line['missing']),
    cost: costFromJson(line.cost),
  }));
}

export function returnLinesToJson(lines: readonly ReturnLine[]): string {
  return JSON.stringify(
    lines.map((line) => ({
      ...line,
      ...placeToJson(line),
      quantity: formatQuantity(line.quantity),
      balanceAfter: formatQuantity(line.balanceAfter),
      value: unlessZero(line.value),
      inspected: unlessZero(line.inspected),
    })),
  );
}

export function returnLinesFromJson(stored: unknown): ReturnLine[] {
  return (stored as Stored[]).map((line) => ({
    lineNo: Number(line['lineNo']),
    itemId: String(line['itemId']),
    warehouseId: String(line['warehouseId']),
    ...placeFromJson(line),
    quantity: quantity(line['quantity']),
    quality: line['quality'] as Quality,
    balanceAfter: quantity(line['balanceAfter']),
    value: typeof line['value'] === 'string' ? parseMoney(line['value']) : ZERO,
    inspected: quantity(line['inspected']),
  }));
}
