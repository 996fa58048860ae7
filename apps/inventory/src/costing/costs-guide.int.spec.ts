import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AdjustmentPost,
  type CallDefinition,
  CostCorrectionPost,
  ItemCreate,
  ReceiptPost,
  type RequestOf,
  type ResponseOf,
  ScrapPost,
  StockReturn,
  StockShip,
  StockUnship,
  TransferCreate,
  TransferReceive,
  ValuationList,
  WarehouseCreate,
} from '#libs/contracts';
import { formatQuantity, parseMoney, sumQuantities } from '#libs/domain';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';

// The worked examples of docs/costs.md, each table row by row as it stands there, against the service.

const guide = readFileSync(join(import.meta.dirname, '../../../../docs/costs.md'), 'utf8');

/** A table: its title row, of which the first cell is the costing, and what happens row by row. */
interface Example {
  readonly heading: string;
  readonly costing: 'fifo' | 'lifo' | 'average';
  readonly warehouses: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const examples = guide.split(/^##+ /m).flatMap((section) =>
  [...section.matchAll(/(?:^\|.*\|\n)+/gm)].map(([table]): Example => {
    const [title, , ...rows] = table.trimEnd().split('\n').map(cellsOf);
    const [costing, , ...columns] = title!;
    const warehouses = columns.flatMap((column) => /^layers in (\w+)$/.exec(column)?.[1] ?? []);
    return { heading: section.split('\n')[0]!, costing: costing!.toLowerCase() as Example['costing'], warehouses, rows };
  }),
);

function cellsOf(row: string): string[] {
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

let service: TestService;
let orgId: string;
let orgs = 0;
/** When each row had happened. */
let times: Date[];

beforeAll(async () => {
  service = await startTestService(inventory);
});
afterAll(() => service.stop());

const call = <D extends CallDefinition>(definition: D, request: RequestOf<D>): Promise<ResponseOf<D>> =>
  service.call(definition, Object.assign({}, request, { orgId }));
const line = (quantity: string) => [{ lineNo: 1, itemId: 'item', quantity }];
const goods = { warehouseId: 'main', itemId: 'item', reason: 'as the guide says' };

/** What may happen, as the tables say it; what is not said is ''. A text that is answered stands behind the change of value. */
const HAPPENINGS: readonly (readonly [RegExp, (...words: string[]) => Promise<unknown>])[] = [
  [
    /^receive (\S+): (\S+) at (\S+)$/,
    (receiptId, quantity, unitCost) =>
      call(ReceiptPost, {
        receiptId: receiptId,
        warehouseId: 'main',
        lines: [{ itemId: 'item', quantity: quantity, unitCost: unitCost }],
      }),
  ],
  [
    /^ship (\S+): (\S+)(?: from (\S+))?$/,
    (shipmentId, quantity, warehouse) =>
      call(StockShip, { shipmentId: shipmentId, orderId: `o-${shipmentId}`, warehouseId: warehouse || 'main', lines: line(quantity) }),
  ],
  [/^cancel (\S+)$/, (shipmentId) => call(StockUnship, { shipmentId: shipmentId, orderId: `o-${shipmentId}` })],
  [
    /^return (\S+): (\S+) of (\S+)$/,
    (returnId, quantity, shipmentId) =>
      call(StockReturn, { returnId: returnId, orderId: `o-${shipmentId}`, warehouseId: 'main', lines: line(quantity) }),
  ],
  [/^move (\S+): (\S+) from (\S+) to (\S+)$/, (...words) => transfer('immediate', ...words)],
  [/^send (\S+): (\S+) from (\S+) to (\S+)$/, (...words) => transfer('in_transit', ...words)],
  [
    /^(\S+) arrives: (\S+), the rest is missing$/,
    (transferId, quantity) =>
      call(TransferReceive, { transferId: transferId, lines: [{ itemId: 'item', quantity: quantity }], closeShortLines: true }),
  ],
  [/^lose (\S+)$/, (quantity) => call(AdjustmentPost, { ...goods, quantityDelta: `-${quantity}`, reasonCode: 'loss' })],
  [
    /^find (\S+)(?: at (\S+))?$/,
    (quantity, unitCost) =>
      call(AdjustmentPost, { ...goods, quantityDelta: quantity, reasonCode: 'found', ...(unitCost === '' ? {} : { unitCost }) }),
  ],
  [/^scrap (\S+)$/, (quantity) => call(ScrapPost, { ...goods, quantity: quantity })],
  [
    /^correct (\S+): (unit|landed) cost (\S+)$/,
    async (receiptId, kind, cost) => {
      const said = kind === 'unit' ? { unitCost: cost } : { landedCost: cost };
      const { issuedDelta } = await call(CostCorrectionPost, { receiptId: receiptId, lines: [{ itemId: 'item', ...said }] });
      return `(issued ${signed(issuedDelta)})`;
    },
  ],
  [
    /^as of row (\d+)$/,
    async (row) => {
      const { items } = await call(ValuationList, { itemId: 'item', asOf: times[Number(row) - 1]!.toISOString() });
      return `${items[0]!.quantity} worth ${items[0]!.value}`;
    },
  ],
];

const transfer = (mode: 'immediate' | 'in_transit', ...[transferId, quantity, from, to]: string[]) =>
  call(TransferCreate, {
    transferId: transferId!,
    fromWarehouseId: from!,
    toWarehouseId: to!,
    mode,
    lines: [{ itemId: 'item', quantity: quantity! }],
  });

const signed = (value: string) => (value === '0' || value.startsWith('-') ? value : `+${value}`);

/** Lets it happen, and says by how much the ledger changed the value of the stock, and what was answered beside. */
async function happen(what: string): Promise<string> {
  for (const [pattern, act] of HAPPENINGS) {
    const words = pattern.exec(what);
    if (words === null) continue;
    const since = await entries();
    const answer = await act(...words.slice(1).map((word: string | undefined) => word ?? ''));
    const posted = (await entries()).slice(since.length);
    const change = signed(formatQuantity(sumQuantities(posted, (value) => parseMoney(value))));
    if (typeof answer !== 'string') return change;
    return what.startsWith('as of') ? answer : `${change} ${answer}`;
  }
  throw new Error(`The guide says "${what}", which this test does not know.`);
}

async function entries(): Promise<string[]> {
  const rows = await service.database.rows<{ value_delta: string }>(
    'select value_delta::text from inventory.ledger_entry where org_id = $1 order by recorded_at, entry_no',
    [orgId],
  );
  return rows.map(({ value_delta }) => value_delta);
}

/** What lies where, as the tables say it. */
async function valued(warehouses: readonly string[]): Promise<string[]> {
  const { items } = await call(ValuationList, { itemId: 'item' });
  const layers = warehouses.map((warehouse) =>
    (items.find(({ warehouseId }) => warehouseId === warehouse)?.layers ?? []).map(
      ({ quantity, value, receiptId }) => `${quantity} worth ${value}${receiptId === null ? '' : ` (${receiptId})`}`,
    ),
  );
  const value = formatQuantity(sumQuantities(items, (item) => parseMoney(item.value)));
  return [...layers.map((each) => (each.length === 0 ? 'none' : each.join(', '))), value];
}

it('has examples of every costing', () => {
  expect(new Set(examples.map(({ costing }) => costing))).toEqual(new Set(['fifo', 'lifo', 'average']));
});

it.each(examples.map((example, index) => [`${index + 1}. ${example.heading}, ${example.costing}`, example] as const))(
  '%s',
  async (_, { costing, warehouses, rows }) => {
    orgId = `guide-${++orgs}`;
    times = [];
    for (const warehouseId of ['main', 'east']) await call(WarehouseCreate, { warehouseId, name: warehouseId });
    await call(ItemCreate, { itemId: 'item', name: 'Item', costing });
    const played: string[][] = [];
    for (const [what] of rows) {
      const change = await happen(what!);
      played.push([what!, change, ...(await valued(warehouses))]);
      // What happens next is recorded in a later millisecond.
      const [clock] = await service.database.rows<{ at: Date }>('select clock_timestamp() as at, pg_sleep(0.002)');
      times.push(clock!.at);
    }
    expect(played).toEqual(rows);
  },
);
