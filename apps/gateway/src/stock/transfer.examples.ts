import type { Transfer } from '#libs/contracts';

export const aTransfer: Transfer = {
  transferId: 'transfer-1',
  fromWarehouseId: 'berlin',
  toWarehouseId: 'hamburg',
  mode: 'in_transit',
  status: 'in_transit',
  lines: [
    {
      itemId: 'coffee-1kg',
      lot: 'L-2026-03',
      quantity: '12',
      receivedQuantity: '0',
      missingQuantity: '0',
      inTransitQuantity: '12',
    },
  ],
  dispatchedAt: '2026-03-01T10:00:00.000Z',
  dispatchedBy: 'ann',
  completedAt: null,
};

/** Null where the other is not, and the reverse: it says which fields may be null. */
export const aCompletedTransfer: Transfer = {
  ...aTransfer,
  status: 'completed',
  lines: [{ itemId: 'coffee-1kg', lot: null, quantity: '12', receivedQuantity: '11', missingQuantity: '1', inTransitQuantity: '0' }],
  dispatchedBy: null,
  completedAt: '2026-03-02T10:00:00.000Z',
};
