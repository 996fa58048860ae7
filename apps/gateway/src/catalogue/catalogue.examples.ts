import type { Item, Warehouse } from '#libs/contracts';

export const aWarehouse: Warehouse = { warehouseId: 'berlin', name: 'Berlin', priority: 1, createdAt: '2026-03-01T08:00:00.000Z' };

export const aBareItem: Item = {
  itemId: 'coffee-500g',
  name: 'Coffee, 500 g',
  unit: 'piece',
  tracking: 'none',
  costing: 'fifo',
  unitPrice: null,
  currency: null,
  reorderPoint: null,
  safetyStock: null,
  minRemainingShelfLifeDays: 30,
  substitutes: [],
  createdAt: '2026-03-01T08:00:00.000Z',
};

export const anItem: Item = {
  itemId: 'coffee-1kg',
  name: 'Coffee, 1 kg',
  unit: 'piece',
  tracking: 'none',
  costing: 'fifo',
  unitPrice: '9.99',
  currency: 'EUR',
  reorderPoint: '20',
  safetyStock: '5',
  minRemainingShelfLifeDays: null,
  substitutes: ['coffee-500g'],
  createdAt: '2026-03-01T08:00:00.000Z',
};
