import { Kind, type TSchema } from '@sinclair/typebox';

/** What a field of this name holds in examples, so that the examples of all messages tell one story. */
const BY_NAME: Readonly<Record<string, unknown>> = {
  orgId: 'acme',
  orderId: 'order-1001',
  itemId: 'coffee-1kg',
  warehouseId: 'berlin',
  shipmentId: 'shipment-1',
  returnId: 'return-1',
  receiptId: 'receipt-1',
  transferId: 'transfer-1',
  fromWarehouseId: 'berlin',
  toWarehouseId: 'hamburg',
  movementId: '019cb5b1-0000-7000-8000-000000000001',
  reservationId: '019cb5b1-0000-7000-8000-000000000002',
  approvalRequestId: '019cb5b1-0000-7000-8000-000000000003',
  discrepancyId: '019cb5b1-0000-7000-8000-000000000008',
  channelId: '019cb5b1-0000-7000-8000-000000000006',
  target: 'stock@example.com',
  importId: '019cb5b1-0000-7000-8000-000000000007',
  runId: '019cb5b1-0000-7000-8000-000000000009',
  findingId: '019cb5b1-0000-7000-8000-00000000000a',
  lot: 'L-2026-03',
  location: 'A-01',
  lineNo: 1,
  sequence: 1,
  priority: 50,
  ttlSeconds: 1800,
  quantity: '3',
  missing: '2',
  quantityDelta: '-3',
  requested: '3',
  reserved: '3',
  available: '90',
  onHand: '98',
  balanceAfter: '98',
  threshold: '20',
  unitCost: '4.2',
  source: 'https://oms.example.com',
  quality: 'available',
  to: 'confirmed',
  from: 'created',
  cause: 'damage',
  reference: 'Delivery note 4711',
};
const TIMESTAMP = '2026-03-01T10:00:00Z';

/**
 * A value that fits a schema, for documents: all required fields, optional ones only where {@link BY_NAME} has something to say.
 * A test holds every example against its own schema.
 */
export function exampleOf(schema: TSchema, name = ''): unknown {
  const known = BY_NAME[name];
  // A given word stays what it is: what a field of this name holds elsewhere may be none of this one's.
  if (known !== undefined && !isStructure(schema) && !isChoice(schema)) return known;
  switch (schema[Kind]) {
    case 'Object':
      return objectExample(schema);
    case 'Array':
      return (schema['minItems'] as number | undefined) === undefined && name === 'discrepancyIds'
        ? []
        : [exampleOf(schema['items'] as TSchema)];
    case 'Union':
      return exampleOf((schema['anyOf'] as TSchema[])[0]!, isChoice(schema) ? '' : name);
    case 'Literal':
      return schema['const'] as unknown;
    case 'Boolean':
      return true;
    case 'Integer':
      return (schema['minimum'] as number | undefined) ?? 1;
    case 'String':
      return stringExample(schema);
    case 'Null':
      return null;
    default:
      return {};
  }
}

function objectExample(schema: TSchema): Record<string, unknown> {
  const required = new Set((schema['required'] as string[] | undefined) ?? []);
  const fields = Object.entries(schema['properties'] as Record<string, TSchema>);
  const shown = fields.filter(([name]) => required.has(name) || name === 'warehouseId' || name === 'sequence');
  return Object.fromEntries(shown.map(([name, field]) => [name, exampleOf(field, name)]));
}

function stringExample(schema: TSchema): string {
  const { pattern, format } = schema as { pattern?: string; format?: string };
  if (format === 'date-time') return TIMESTAMP;
  if (format === 'date') return TIMESTAMP.slice(0, 10);
  if (format === 'email') return 'ann@example.com';
  // Decimals are the strings whose pattern is about digits.
  return pattern?.includes('[0-9]') ? '0' : 'text';
}

function isStructure(schema: TSchema): boolean {
  return schema[Kind] === 'Object' || schema[Kind] === 'Array';
}

function isChoice(schema: TSchema): boolean {
  return schema[Kind] === 'Union' && (schema['anyOf'] as TSchema[]).every((option) => option[Kind] === 'Literal');
}
