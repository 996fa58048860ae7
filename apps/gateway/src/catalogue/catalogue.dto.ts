import { ChoiceField, CurrencyField, DecimalField, IdField, IdListField, IntegerField, TextField } from '../http/fields.js';

const TRACKING = ['none', 'lot', 'serial'] as const;
const COSTING = ['fifo', 'lifo', 'average'] as const;
const PRIORITY_MAX = 1_000_000;
const SHELF_LIFE_DAYS_MAX = 36_500;
const SUBSTITUTES_MAX = 50;
const optional = { optional: true } as const;
const clearable = { optional: true, nullable: true } as const;

export class WarehouseChange {
  @TextField(200, { ...optional, lengthMin: 1, example: 'Berlin' })
  name?: string;

  @IntegerField(0, PRIORITY_MAX, { ...optional, description: 'Lower comes first when a line names no warehouse.', example: 1 })
  priority?: number;
}

export class NewWarehouse {
  @IdField({ example: 'berlin' })
  warehouseId: string;

  @TextField(200, { lengthMin: 1, example: 'Berlin' })
  name: string;

  @IntegerField(0, PRIORITY_MAX, { ...optional, description: 'Lower comes first when a line names no warehouse.', example: 1 })
  priority?: number;
}

class ItemFields {
  @TextField(20, { ...optional, lengthMin: 1, example: 'piece' })
  unit?: string;

  @ChoiceField(COSTING, { ...optional, example: 'fifo' })
  costing?: (typeof COSTING)[number];

  @DecimalField('zero or more', { ...clearable, example: '9.99' })
  unitPrice?: string | null;

  @CurrencyField({ ...optional, description: "The organisation's currency unless said." })
  currency?: string;

  @DecimalField('zero or more', { ...clearable, description: 'On hand at or below it counts as low.', example: '20' })
  reorderPoint?: string | null;

  @DecimalField('zero or more', { ...clearable, description: 'Never newly promised, in each warehouse.', example: '5' })
  safetyStock?: string | null;

  @IntegerField(0, SHELF_LIFE_DAYS_MAX, { ...clearable, example: 30 })
  minRemainingShelfLifeDays?: number | null;

  @IdListField(SUBSTITUTES_MAX, { ...optional, description: 'Items that may be offered instead.', example: ['coffee-500g'] })
  substitutes?: string[];
}

export class NewItem extends ItemFields {
  @IdField({ example: 'coffee-1kg' })
  itemId: string;

  @TextField(200, { lengthMin: 1, example: 'Coffee, 1 kg' })
  name: string;

  @ChoiceField(TRACKING, { ...optional, example: 'none' })
  tracking?: (typeof TRACKING)[number];
}

export class ItemChange extends ItemFields {
  @TextField(200, { ...optional, lengthMin: 1, example: 'Coffee, 1 kg' })
  name?: string;
}
