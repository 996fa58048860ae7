import { signActorToken } from '#libs/auth';
import type { CallDefinition } from '#libs/contracts';
import { exampleOf } from '../../libs/contracts/src/example-of.js';
import { eventually } from './eventually.js';
import type { App } from './service-process.js';
import type { Installation } from './installation.js';
import type { Outsider } from './outsider.js';

/** As in the examples of the calls. */
const CHANNEL = '019cb5b1-0000-7000-8000-000000000006';
const IMPORT = '019cb5b1-0000-7000-8000-000000000007';
const RUN = '019cb5b1-0000-7000-8000-000000000009';
const TEXT_IDS = {
  itemId: 'i',
  warehouseId: 'w',
  orderId: 'o',
  shipmentId: 's',
  returnId: 'r',
  receiptId: 'rc',
  expectedReceiptId: 'er',
  transferId: 'tr',
  fromWarehouseId: 'w',
  toWarehouseId: 'w2',
} as const;

/** The services that what {@link oneOfEverything} makes belongs to. */
export const SERVICES_OF_EVERYTHING = [
  'inventory',
  'orders',
  'approvals',
  'notifications',
  'reconciliation',
] as const satisfies readonly App[];

type Ask = (service: (typeof SERVICES_OF_EVERYTHING)[number], pattern: string, data: object) => Promise<Readonly<Record<string, unknown>>>;

/**
 * Makes an organisation with one of everything, with the same ids in each, in the services of {@link SERVICES_OF_EVERYTHING}; `word`
 * stands in all that can hold a text.
 *
 * @returns the ids, by the name of the field or parameter that holds one.
 */
export async function oneOfEverything(
  installation: Installation,
  outsider: Outsider,
  orgId: string,
  word: string,
): Promise<Readonly<Record<string, string>>> {
  const ask: Ask = async (service, pattern, data) => {
    const actor = await signActorToken({ userId: word, orgId, roles: ['admin'], warehouses: null });
    const { err, response } = await outsider.call(service, pattern, { ...data, orgId, actor }, 20_000);
    if (err !== undefined) throw new Error(`${pattern}: ${JSON.stringify(err)}`);
    return response!;
  };
  await stockUp(ask, word);
  await eventually(() => installation.database.rows('select 1 from inventory.import where org_id = $1 and cleared', [orgId]));
  await sell(ask, word);
  const policy = { requiredRole: 'admin', escalateTo: [], remindAfterHours: 1, escalateAfterHours: 2, expireAfterHours: 3 };
  await ask('approvals', 'approval-policies.set', { policies: [{ ...policy, kind: 'adjustment' }] });
  const request = await ask('approvals', 'approvals.request', {
    ...{ kind: 'adjustment', subjectType: 'order', subjectId: 'o', requestedBy: word, reason: word, availabilitySnapshot: word },
    ...{ lines: [{ itemId: 'i', warehouseId: 'w', quantity: '1' }], warehouses: ['w'] },
    magnitudes: { quantity: '1', percent: null, value: null },
  });
  const { findings } = await ask('inventory', 'discrepancies.record-findings', {
    runId: 'run',
    findings: [{ findingKey: 'found', kind: 'on_hand', itemId: 'i', warehouseId: 'w', expected: '100', actual: '99', note: word }],
  });
  // The shipment crossed the reorder point; nobody is there to be told.
  const states = () =>
    installation.database.rows<{ status: string }>('select status from notifications.delivery where org_id = $1', [orgId]);
  await eventually(async () => (await states()).some(({ status }) => status === 'failed'));
  await eventually(async () => (await states()).every(({ status }) => status === 'failed'));
  await reconcile(ask, installation, orgId);
  const parked = await park(installation, outsider, orgId, word);
  await eventually(
    async () =>
      (
        await installation.database.rows(
          'select 1 from orders.outbox union all select 1 from inventory.outbox union all select 1 from approvals.outbox union all select 1 from reconciliation.outbox',
        )
      ).length === 0,
  );
  return {
    ...TEXT_IDS,
    channelId: CHANNEL,
    importId: IMPORT,
    runId: RUN,
    approvalRequestId: String(request['approvalRequestId']),
    discrepancyId: (findings as { discrepancyId: string }[])[0]!.discrepancyId,
    ...parked,
  };
}

async function stockUp(ask: Ask, word: string): Promise<void> {
  await ask('inventory', 'warehouses.create', { warehouseId: 'w', name: word });
  await ask('inventory', 'items.create', { itemId: 'i', name: word, unitPrice: '1', reorderPoint: '98' });
  await ask('notifications', 'notification-channels.create', {
    channelId: CHANNEL,
    kind: 'webhook',
    name: word,
    // Nobody is there: what is sent to it waits, to be looked at.
    target: 'https://nobody.invalid/',
    secret: `whsec_${Buffer.from(word.padEnd(24, '.')).toString('base64')}`,
  });
  await ask('inventory', 'receipts.post', {
    receiptId: 'rc',
    warehouseId: 'w',
    reference: word,
    lines: [{ itemId: 'i', quantity: '100', unitCost: '1' }],
  });
  await ask('inventory', 'items.create', { itemId: 'il', name: word, tracking: 'lot' });
  await ask('inventory', 'receipts.post', {
    receiptId: 'rcl',
    warehouseId: 'w',
    lines: [{ itemId: 'il', quantity: '1', unitCost: '1', lot: 'l' }],
  });
  await ask('inventory', 'expected-receipts.create', {
    expectedReceiptId: 'er',
    warehouseId: 'w',
    itemId: 'i',
    quantity: '3',
    expectedOn: '2026-03-15',
    reference: word,
  });
  await ask('inventory', 'warehouses.create', { warehouseId: 'w2', name: word, priority: 1000 });
  await ask('inventory', 'transfers.create', {
    transferId: 'tr',
    fromWarehouseId: 'w',
    toWarehouseId: 'w2',
    mode: 'in_transit',
    lines: [{ itemId: 'i', quantity: '2' }],
  });
  await ask('inventory', 'adjustments.post', { warehouseId: 'w', itemId: 'i', quantityDelta: '-1', reason: word });
  await ask('inventory', 'safety-stock.set', { warehouseId: 'w', itemId: 'i', quantity: '7' });
  await ask('inventory', 'imports.receive', {
    importId: IMPORT,
    kind: 'items',
    part: 1,
    data: Buffer.from(`itemId,name\nimported,${word}\n`).toString('base64'),
    last: true,
  });
}

async function sell(ask: Ask, word: string): Promise<void> {
  await ask('orders', 'orders.create', { orderId: 'o', customerId: word, note: word, lines: [{ itemId: 'i', quantity: '9' }] });
  await ask('orders', 'orders.confirm', { orderId: 'o' });
  await ask('orders', 'shipments.create', { orderId: 'o', shipmentId: 's', trackingNumber: word, lines: [{ lineNo: 1, quantity: '5' }] });
  await ask('orders', 'returns.create', {
    orderId: 'o',
    returnId: 'r',
    lines: [{ lineNo: 1, quantity: '2', condition: 'unknown', reason: word }],
  });
  await ask('orders', 'returns.receive', { returnId: 'r' });
}

/** A run that finds something in a warehouse, which is as it was afterwards. */
async function reconcile(ask: Ask, { database }: Installation, orgId: string): Promise<void> {
  const addValue = (value: number) =>
    database.rows(`update inventory.stock_balance set value = value + $2 where org_id = $1 and item_id = 'il'`, [orgId, value]);
  await addValue(1);
  await ask('reconciliation', 'reconciliation-runs.start', { runId: RUN });
  await eventually(() => database.rows(`select 1 from reconciliation.run where org_id = $1 and status <> 'running'`, [orgId]), 60_000);
  await addValue(-1);
}

/** Something to look at among the parked messages of each service: `{ messageId, 'orders.messageId': ... }`. */
async function park({ database }: Installation, outsider: Outsider, orgId: string, word: string): Promise<Record<string, string>> {
  const ids: Record<string, string> = {};
  for (const [service, type] of Object.entries({
    inventory: 'OrderConfirmed',
    orders: 'StockReserved',
    notifications: 'LowStockDetected',
    reconciliation: 'WarehouseCreated',
  })) {
    const broken = outsider.envelope({ type, orgId, data: { orderId: word } });
    await outsider.publishBytes(`${type}.${orgId}`, Buffer.from(JSON.stringify(broken)));
    const sql = `select id from ${service}.parked_message where org_id = $1`;
    const [message] = await eventually(() => database.rows<{ id: string }>(sql, [orgId]));
    ids[service === 'inventory' ? 'messageId' : `${service}.messageId`] = message!.id;
  }
  return ids;
}

/** What a request of a call looks like, or the data of an event, with the ids that all organisations use, or with these. */
export function requestOf(
  definition: Pick<CallDefinition, 'request'>,
  orgId: string,
  ids: Readonly<Record<string, string>> = { ...TEXT_IDS, messageId: '019cb5b1-0000-7000-8000-000000000005' },
): Record<string, unknown> {
  const rename = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rename);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, renamed(name) ?? rename(inner)]));
  };
  const renamed = (name: string) => ids[name] ?? (name === 'itemIds' ? [ids['itemId']] : undefined);
  return { ...(rename(exampleOf(definition.request)) as Record<string, unknown>), orgId };
}
