import { COMMAND_LINES_MAX, ORDER_LINES_MAX, type OrderStatus } from '#libs/contracts';
import {
  BooleanField,
  ChoiceField,
  CurrencyField,
  DateField,
  DecimalField,
  EmailField,
  IdField,
  IntegerField,
  JsonField,
  ListField,
  ObjectField,
  TextField,
  TimestampField,
} from '../http/fields.js';
import { PageQuery } from '../http/paging.js';

const RESERVATION_MODES = ['all_or_nothing', 'partial'] as const;
const ORDER_STATUSES = [
  'reserving',
  'created',
  'pending_approval',
  'backordered',
  'confirmed',
  'picking',
  'packed',
  'partially_shipped',
  'shipped',
  'cancelled',
  'rejected',
  'expired',
] as const satisfies OrderStatus[];
const LINE_NO_MAX = 1_000_000;
const optional = { optional: true } as const;

class CustomerContact {
  @EmailField(optional)
  email?: string;
}

export class NewOrderLine {
  @IdField({ example: 'coffee-1kg' })
  itemId: string;

  @DecimalField('positive', { example: '3' })
  quantity: string;

  @IdField({ ...optional, description: 'None: as the sourcing strategy decides.', example: 'berlin' })
  warehouseId?: string;

  @DecimalField('zero or more', {
    ...optional,
    description: "The item's unless said; another one only from service, finance_manager and admin.",
    example: '9.99',
  })
  unitPrice?: string;

  @IdField(optional)
  lot?: string;
}

export class NewOrder {
  @IdField({ ...optional, description: 'A repeat with the same id and body has no second effect.', example: 'order-1' })
  orderId?: string;

  @IdField({ example: 'customer-1' })
  customerId: string;

  @ObjectField(() => CustomerContact, optional)
  customerContact?: CustomerContact;

  @ListField(() => NewOrderLine, ORDER_LINES_MAX)
  lines: NewOrderLine[];

  @ChoiceField(RESERVATION_MODES, { ...optional, example: 'all_or_nothing' })
  reservationMode?: (typeof RESERVATION_MODES)[number];

  @IntegerField(0, 36_500, {
    ...optional,
    description: 'How many days its lots must live; absent = as items and organisation say.',
    example: 14,
  })
  minRemainingShelfLifeDays?: number;

  @IntegerField(0, 100, { ...optional, description: 'Higher is served first.', example: 50 })
  priority?: number;

  @DateField(optional)
  requestedShipDate?: string;

  @JsonField({ ...optional, example: { street: 'Hauptstr. 1', city: 'Berlin', country: 'DE' } })
  shippingAddress?: Record<string, unknown>;

  @CurrencyField(optional)
  currency?: string;

  @TextField(2_000, { ...optional, example: 'Leave at the door' })
  note?: string;
}

export class OrderLineChange extends NewOrderLine {
  @IntegerField(1, LINE_NO_MAX, { ...optional, description: 'Of the line that is changed; none: a new line.', example: 1 })
  lineNo?: number;
}

export class OrderChange {
  @ListField(() => OrderLineChange, ORDER_LINES_MAX, { description: 'The new whole set: lines that are missing are dropped.' })
  lines: OrderLineChange[];
}

export class Reason {
  @TextField(500, { ...optional, example: 'Customer changed their mind' })
  reason?: string;
}

export class RequiredReason {
  @TextField(500, { lengthMin: 1, example: 'The carrier did not come' })
  reason: string;
}

export class OrdersQuery extends PageQuery {
  @ChoiceField(ORDER_STATUSES, optional)
  status?: OrderStatus;

  @IdField(optional)
  customerId?: string;

  @TimestampField(optional)
  from?: string;

  @TimestampField(optional)
  to?: string;
}

class LotQuantity {
  @IdField({ example: 'L-2026-03' })
  lot: string;

  @DecimalField('positive', { example: '3' })
  quantity: string;
}

class PickedLot {
  @IdField({ ...optional, description: 'Of a tracked item.', example: 'L-2026-03' })
  lot?: string;

  @DecimalField('positive', { example: '3' })
  quantity: string;

  @IdField({ ...optional, example: 'A-01' })
  location?: string;
}

class HandledLine {
  @IntegerField(1, LINE_NO_MAX, { example: 1 })
  lineNo: number;

  @DecimalField('zero or more', { description: 'In total so far, not in addition.', example: '3' })
  quantity: string;

  @ListField(() => PickedLot, COMMAND_LINES_MAX, {
    ...optional,
    description: 'Where it was picked, if not as suggested; they add up to the quantity. Refused when it is packed.',
  })
  lots?: PickedLot[];
}

export class HandledLines {
  @ListField(() => HandledLine, COMMAND_LINES_MAX, { ...optional, countMin: 0, description: 'None: exactly as suggested.' })
  lines?: HandledLine[];
}

class ShippedLine {
  @IntegerField(1, LINE_NO_MAX, { example: 1 })
  lineNo: number;

  @DecimalField('positive', { example: '3' })
  quantity: string;

  @IdField({ ...optional, example: 'berlin' })
  warehouseId?: string;

  @IdField(optional)
  lot?: string;

  @ListField(() => LotQuantity, COMMAND_LINES_MAX, optional)
  lots?: LotQuantity[];
}

export class NewShipment {
  @IdField({ ...optional, description: 'A repeat with the same id and body has no second effect.', example: 'shipment-1' })
  shipmentId?: string;

  @TextField(200, { ...optional, example: '1Z999AA10123456784' })
  trackingNumber?: string;

  @BooleanField({ ...optional, description: 'What is not shipped of the named lines will not be shipped any more.' })
  closeShortLines?: boolean;

  @ListField(() => ShippedLine, COMMAND_LINES_MAX)
  lines: ShippedLine[];
}
