import { type Channel, connect, type ChannelModel, type ConfirmChannel, type ConsumeMessage } from 'amqplib';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { PUBLISH_OPTIONS, type PreparedOrders } from './scenarios.js';

const ANSWERS = ['StockReserved', 'StockPartiallyReserved', 'StockReservationFailed'];
const CAUSATION = Buffer.from('"causationid":"');
const UUID_LENGTH = 36;
const STALLED_AFTER_MS = 20_000;

/**
 * Publishes orders to an exchange and counts the answers that come out of it, through a durable queue of its own. It shares the
 * machine with what it measures, so it does as little as it can: bodies are serialised beforehand, and of an answer only the
 * order's index is read, out of the raw bytes, without acknowledgement.
 */
export class EventLoad {
  private expected: ExpectedAnswers | undefined;

  private constructor(
    private readonly connection: ChannelModel,
    private readonly publisher: ConfirmChannel,
    private readonly consumer: Channel,
    private readonly exchange: string,
    private readonly queue: string,
  ) {}

  static async open(options: { amqpUrl: string; exchange: string; queue: string }): Promise<EventLoad> {
    const connection = await connect(options.amqpUrl);
    connection.on('error', () => undefined);
    const publisher = await connection.createConfirmChannel();
    const consumer = await connection.createChannel();
    await consumer.assertExchange(options.exchange, 'topic', { durable: true });
    await consumer.assertQueue(options.queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    for (const type of ANSWERS) await consumer.bindQueue(options.queue, options.exchange, `${type}.#`);
    const load = new EventLoad(connection, publisher, consumer, options.exchange, options.queue);
    await consumer.consume(options.queue, (message) => load.receive(message), { noAck: true });
    return load;
  }

  /** Says which orders' answers are to be counted from now on. */
  expect(orders: PreparedOrders): ExpectedAnswers {
    this.expected = new ExpectedAnswers(orders);
    return this.expected;
  }

  /** Publishes all orders as fast as the broker confirms them. */
  async publishAll(orders: PreparedOrders): Promise<void> {
    const { events } = orders;
    for (let from = 0; from < events.length; from += 1_000) {
      for (const event of events.slice(from, from + 1_000)) {
        this.publisher.publish(this.exchange, event.routingKey, event.body, PUBLISH_OPTIONS);
      }
      await this.publisher.waitForConfirms();
    }
  }

  /**
   * Publishes at a fixed rate whatever comes back (open loop), and says for each order when it was due, in ms of `performance.now()`.
   * Latency counts from there, so that a late publication is not mistaken for a quick answer.
   */
  async publishAtRate(orders: PreparedOrders, ordersPerSecond: number, signal: AbortSignal): Promise<Float64Array> {
    const { events } = orders;
    const startMs = performance.now();
    const dueMs = Float64Array.from(events, (_, index) => startMs + (index * 1_000) / ordersPerSecond);
    let next = 0;
    while (next < events.length) {
      signal.throwIfAborted();
      const nowMs = performance.now();
      while (next < events.length && dueMs[next]! <= nowMs) {
        const event = events[next++]!;
        this.publisher.publish(this.exchange, event.routingKey, event.body, PUBLISH_OPTIONS);
      }
      await (next < events.length ? sleep(1) : nextTurn());
    }
    await this.publisher.waitForConfirms();
    return dueMs;
  }

  async close(): Promise<void> {
    await Promise.race([
      (async () => {
        await this.consumer.deleteQueue(this.queue);
        await this.connection.close();
      })(),
      sleep(3_000, undefined, { ref: false }),
    ]);
  }

  private receive(message: ConsumeMessage | null): void {
    if (message !== null) this.expected?.receive(message);
  }
}

/** The answers of one set of orders: how many came, when the last came, and how often one came twice. */
export class ExpectedAnswers {
  private answered = 0;
  private repeated = 0;
  private refused: string | undefined;
  /** When each order's answer came, in ms of `performance.now()`; 0 = not yet. */
  readonly answeredAtMs: Float64Array;
  lastAtMs = 0;

  constructor(private readonly orders: PreparedOrders) {
    this.answeredAtMs = new Float64Array(orders.events.length);
  }

  get repeats(): number {
    return this.repeated;
  }

  receive(message: ConsumeMessage): void {
    const { content, fields } = message;
    const from = content.indexOf(CAUSATION) + CAUSATION.length;
    const mark = content.toString('latin1', from + UUID_LENGTH - 12, from + UUID_LENGTH - 7);
    if (mark !== this.orders.mark) return;
    const index = Number.parseInt(content.toString('latin1', from + UUID_LENGTH - 7, from + UUID_LENGTH), 16);
    if (!fields.routingKey.startsWith('StockReserved.')) {
      this.refused ??= content.toString();
    } else if (this.answeredAtMs[index] !== 0) {
      this.repeated++;
    } else {
      this.lastAtMs = this.answeredAtMs[index] = performance.now();
      this.answered++;
    }
  }

  /** Waits until every order is answered; throws when one is refused, when answers stop coming, or on the signal. */
  async all(signal: AbortSignal): Promise<void> {
    let seen = -1;
    let seenAtMs = 0;
    while (this.answered < this.orders.events.length) {
      if (this.refused !== undefined) throw new Error(`An order was refused, although there is plenty of stock: ${this.refused}`);
      if (this.answered !== seen) {
        seen = this.answered;
        seenAtMs = performance.now();
      } else if (performance.now() - seenAtMs > STALLED_AFTER_MS) {
        throw new Error(`No answer for ${STALLED_AFTER_MS / 1_000} s: ${seen} of ${this.orders.events.length} orders were answered.`);
      }
      // Answers carry their own time, so looking now and then is exact enough.
      await sleep(10, undefined, { signal });
    }
  }
}
