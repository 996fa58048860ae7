import { formatQuantity, SCALE } from '#libs/domain';
import type { Outstanding } from './outstanding.js';
import { refusalError } from './settlement-note.js';
import type { Refusal } from './stock-report.js';

const by = { sequence: 1, since: 0, digest: '', actor: 'tester', askedAt: '2026-01-10T12:00:00Z' };
const two = formatQuantity(2n * SCALE);
const said = {
  pick: { kind: 'pick', data: { orderId: 'o', lines: [{ lineNo: 2, quantity: two, lots: [{ lot: 'x', quantity: two }] }] }, ...by },
  inspect: {
    kind: 'inspect',
    data: { returnId: 'r', orderId: 'o', lines: [{ lineNo: 1, quantity: two, lot: 'zz', verdict: 'scrap' }] },
    ...by,
  },
  receive: {
    kind: 'receive',
    data: { returnId: 'r', orderId: 'o', warehouseId: 'nope', lines: [{ lineNo: 1, itemId: 'a', quantity: two }] },
    ...by,
  },
  unship: { kind: 'unship', data: { shipmentId: 's', orderId: 'o' }, ...by },
} satisfies Record<string, Outstanding>;
const refusal = (reason: Refusal['reason'], more: Partial<Refusal> = {}): Refusal => {
  return { reason, lines: [], discrepancyIds: [], alternatives: [], ...more };
};

it.each([
  ['LOT_NOT_FOUND', said.pick, 'lot x of line 2'],
  ['LOT_NOT_FOUND', said.inspect, 'lot zz of line 1'],
  ['WAREHOUSE_NOT_FOUND', said.receive, 'warehouse nope'],
  ['RETURN_NOT_FOUND', said.inspect, 'return r'],
  ['SHIPMENT_NOT_FOUND', said.unship, 'shipment s'],
] as const)('a refusal with %s names what is not known', (reason, outstanding, named) => {
  expect(refusalError('o', outstanding, refusal(reason)).message).toBe(`Inventory does not know what was said of order o: ${named}.`);
});

it('a refusal says what exactly is wrong, where inventory does', () => {
  const error = refusalError('o', said.pick, refusal('INSUFFICIENT_STOCK', { detail: 'Lot x is too old.' }));
  expect(error).toMatchObject({ kind: 'conflict', code: 'INSUFFICIENT_STOCK', message: 'Lot x is too old.' });
});
