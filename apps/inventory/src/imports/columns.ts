import type { TSchema } from '@sinclair/typebox';
import { compile, GoodsReceived, type ImportKind, ItemCreate, LotFields, type Validate } from '#libs/contracts';
import { formatQuantity, parseQuantity, QUANTITY_PATTERN } from '#libs/domain';

/** As JSON. */
export type CellValue = string | number | readonly string[];

/** One column that a file may have: how its cells are read, and what they may be. */
export interface Column {
  readonly name: string;
  readonly isRequired: boolean;
  /** The JSON value that a client of the HTTP API would send for this text; what makes no sense stays text, and is refused. */
  readonly read: (text: string) => CellValue;
  /** By the very schema that the API checks the field with. */
  readonly validate: Validate;
  readonly expected: string;
}

type Reading = Pick<Column, 'read' | 'expected'>;

const DECIMAL = new RegExp(QUANTITY_PATTERN);
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const asText = (text: string) => text;
const asDecimal = (text: string) => (DECIMAL.test(text) ? formatQuantity(parseQuantity(text)) : text);
const asWholeNumber = (text: string) => (/^\d{1,9}$/.test(text) ? Number(text) : text);
const asList = (text: string) =>
  text
    .split(';')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
/** A date alone is its first moment. */
const asTime = (text: string) => (DATE.test(text) ? `${text}T00:00:00Z` : text);

const DECIMAL_EXPECTED = 'below 10^12 with at most 4 decimals and a decimal point';
const id: Reading = { read: asText, expected: 'an id: 1 to 64 of A-Z a-z 0-9 . _ : -' };
const text = (lengthMax: number): Reading => ({
  read: asText,
  expected: `text of up to ${lengthMax} characters without control characters`,
});
const positive: Reading = { read: asDecimal, expected: `a decimal above zero, ${DECIMAL_EXPECTED}` };
const zeroOrMore: Reading = { read: asDecimal, expected: `a decimal of zero or more, ${DECIMAL_EXPECTED}` };
const currency: Reading = { read: asText, expected: 'a currency code such as EUR' };
const days: Reading = { read: asWholeNumber, expected: 'a whole number from 0 to 36500' };
const ids: Reading = { read: asList, expected: 'up to 50 different ids, separated by semicolons' };
const time: Reading = { read: asTime, expected: 'a date such as 2026-03-01 or a time such as 2026-03-01T12:00:00Z' };
const choice = (...choices: string[]): Reading => ({ read: asText, expected: `one of ${choices.join(', ')}` });

function columnsOf(
  properties: Readonly<Record<string, TSchema>>,
  required: readonly string[],
  readings: Record<string, Reading>,
): Column[] {
  return Object.entries(readings).map(([name, reading]) => ({
    ...reading,
    name,
    isRequired: required.includes(name),
    validate: compile(properties[name]!),
  }));
}

const item = columnsOf(ItemCreate.request.properties, ['itemId', 'name'], {
  itemId: id,
  name: text(200),
  unit: text(20),
  tracking: choice('none', 'lot', 'serial'),
  costing: choice('fifo', 'lifo', 'average'),
  unitPrice: zeroOrMore,
  currency,
  reorderPoint: zeroOrMore,
  safetyStock: zeroOrMore,
  minRemainingShelfLifeDays: days,
  substitutes: ids,
});

const lot = columnsOf(LotFields.properties, ['itemId', 'lot'], { itemId: id, lot: id, producedAt: time, expiresAt: time });

const { lines, warehouseId } = GoodsReceived.data.properties;
const stock = columnsOf({ ...lines.items.properties, warehouseId }, ['warehouseId', 'itemId', 'quantity', 'unitCost'], {
  warehouseId: id,
  itemId: id,
  lot: id,
  quantity: positive,
  unitCost: zeroOrMore,
  producedAt: time,
  expiresAt: time,
  location: id,
  quality: choice('available', 'pending_inspection', 'quarantined', 'damaged'),
});

/** The columns of each kind of file, named as the fields of the HTTP API. */
export const COLUMNS: Readonly<Record<ImportKind, readonly Column[]>> = { items: item, lots: lot, stock };
