import type { ExpectedReceipt, StockProjection } from '#libs/contracts';

export const anExpectedReceipt: ExpectedReceipt = {
  expectedReceiptId: 'po-4711-1',
  warehouseId: 'berlin',
  itemId: 'coffee-1kg',
  quantity: '100',
  receivedQuantity: '0',
  openQuantity: '100',
  expectedOn: '2026-03-15',
  reference: 'Purchase order 4711',
  status: 'open',
  createdAt: '2026-03-01T09:00:00.000Z',
  updatedAt: '2026-03-01T09:00:00.000Z',
  updatedBy: 'ann',
};

/** Null where the other is not: it says which fields may be null. */
export const aPartlyReceivedOne: ExpectedReceipt = {
  ...anExpectedReceipt,
  receivedQuantity: '60',
  openQuantity: '40',
  reference: null,
  updatedBy: null,
};

export const aCancelledOne: ExpectedReceipt = { ...aPartlyReceivedOne, openQuantity: '0', status: 'cancelled' };

export const aProjection: StockProjection = {
  itemId: 'coffee-1kg',
  warehouseId: 'berlin',
  days: [
    { date: '2026-03-14', projected: '-5', available: '0' },
    { date: '2026-03-15', projected: '95', available: '90' },
  ],
};
