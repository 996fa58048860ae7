import type { AdjustmentPost, Availability, LedgerEntry, ReceiptPost, Reservation, ResponseOf, StockRow } from '#libs/contracts';
import type { ItemStock } from './item-stock.js';

const MOVEMENT_ID = '019cb5b1-0000-7000-8000-000000000001';

export const aReceipt: ResponseOf<typeof ReceiptPost> = {
  receiptId: 'receipt-1',
  movementId: MOVEMENT_ID,
  lines: [{ itemId: 'coffee-1kg', quantity: '100', balanceAfter: '100' }],
};

export const anAdjustment: ResponseOf<typeof AdjustmentPost> = {
  movementId: MOVEMENT_ID,
  itemId: 'coffee-1kg',
  warehouseId: 'berlin',
  quantityDelta: '-2',
  reasonCode: 'damage',
  balanceAfter: '98',
};

export const anAvailability: Availability = {
  itemId: 'coffee-1kg',
  warehouseId: 'berlin',
  onHand: '98',
  reserved: '3',
  blocked: '0',
  expiredOrTooOld: '0',
  safetyStock: '5',
  discrepancyHold: '0',
  backordered: '0',
  inTransit: '0',
  available: '90',
  requiresAcknowledgement: false,
  warnings: [],
};

export const aStockRow: StockRow = {
  itemId: 'coffee-1kg',
  warehouseId: 'berlin',
  onHand: '98',
  reserved: '3',
  blocked: '0',
  available: '90',
  safetyStock: '5',
  reorderPoint: '20',
  threshold: '20',
  isLowStock: false,
};

export const anUnwatchedRow: StockRow = { ...aStockRow, itemId: 'coffee-500g', reorderPoint: null, threshold: '0' };

export const anItemStock: ItemStock = {
  itemId: 'coffee-1kg',
  onHand: '100',
  reserved: '3',
  available: '90',
  safetyStock: '7',
  reorderPoint: '40',
  threshold: '40',
  isLowStock: true,
  lowStockWarehouses: ['leipzig'],
  warehouses: [
    aStockRow,
    { ...aStockRow, warehouseId: 'leipzig', onHand: '2', reserved: '0', available: '0', safetyStock: '2', isLowStock: true },
  ],
};

export const aLedgerEntry: LedgerEntry = {
  entryNo: 1,
  movementId: MOVEMENT_ID,
  itemId: 'coffee-1kg',
  warehouseId: 'berlin',
  lot: null,
  location: 'default',
  quality: 'available',
  quantityDelta: '100',
  balanceAfter: '100',
  movementType: 'receipt',
  refType: 'receipt',
  refId: 'receipt-1',
  orderId: null,
  unitCost: '4.2',
  valueDelta: null,
  producedAt: null,
  expiresAt: null,
  flagged: false,
  discrepancyId: null,
  actor: 'ann',
  occurredAt: '2026-03-01T09:00:00.000Z',
  recordedAt: '2026-03-01T09:00:00.012Z',
  note: 'Delivery note 4711',
  reasonCode: null,
};

export const aReservation: Reservation = {
  reservationId: '019cb5b1-0000-7000-8000-000000000002',
  orderId: 'order-1',
  lineNo: 1,
  itemId: 'coffee-1kg',
  warehouseId: 'berlin',
  lot: null,
  location: 'default',
  quantity: '3',
  fulfilledQuantity: '0',
  status: 'active',
  firm: true,
  reservedAt: '2026-03-01T10:00:00.000Z',
  expiresAt: null,
  closedAt: null,
  releaseReason: null,
};

export const aShippedEntry: LedgerEntry = {
  ...aLedgerEntry,
  entryNo: 2,
  lot: 'L-2026-03',
  quantityDelta: '-3',
  balanceAfter: '97',
  movementType: 'sale_shipment',
  refType: 'shipment',
  refId: null,
  orderId: 'order-1',
  unitCost: null,
  valueDelta: '-12.6',
  producedAt: '2026-02-01T00:00:00.000Z',
  expiresAt: '2027-02-01T00:00:00.000Z',
  discrepancyId: '019cb5b1-0000-7000-8000-000000000007',
  actor: null,
  note: null,
};

export const aReleasedReservation: Reservation = {
  ...aReservation,
  lot: 'L-2026-03',
  status: 'released',
  firm: false,
  expiresAt: '2026-03-01T10:30:00.000Z',
  closedAt: '2026-03-01T10:10:00.000Z',
  releaseReason: 'Customer changed their mind',
};
