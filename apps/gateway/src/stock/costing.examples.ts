import type { CostCorrectionAnswer, ItemValuation } from '#libs/contracts';

export const aCostCorrection: CostCorrectionAnswer = {
  receiptId: 'receipt-1',
  movementId: '019cb5b1-0000-7000-8000-000000000008',
  remainingDelta: '53.35',
  issuedDelta: '1.65',
  lines: [
    { itemId: 'coffee-1kg', lot: 'L-2026-03', remainingDelta: '53.35', issuedDelta: '1.65' },
    { itemId: 'coffee-500g', lot: null, remainingDelta: '0', issuedDelta: '0' },
  ],
};

export const aValuation: ItemValuation = {
  itemId: 'coffee-1kg',
  warehouseId: 'berlin',
  quantity: '107',
  value: '455.4',
  layers: [
    { receivedAt: '2026-03-01T09:00:00.000Z', receiptId: 'receipt-1', quantity: '97', value: '407.4', unitCost: '4.2' },
    { receivedAt: '2026-03-02T09:00:00.000Z', receiptId: null, quantity: '10', value: '48', unitCost: '4.8' },
  ],
  truncated: false,
};
