import type { AuditEvent, CustomerReturn, Order, PickListGet, ResponseOf, Shipment } from '#libs/contracts';

export const aShipment: Shipment = {
  shipmentId: 'shipment-1',
  orderId: 'order-1',
  status: 'posted',
  trackingNumber: '1Z999AA10123456784',
  shippedAt: '2026-03-02T09:00:00.000Z',
  lines: [{ lineNo: 1, itemId: 'coffee-1kg', quantity: '3', warehouseId: 'berlin', lot: null, cogs: null }],
  cogsTotal: null,
};

export const aCostedShipment: Shipment = {
  ...aShipment,
  trackingNumber: null,
  lines: [{ ...aShipment.lines[0]!, warehouseId: null, lot: 'L-2026-03', cogs: '12.6' }],
  cogsTotal: '12.6',
};

export const aReturn: CustomerReturn = {
  returnId: 'return-1',
  orderId: 'order-1',
  status: 'authorised',
  warehouseId: 'berlin',
  createdAt: '2026-03-05T09:00:00.000Z',
  lines: [
    {
      lineNo: 1,
      itemId: 'coffee-1kg',
      lot: null,
      quantity: '1',
      receivedQuantity: '0',
      inspectedQuantity: '0',
      condition: 'resellable',
      reason: 'Wrong size',
      refund: '9.99',
      verdicts: [],
    },
  ],
  refundTotal: null,
  currency: 'EUR',
};

export const aCompletedReturn: CustomerReturn = {
  ...aReturn,
  status: 'completed',
  warehouseId: null,
  lines: [
    {
      ...aReturn.lines[0]!,
      lot: 'L-2026-03',
      receivedQuantity: '1',
      inspectedQuantity: '1',
      refund: null,
      verdicts: [{ verdict: 'available', quantity: '1', note: 'Seal unbroken' }],
    },
  ],
  refundTotal: '9.99',
  currency: null,
};

export const anOrder: Order = {
  orderId: 'order-1',
  version: 1,
  status: 'created',
  stockReserved: true,
  requiresInventoryOverride: false,
  requiresDiscrepancyAcknowledgement: false,
  approvalRequestId: null,
  warnings: [],
  estimatedShipDate: '2026-03-02',
  estimatedDeliveryDate: '2026-03-02',
  customerId: 'customer-1',
  customerContact: { email: 'ann@example.com' },
  priority: 50,
  reservationMode: 'all_or_nothing',
  minRemainingShelfLifeDays: null,
  requestedShipDate: null,
  shippingAddress: { street: 'Hauptstr. 1', city: 'Berlin', country: 'DE' },
  currency: 'EUR',
  note: null,
  createdAt: '2026-03-01T10:00:00.000Z',
  updatedAt: '2026-03-01T10:00:00.000Z',
  confirmedAt: null,
  expiresAt: '2026-03-01T10:30:00.000Z',
  cancelledAt: null,
  cancelReason: null,
  lines: [
    {
      lineNo: 1,
      itemId: 'coffee-1kg',
      warehouseId: null,
      quantity: '3',
      reservedQuantity: '3',
      backorderedQuantity: '0',
      fulfilledQuantity: '0',
      returnedQuantity: '0',
      closedQuantity: '0',
      pickedQuantity: null,
      packedQuantity: null,
      unitPrice: '9.99',
      allocations: [{ warehouseId: 'berlin', lot: null, quantity: '3' }],
    },
  ],
  shipments: [],
  returns: [],
};

/** Null where the other is not, and the reverse: it says which fields may be null. */
export const aShippedOrder: Order = {
  ...anOrder,
  version: 5,
  status: 'shipped',
  warnings: ['Line 1, item coffee-1kg in berlin: An open discrepancy puts 3 of it in doubt.'],
  approvalRequestId: '019cb5b1-0000-7000-8000-000000000006',
  estimatedShipDate: null,
  estimatedDeliveryDate: null,
  requestedShipDate: '2026-03-02',
  customerContact: null,
  shippingAddress: null,
  currency: null,
  note: 'Leave at the door',
  confirmedAt: '2026-03-01T10:05:00.000Z',
  expiresAt: null,
  cancelledAt: '2026-03-01T10:05:00.000Z',
  cancelReason: 'Customer changed their mind',
  lines: [
    {
      ...anOrder.lines[0]!,
      warehouseId: 'berlin',
      reservedQuantity: '0',
      fulfilledQuantity: '3',
      pickedQuantity: '3',
      packedQuantity: '3',
      unitPrice: null,
      allocations: [{ warehouseId: 'berlin', lot: 'L-2026-03', quantity: '3' }],
    },
  ],
  shipments: [aShipment, aCostedShipment],
  returns: [aReturn, aCompletedReturn],
};

export const aPickList: ResponseOf<typeof PickListGet> = {
  lines: [
    {
      lineNo: 1,
      itemId: 'coffee-1kg',
      name: 'Coffee, 1 kg',
      warehouseId: 'berlin',
      lot: 'L-2026-03',
      location: 'A-01',
      quantity: '3',
      expiresAt: '2026-09-01T00:00:00.000Z',
    },
    {
      lineNo: 2,
      itemId: 'mug',
      name: 'Mug',
      warehouseId: 'berlin',
      lot: null,
      location: 'default',
      quantity: '1',
      expiresAt: null,
    },
  ],
};

export const anAuditEvent: AuditEvent = {
  auditEventId: '019cb5b1-0000-7000-8000-000000000003',
  type: 'order_created',
  orderId: 'order-1',
  actor: 'ann',
  occurredAt: '2026-03-01T10:00:00.000Z',
  details: {},
};
