import { randomBytes } from 'node:crypto';
import { CLOUD_EVENT_CONTENT_TYPE, OrderConfirmed } from '#libs/contracts';
import type { Part } from './options.js';

export const WAREHOUSE = 'main';
export const ITEMS = 10_000;
const LINES_PER_ORDER = 3;

/** A way in which orders fall on organisations and items. */
export interface Scenario {
  readonly part: Part;
  readonly title: string;
  readonly orgIds: readonly string[];
  readonly itemsPerOrg: number;
  /** One item is in every order, so that all batches want the same row. */
  readonly hot: boolean;
  /** How many lots each item has; it is not tracked when there are none. */
  readonly lots?: number;
  /** Only each so many-th item is ordered; each one unless said. */
  readonly itemStep?: number;
}

/** One organisation that has all items, and a thousand that share them out: 10 each. */
export const ONE_ORG = 'one';
export const MANY_ORGS = Array.from({ length: 1_000 }, (_, n) => `many-${String(n + 1).padStart(4, '0')}`);

export const SPREAD: Scenario = { part: 'spread', title: '10,000 items', orgIds: [ONE_ORG], itemsPerOrg: ITEMS, hot: false };

export const SCENARIOS: readonly Scenario[] = [
  SPREAD,
  { part: 'hot', title: 'one item in every order', orgIds: [ONE_ORG], itemsPerOrg: ITEMS, hot: true },
  { part: 'orgs', title: '1,000 organisations', orgIds: MANY_ORGS, itemsPerOrg: ITEMS / MANY_ORGS.length, hot: false },
];

/** What `spread` orders, of items in three lots each. */
export const LOTS: Scenario = {
  part: 'lots',
  title: '10,000 items in 3 lots each',
  orgIds: ['lots'],
  itemsPerOrg: ITEMS,
  hot: false,
  lots: 3,
};

export function itemId(n: number): string {
  return `item-${String(n).padStart(6, '0')}`;
}

/** An event as it goes onto the wire: serialised beforehand, so that the load generator costs the machine little while it is measured. */
export interface PreparedEvent {
  readonly routingKey: string;
  readonly body: Buffer;
  readonly id: string;
}

/** Orders whose answers can be told apart: the last 12 digits of an event's id are the set's mark (5) and the order's index (7). */
export interface PreparedOrders {
  readonly mark: string;
  readonly events: readonly PreparedEvent[];
}

export const PUBLISH_OPTIONS = { persistent: true, contentType: CLOUD_EVENT_CONTENT_TYPE };

/** Makes `count` new orders of a scenario, as `OrderConfirmed` events of an order-management system. */
export function prepareOrders(scenario: Scenario, count: number): PreparedOrders {
  const mark = randomBytes(3).toString('hex').slice(1);
  const time = new Date().toISOString();
  const events = Array.from({ length: count }, (_, index): PreparedEvent => {
    // Ids are random from their first digit, as an order-management system's UUIDs are: it decides how indexes grow.
    const head = randomHead();
    const id = `${head}-${mark}${index.toString(16).padStart(7, '0')}`;
    const orgid = scenario.orgIds[randomBelow(scenario.orgIds.length)]!;
    const orderId = `order-${head}-${index}`;
    const lines = pickItems(scenario).map((n, line) => ({
      lineNo: line + 1,
      itemId: itemId(n),
      quantity: String(1 + (line % 2)),
    }));
    const event = {
      specversion: '1.0',
      id,
      source: '/oms/bench',
      type: OrderConfirmed.type,
      time,
      subject: orderId,
      datacontenttype: 'application/json',
      dataschema: OrderConfirmed.dataSchema,
      orgid,
      data: { orderId, warehouseId: WAREHOUSE, lines },
    };
    return { id, routingKey: `${OrderConfirmed.type}.${orgid}`, body: Buffer.from(JSON.stringify(event)) };
  });
  return { mark, events };
}

function randomHead(): string {
  const hex = randomBytes(10).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-a${hex.slice(15, 18)}`;
}

function pickItems(scenario: Scenario): number[] {
  const items = new Set<number>(scenario.hot ? [1] : []);
  while (items.size < LINES_PER_ORDER) items.add(1 + randomBelow(scenario.itemsPerOrg) * (scenario.itemStep ?? 1));
  return [...items];
}

function randomBelow(limit: number): number {
  return Math.floor(Math.random() * limit);
}
