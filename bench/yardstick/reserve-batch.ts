import type { ConsumeMessage } from 'amqplib';
import type { Pool } from 'pg';
import { WAREHOUSE } from '../scenarios.js';
import { answerTo, type Broker, type Order, parseOrder, publish } from './broker.js';
import { DELETE_SENT, LOCK_BALANCES, WRITE_BATCH } from './tables.sql.js';

/** What a batch wants of one balance. */
interface Wanted {
  readonly orgId: string;
  readonly itemId: string;
  quantity: number;
}

/** Reserves a batch of orders in one transaction, publishes the answers, and removes them from the outbox. */
export async function reserveBatch(pool: Pool, broker: Broker, messages: readonly ConsumeMessage[]): Promise<void> {
  const orders = messages.map(parseOrder);
  const wanted = sumByBalance(orders);
  const orgIds = wanted.map((row) => row.orgId);
  const itemIds = wanted.map((row) => row.itemId);
  const client = await pool.connect();
  try {
    await client.query('begin');
    const locked = await client.query<{ org_id: string; item_id: string; free: string }>({
      name: 'lock-balances',
      text: LOCK_BALANCES,
      values: [orgIds, itemIds, WAREHOUSE],
    });
    const free = new Map(locked.rows.map((row) => [balanceKey(row.org_id, row.item_id), Number(row.free)]));
    for (const row of wanted) {
      // Stock is plentiful here; a refusal would be another answer, not less work.
      if (!((free.get(balanceKey(row.orgId, row.itemId)) ?? 0) >= row.quantity)) throw new Error(`Not enough stock of ${row.itemId}.`);
    }
    const answers = orders.map(answerTo);
    const serialised = answers.map((answer) => JSON.stringify(answer));
    const lines = orders.flatMap((order) => order.data.lines.map((line) => ({ order, line })));
    const written = await client.query<{ outbox_id: string }>({
      name: 'write-batch',
      text: WRITE_BATCH,
      values: [
        orgIds,
        itemIds,
        wanted.map((row) => row.quantity),
        lines.map(({ order }) => order.orgid),
        lines.map(({ order }) => order.data.orderId),
        lines.map(({ line }) => line.lineNo),
        lines.map(({ line }) => line.itemId),
        lines.map(({ line }) => line.quantity),
        WAREHOUSE,
        orders.map((order) => order.id),
        serialised,
      ],
    });
    await client.query('commit');
    answers.forEach((answer, index) => publish(broker, answer, serialised[index]!));
    await broker.outgoing.waitForConfirms();
    await client.query({ name: 'delete-sent', text: DELETE_SENT, values: [written.rows.map((row) => row.outbox_id)] });
  } finally {
    client.release();
  }
}

/** What the batch wants of each balance, in key order, so that two batches never wait for each other. */
function sumByBalance(orders: readonly Order[]): Wanted[] {
  const sums = new Map<string, Wanted>();
  for (const { orgid, data } of orders) {
    for (const { itemId, quantity } of data.lines) {
      const key = balanceKey(orgid, itemId);
      const row = sums.get(key) ?? { orgId: orgid, itemId, quantity: 0 };
      row.quantity += Number(quantity);
      sums.set(key, row);
    }
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function balanceKey(orgId: string, itemId: string): string {
  return `${orgId} ${itemId}`;
}
