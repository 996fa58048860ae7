import {
  type CloudEvent,
  type DataOf,
  type EventDefinition,
  makeEvent,
  OrderStatusChanged,
  type ResponseOf,
  routingKey,
  type StockDemand,
  type StockLine,
} from '#libs/contracts';
import { MessagingMetrics, Outbox, Relay, RpcClient } from '#libs/messaging';
import type { TestService } from '#libs/testing';
import { CarryOn } from './approvals/carry-on.js';
import { TellApprovals } from './approvals/tell-approvals.js';
import { SaveOrder } from './orders/save-order.js';
import { AskAgain } from './stock/ask-again.js';
import { AskInventory } from './stock/ask-inventory.js';

// Orders among services that say what the test lets them say: of order `o`, one line, 4 of item `a`.

export const item = (itemId: string) => ({
  ...{ itemId, name: itemId, unit: 'piece', tracking: 'none' as const, costing: 'fifo' as const, unitPrice: '2', currency: null },
  ...{ reorderPoint: null, safetyStock: null, minRemainingShelfLifeDays: null, substitutes: [], createdAt: '' },
});
export const stockLine = (parts: Partial<StockLine>): StockLine => {
  const none = { reserved: '0', backordered: '0', fulfilled: '0', returned: '0', closed: '0', unheld: '0' };
  return { lineNo: 1, itemId: 'a', requested: '4', ...none, ...parts };
};
export const hold = { lineNo: 1, itemId: 'a', warehouseId: 'main', lot: null, quantity: '4', reservationId: 'r' };
export const held = (sequence: number, firm: boolean, parts: Partial<StockLine>): ResponseOf<typeof StockDemand> => ({
  ...{ status: 'reserved', orderId: 'o', sequence, firm, expiresAt: null, backordered: [] },
  lines: parts.reserved === '4' ? [hold] : [],
  stock: [stockLine(parts)],
});
export const short = { lineNo: 1, itemId: 'a', warehouseId: 'main', requested: '4', available: '1' };
export const refused = (sequence: number): ResponseOf<typeof StockDemand> => ({
  ...held(sequence, false, { unheld: '4' }),
  ...{ status: 'failed', reason: 'INSUFFICIENT_STOCK', shortLines: [short], discrepancyIds: [], alternatives: [] },
});

/** Publishes an event as another service does, and waits until orders has heard it. */
export async function publish<D extends EventDefinition>(
  service: TestService,
  definition: D,
  attributes: { source: string; subject: string; orgid: string; sequence?: number },
  data: DataOf<D>,
): Promise<void> {
  const event = makeEvent(definition, { ...attributes, time: new Date().toISOString() }, data);
  const body = Buffer.from(JSON.stringify(event));
  await new Promise<void>((resolve, reject) => {
    service.delivery.publish({ id: event.id, type: event.type, routingKey: routingKey(event), body }, (_, safe) => {
      if (safe) resolve();
      else reject(new Error(`${event.type} was not handled.`));
    });
  });
}

/** The events that wait for inventory, which takes none in these tests. */
export async function saidEvents(service: TestService, orgId: string): Promise<{ type: string; sequence?: number; data: unknown }[]> {
  const rows = await service.database.rows<{ event: Buffer }>('select event from orders.outbox order by id');
  const events = rows.map((row) => JSON.parse(row.event.toString()) as { type: string; orgid: string; sequence?: number; data: unknown });
  return events.filter((event) => event.orgid === orgId && event.type !== 'OrderStatusChanged');
}

/** Hears what is said of the status of orders from now on, as the gateway does; an event that comes again counts once. */
export async function hearStatuses(service: TestService): Promise<CloudEvent<DataOf<typeof OrderStatusChanged>>[]> {
  const heard: CloudEvent<DataOf<typeof OrderStatusChanged>>[] = [];
  await service.delivery.subscribe({
    ...{ service: 'gateway', eventTypes: [], liveTypes: [OrderStatusChanged.type], answersCalls: false, prefetch: 1, retryDelaysMs: [] },
    onEvent: () => Promise.resolve({ kind: 'handled' }),
    onCall: () => Promise.resolve(null),
    onLiveEvent: ({ body }) => {
      const event = JSON.parse(body.toString()) as (typeof heard)[number];
      if (!heard.some(({ id }) => id === event.id)) heard.push(event);
      return Promise.resolve();
    },
  });
  return heard;
}

/** What the sweep does about everything that was not answered. */
export async function askAgain(service: TestService): Promise<void> {
  const database = await service.database.open('orders');
  const relay = new Relay({
    service: 'orders',
    delivery: service.delivery,
    database: await service.database.openMessaging('orders'),
    metrics: MessagingMetrics.in(),
  });
  const saveOrder = new SaveOrder(new Outbox(relay));
  const rpc = new RpcClient(service.delivery);
  const carryOn = new CarryOn(new AskInventory(rpc, database, saveOrder), new TellApprovals(rpc, database, saveOrder));
  await new AskAgain(database, carryOn).run(new Date(Date.now() + 1_000));
}
