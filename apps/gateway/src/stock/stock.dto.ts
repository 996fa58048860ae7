import { COMMAND_LINES_MAX, type AdjustmentReason, LEDGER_REF_TYPES, type LedgerRefType } from '#libs/contracts';
import {
  ChoiceField,
  DecimalField,
  IdField,
  ListField,
  QueryFlag,
  QueryIds,
  QueryInteger,
  TextField,
  TimestampField,
} from '../http/fields.js';
import { PageQuery } from '../http/paging.js';

const QUALITIES = ['available', 'pending_inspection', 'quarantined', 'damaged'] as const;
const REASONS = ['damage', 'loss', 'found', 'sample', 'internal_use', 'maintenance', 'correction'] as const satisfies AdjustmentReason[];
const RESERVATION_STATUSES = ['active', 'fulfilled', 'released', 'expired'] as const;
const ITEMS_ASKED_MAX = 200;
const optional = { optional: true } as const;
const clearable = { optional: true, nullable: true } as const;

export class ReceiptLine {
  @IdField({ example: 'coffee-1kg' })
  itemId: string;

  @DecimalField('positive', { example: '100' })
  quantity: string;

  @DecimalField('zero or more', { example: '4.2', description: "What one unit cost, in the organisation's currency." })
  unitCost: string;

  @IdField({ ...optional, example: 'L-2026-03' })
  lot?: string;

  @TimestampField({ ...optional, description: 'Of the lot: only with one.' })
  producedAt?: string;

  @TimestampField({ ...optional, description: 'Of the lot: only with one.' })
  expiresAt?: string;

  @IdField({ ...optional, example: 'A-01' })
  location?: string;

  @ChoiceField(QUALITIES, optional)
  quality?: (typeof QUALITIES)[number];

  @IdField({ ...optional, description: 'What of it was announced; it counts as received.', example: 'po-4711-1' })
  expectedReceiptId?: string;
}

export class NewReceipt {
  @IdField({ ...optional, description: 'A repeat with the same id and body has no second effect.', example: 'receipt-1' })
  receiptId?: string;

  @IdField({ example: 'berlin' })
  warehouseId: string;

  @TextField(200, { ...optional, example: 'Delivery note 4711' })
  reference?: string;

  @ListField(() => ReceiptLine, COMMAND_LINES_MAX)
  lines: ReceiptLine[];
}

export class NewAdjustment {
  @IdField({ example: 'berlin' })
  warehouseId: string;

  @IdField({ example: 'coffee-1kg' })
  itemId: string;

  @DecimalField('non-zero', { example: '-2' })
  quantityDelta: string;

  @TextField(500, { lengthMin: 1, example: 'Two bags torn by the fork lift' })
  reason: string;

  @ChoiceField(REASONS, { ...optional, example: 'damage' })
  reasonCode?: AdjustmentReason;

  @IdField(optional)
  lot?: string;

  @IdField(optional)
  location?: string;

  @DecimalField('zero or more', { ...optional, example: '4.2' })
  unitCost?: string;
}

export class SafetyStock {
  @IdField({ example: 'berlin' })
  warehouseId: string;

  @IdField({ example: 'coffee-1kg' })
  itemId: string;

  @DecimalField('zero or more', { ...clearable, description: 'Null: as the item says. Left out: as it was.', example: '10' })
  quantity?: string | null;

  @DecimalField('zero or more', {
    ...clearable,
    description: 'Of the sellable quantity; the larger of both counts. Null: none. Left out: as it was.',
    example: '5',
  })
  percent?: string | null;
}

export class ReorderPoint {
  @IdField({ example: 'berlin' })
  warehouseId: string;

  @IdField({ example: 'coffee-1kg' })
  itemId: string;

  @DecimalField('zero or more', { nullable: true, description: 'Null: as the item says.', example: '20' })
  reorderPoint: string | null;
}

export class AvailabilityQuery {
  @QueryIds(ITEMS_ASKED_MAX, { description: 'One or several.', example: ['coffee-1kg'] })
  itemId: string[];

  @QueryIds(ITEMS_ASKED_MAX, { ...optional, description: 'None: every warehouse that knows the item.', example: ['berlin'] })
  warehouseId?: string[];

  @QueryFlag({ description: 'Also the reservations, backorders and blocked quantities behind each figure.' })
  explain?: boolean;

  @QueryInteger(0, 36_500, { description: 'Lots that expire sooner do not count; absent = as item and organisation say.' })
  minRemainingShelfLifeDays?: number;

  @TimestampField({
    ...optional,
    description: 'As it was then, by what is recorded. Without explanation.',
    example: '2026-03-01T08:00:00Z',
  })
  asOf?: string;
}

export class StockQuery extends PageQuery {
  @IdField(optional)
  warehouseId?: string;

  @IdField(optional)
  itemId?: string;

  @QueryFlag({ description: 'Only what is at or below its threshold.' })
  low?: boolean;
}

export class ItemStockQuery {
  @IdField(optional)
  warehouseId?: string;
}

export class LedgerQuery extends PageQuery {
  @IdField(optional)
  itemId?: string;

  @IdField(optional)
  warehouseId?: string;

  @IdField(optional)
  orderId?: string;

  @ChoiceField(LEDGER_REF_TYPES, { ...optional, example: 'shipment' })
  refType?: LedgerRefType;

  @IdField(optional)
  refId?: string;

  @TimestampField(optional)
  from?: string;

  @TimestampField(optional)
  to?: string;
}

export class ReservationsQuery extends PageQuery {
  @IdField(optional)
  orderId?: string;

  @IdField(optional)
  itemId?: string;

  @ChoiceField(RESERVATION_STATUSES, optional)
  status?: (typeof RESERVATION_STATUSES)[number];
}
