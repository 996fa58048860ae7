import type { ConsumeMessage } from 'amqplib';
import { Pool } from 'pg';
import { openBroker } from './broker.js';
import { reserveBatch } from './reserve-batch.js';
import { reserveOne } from './reserve-one.js';

/**
 * The yardstick: the least code that does the durable work of "OrderConfirmed in, StockReserved out", with nothing but a client for
 * the broker and one for the database. It has no tenants to keep apart, validates nothing, and gives up at the first error.
 * With `--naive` it handles each order alone. Started by the benchmark, which passes names and addresses by environment.
 */
const BATCH_SIZE_MAX = 200;
const PREFETCH = 4 * BATCH_SIZE_MAX;
const naive = process.argv.includes('--naive');
const inFlightMax = naive ? 16 : 2;
const takeMax = naive ? 1 : BATCH_SIZE_MAX;

const pool = new Pool({ connectionString: setting('DATABASE_URL'), max: inFlightMax, options: '-c search_path=yardstick' });
const broker = await openBroker({
  url: setting('AMQP_URL'),
  exchange: setting('YARDSTICK_EXCHANGE'),
  queue: setting('YARDSTICK_QUEUE'),
  prefetch: PREFETCH,
});

const waiting: ConsumeMessage[] = [];
let inFlight = 0;
let ending = false;

/** Takes what has arrived, as long as fewer than the most are in flight. */
function work(): void {
  while (inFlight < inFlightMax && waiting.length > 0) {
    const messages = waiting.splice(0, takeMax);
    inFlight++;
    void (naive ? reserveOne(pool, broker, messages[0]!) : reserveBatch(pool, broker, messages)).then(() => {
      for (const message of messages) broker.incoming.ack(message);
      inFlight--;
      if (ending) end();
      else work();
    }, giveUp);
  }
}

function giveUp(error: unknown): void {
  console.error(error);
  process.exit(1);
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set; this process is started by the benchmark.`);
  return value;
}

/** Ends when nothing is in flight. It must not leave messages whose answers are out: it has no way to tell that they come again. */
function end(): void {
  ending = true;
  if (inFlight === 0) void broker.incoming.close().then(() => process.exit(0), giveUp);
}

process.once('SIGTERM', end);
process.once('SIGINT', () => undefined);
process.once('disconnect', () => process.exit(0));

let scheduled = false;
await broker.incoming.consume(broker.queue, (message) => {
  if (message === null) return giveUp('The queue was deleted.');
  waiting.push(message);
  if (scheduled) return;
  // One turn later, so that all messages of a packet from the broker come into the same batch.
  scheduled = true;
  setImmediate(() => {
    scheduled = false;
    work();
  });
});
process.send?.({ ready: '' });
