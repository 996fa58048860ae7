import { SERVICE_NAMES } from '../../apps/standalone/src/service-names.js';
import type { Finding, ReconciliationRun } from '#libs/contracts';
import type { TestDatabase } from '#libs/testing';
import { eventually } from './eventually.js';
import { HttpClient } from './http-client.js';
import { OneProcess } from './one-process.js';

let orgs = 0;

/** All services in one process, and an organisation whose books can be damaged behind their back. */
export class Books {
  orgId = '';
  admin!: HttpClient;

  private constructor(private readonly holdfast: OneProcess) {}

  static async open(): Promise<Books> {
    return new Books(await OneProcess.start(SERVICE_NAMES, { poolSizeMax: 4 }));
  }

  get database(): TestDatabase {
    return this.holdfast.database;
  }

  get url(): string {
    return this.holdfast.url;
  }

  async close(): Promise<void> {
    await this.holdfast.stop();
  }

  /** Another organisation, of which nothing is known yet. */
  async begin(): Promise<void> {
    this.orgId = `org-${++orgs}`;
    this.admin = await HttpClient.signIn(this.url, this.orgId);
  }

  async ask<T = Record<string, unknown>>(method: string, path: string, body?: object): Promise<T> {
    const answer = await this.admin.send(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as T;
  }

  /** Runs a reconciliation to its end, and answers it with all its findings. */
  async reconcile(): Promise<ReconciliationRun> {
    const { runId } = await this.ask<ReconciliationRun>('POST', '/reconciliation/runs');
    const read = () => this.ask<ReconciliationRun>('GET', `/reconciliation/runs/${runId}?limit=500`);
    await eventually(async () => (await read()).status !== 'running', 60_000);
    return await read();
  }

  /** A month in which everything happens that can happen to stock. */
  async live(): Promise<void> {
    await this.ask('POST', '/warehouses', { warehouseId: 'w1', name: 'One' });
    await this.ask('POST', '/warehouses', { warehouseId: 'w2', name: 'Two' });
    await this.ask('POST', '/warehouses/w1/locations', { location: 'A-01' });
    await this.ask('POST', '/items', { itemId: 'mug', name: 'Mug', unitPrice: '9' });
    await this.ask('POST', '/items', { itemId: 'tea', name: 'Tea', tracking: 'lot', costing: 'average' });
    await this.ask('POST', '/items', { itemId: 'bike', name: 'Bike', tracking: 'serial', costing: 'lifo' });
    const lines = [
      { itemId: 'mug', quantity: '100', unitCost: '3.33' },
      { itemId: 'tea', quantity: '40', unitCost: '1.1', lot: 'L1', expiresAt: '2030-01-01T00:00:00Z' },
      { itemId: 'tea', quantity: '60', unitCost: '1.7', lot: 'L2' },
      { itemId: 'bike', quantity: '1', unitCost: '700', lot: 'S1' },
      { itemId: 'bike', quantity: '1', unitCost: '750', lot: 'S2' },
    ];
    await this.ask('POST', '/inventory/receipts', { receiptId: 'r1', warehouseId: 'w1', lines });
    await this.ask('POST', '/inventory/receipts', {
      receiptId: 'r2',
      warehouseId: 'w2',
      lines: [{ itemId: 'mug', quantity: '7', unitCost: '4' }],
    });
    await this.ask('POST', '/inventory/moves', { warehouseId: 'w1', itemId: 'mug', quantity: '20', from: 'default', to: 'A-01' });
    const change = { warehouseId: 'w1', itemId: 'mug', from: 'available', to: 'damaged', reason: 'dropped' };
    await this.ask('POST', '/inventory/quality-changes', { ...change, quantity: '3' });
    await this.ask('POST', '/inventory/adjustments', { warehouseId: 'w1', itemId: 'mug', quantityDelta: '-2', reason: 'lost' });
    await this.ask('POST', '/inventory/scraps', { warehouseId: 'w1', itemId: 'tea', lot: 'L1', quantity: '1', reason: 'wet' });
    await this.ask('POST', '/inventory/counts', { warehouseId: 'w1', lines: [{ itemId: 'tea', lot: 'L2', countedQuantity: '60' }] });
    await this.ask('POST', '/inventory/cost-corrections', { receiptId: 'r1', lines: [{ itemId: 'mug', unitCost: '3.5' }] });
    const goods = [{ itemId: 'mug', quantity: '10' }];
    await this.ask('POST', '/inventory/transfers', {
      transferId: 't1',
      fromWarehouseId: 'w1',
      toWarehouseId: 'w2',
      mode: 'in_transit',
      lines: goods,
    });
    await this.ask('PUT', '/inventory/transfers/t1/receive', { lines: [{ itemId: 'mug', quantity: '4' }] });
    await this.sell();
  }

  /** What waits for an approval, and what is let pass while nothing is enforced. */
  async goBeyond(): Promise<void> {
    const place = (orderId: string, quantity: string) =>
      this.ask('POST', '/orders', { orderId, customerId: 'c', lines: [{ itemId: 'mug', quantity, warehouseId: 'w1' }] });
    await this.ask('PATCH', '/settings', { enforcementPhase: 'dark' });
    await place('beyond', '300');
    await this.ask('PUT', '/orders/beyond/confirm');
    await this.ask('POST', '/orders/beyond/shipments', { shipmentId: 's9', lines: [{ lineNo: 1, quantity: '40' }] });
    await this.ask('PATCH', '/settings', { enforcementPhase: 'hard', allowInventoryOversell: true });
    expect(await place('pending', '500')).toMatchObject({ status: 'pending_approval' });
  }

  async sell(): Promise<void> {
    const place = (orderId: string, lines: object[], more: object = {}) =>
      this.ask('POST', '/orders', { orderId, customerId: 'c', lines, ...more });
    const at = (itemId: string, quantity: string) => ({ itemId, quantity, warehouseId: 'w1' });
    await place('soft', [at('mug', '5')]);
    await place('firm', [at('mug', '5'), at('tea', '3')]);
    await this.ask('PUT', '/orders/firm/confirm');
    await place('part', [at('tea', '200'), at('bike', '1')], { reservationMode: 'partial' });
    await place('gone', [at('mug', '1')]);
    await this.ask('PUT', '/orders/gone/cancel', { reason: 'changed their mind' });
    expect((await this.admin.send('POST', '/orders', { orderId: 'refused', customerId: 'c', lines: [at('mug', '1000')] })).status).toBe(
      409,
    );
    await place('sent', [at('mug', '6'), at('bike', '1')]);
    await this.ask('PUT', '/orders/sent', { lines: [{ lineNo: 1, ...at('mug', '8') }, { lineNo: 2, ...at('bike', '1') }, at('mug', '1')] });
    await this.ask('PUT', '/orders/sent/confirm');
    await this.ask('PUT', '/orders/sent/pick');
    await this.ask('PUT', '/orders/sent/pack');
    const shipped = [
      { lineNo: 1, quantity: '5' },
      { lineNo: 2, quantity: '1' },
    ];
    await this.ask('POST', '/orders/sent/shipments', { shipmentId: 's1', lines: shipped });
    await this.ask('POST', '/orders/sent/shipments', { shipmentId: 's2', lines: [{ lineNo: 1, quantity: '2' }] });
    await this.ask('PUT', '/shipments/s2/cancel', { reason: 'came back' });
    const returned = { lineNo: 1, quantity: '2', condition: 'unknown', reason: 'broken' };
    await this.ask('POST', '/orders/sent/returns', { returnId: 'ret', lines: [returned] });
    await this.ask('PUT', '/returns/ret/receive', {});
    await this.ask('PUT', '/returns/ret/inspect', {
      lines: [
        { lineNo: 1, quantity: '1', verdict: 'available' },
        { lineNo: 1, quantity: '1', verdict: 'scrap' },
      ],
    });
    await place('closed', [at('mug', '4')]);
    await this.ask('PUT', '/orders/closed/confirm');
    await this.ask('POST', '/orders/closed/shipments', { shipmentId: 's3', closeShortLines: true, lines: [{ lineNo: 1, quantity: '3' }] });
  }

  async receive(itemId: string, lot: string | undefined, quantity: string): Promise<unknown> {
    const lines = [{ itemId, quantity, unitCost: '2', ...(lot && { lot }) }];
    return await this.ask('POST', '/inventory/receipts', { warehouseId: 'w1', lines });
  }

  /** Makes the item of a damage, and what else it needs. */
  async prepare({ item, ordered, costing, more }: Damage): Promise<void> {
    const inLots = item.startsWith('lot');
    await this.ask('POST', '/items', { itemId: item, name: item, ...(inLots && { tracking: 'lot' }), ...(costing && { costing }) });
    for (const quantity of ['4', '6']) await this.receive(item, inLots ? 'M' : undefined, quantity);
    if (ordered) {
      await this.ask('POST', '/orders', { orderId: item, customerId: 'c', lines: [{ itemId: item, quantity: '3', warehouseId: 'w1' }] });
      await this.ask('PUT', `/orders/${item}/confirm`);
    }
    await more?.(this, item);
  }

  async damage({ item, sql }: Damage): Promise<void> {
    for (const statement of sql) {
      // Several statements at once take no parameters. Neither organisation nor item hold a quote.
      await this.database.rows(statement.replaceAll('$1', `'${this.orgId}'`).replaceAll('$2', `'${item}'`));
    }
  }
}

/** What was found, to compare. */
export const inShort = (findings: readonly Finding[]) =>
  findings.map(({ kind, warehouseId, itemId, orderId, expected, actual }) =>
    [kind, [orderId, warehouseId, itemId].filter((id) => id !== null).join(' '), `${expected} -> ${actual}`].join(': '),
  );

/** A way to damage the books: what is prepared by the services, what is done to the tables, and what a run says of it. */
export interface Damage {
  /** Also the item's id; 10 of it, at 2 each, lie in w1, received at two times. */
  readonly item: string;
  /** An order of this item that holds 3 firmly; named like it. */
  readonly ordered?: true;
  readonly costing?: 'average';
  readonly more?: (books: Pick<Books, 'ask' | 'receive'>, item: string) => Promise<unknown>;
  /** `$1`: the organisation, `$2`: item and order. */
  readonly sql: readonly string[];
  readonly found: readonly string[];
}
