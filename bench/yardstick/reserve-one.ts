import type { ConsumeMessage } from 'amqplib';
import type { Pool } from 'pg';
import { WAREHOUSE } from '../scenarios.js';
import { answerTo, type Broker, parseOrder, publish } from './broker.js';
import { DELETE_SENT, HOLD_ONE, LOCK_ONE, RESERVE_ONE } from './tables.sql.js';

/** The naive way: a transaction per order, a lock per line. */
export async function reserveOne(pool: Pool, broker: Broker, message: ConsumeMessage): Promise<void> {
  const order = parseOrder(message);
  const { orgid, data } = order;
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('insert into inbox values ($1)', [order.id]);
    for (const line of [...data.lines].sort((a, b) => (a.itemId < b.itemId ? -1 : 1))) {
      const balance = [orgid, WAREHOUSE, line.itemId];
      const found = await client.query<{ free: string }>(LOCK_ONE, balance);
      if (!(Number(found.rows[0]?.free) >= Number(line.quantity))) throw new Error(`Not enough stock of ${line.itemId}.`);
      await client.query(HOLD_ONE, [...balance, line.quantity]);
      await client.query(RESERVE_ONE, [...balance, line.quantity, data.orderId, line.lineNo]);
    }
    const answer = answerTo(order);
    const serialised = JSON.stringify(answer);
    const written = await client.query<{ outbox_id: string }>('insert into outbox (event) values ($1) returning outbox_id', [serialised]);
    await client.query('commit');
    await new Promise<void>((resolve, reject) => {
      publish(broker, answer, serialised, (error) =>
        error ? reject(new Error('The broker refused an answer.', { cause: error })) : resolve(),
      );
    });
    await client.query(DELETE_SENT, [[written.rows[0]!.outbox_id]]);
  } finally {
    client.release();
  }
}
