import { randomUUID } from 'node:crypto';
import { type Channel, connect, type ChannelModel, type ConfirmChannel, type ConsumeMessage, type Options } from 'amqplib';
import { eventually } from './eventually.js';

/** An event as it travels; only what outsiders look at. */
export interface WireEvent {
  readonly id: string;
  readonly type: string;
  readonly orgid: string;
  readonly subject: string;
  readonly sequence?: number;
  readonly causationid?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What an outsider says; the rest of the envelope is filled in. */
export interface Saying {
  readonly id?: string;
  readonly type: string;
  readonly orgId: string;
  readonly source?: string;
  readonly sequence?: number;
  readonly time?: string;
  readonly data: object;
}

/** The answer to a call: what was asked for, or why not. */
export interface CallAnswer {
  readonly response?: Readonly<Record<string, unknown>>;
  readonly err?: { readonly kind: string; readonly code: string; readonly message: string; readonly details?: Record<string, unknown> };
}

/** Nobody answered in time, or nobody is there to answer. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

const DIRECT_REPLY_TO = 'amq.rabbitmq.reply-to';
/** What inventory answers and approvals says; a topic binds whole words only, so each type is named. */
const ANSWER_TYPES = [
  ...['StockReserved', 'StockPartiallyReserved', 'StockReservationFailed', 'StockReleased', 'ReservationExpired', 'BackorderFilled'],
  ...['ReservationShorted', 'StockDepleted', 'StockDepletionFailed', 'ShipmentReversed', 'ShipmentReversalFailed', 'StockReturned'],
  ...['StockReturnFailed', 'StockReceived', 'StockReceiptFailed'],
  ...['ApprovalRequested', 'ApprovalReminded', 'ApprovalEscalated', 'ApprovalDecided'],
];

/**
 * A system that knows nothing of NestJS and uses none of Holdfast's libraries: an order-management system with any AMQP client. It
 * publishes CloudEvents, listens to the answers, and makes calls.
 */
export class Outsider {
  /** Answers as they came, without repeats. */
  readonly heard: WireEvent[] = [];
  readonly #heardIds = new Set<string>();
  readonly #answersTo = new Map<string, WireEvent[]>();
  readonly #waiting = new Map<string, { resolve: (answer: CallAnswer) => void; reject: (error: Error) => void; timer: NodeJS.Timeout }>();
  #repeats = 0;

  private constructor(
    private readonly connection: ChannelModel,
    private readonly publisher: ConfirmChannel,
    private readonly calls: Channel,
    readonly prefix: string,
  ) {}

  /** Connects; its queue is its own and goes with it. */
  static async connect(brokerUrl: string, prefix: string): Promise<Outsider> {
    const connection = await connect(brokerUrl);
    connection.on('error', () => {});
    const outsider = new Outsider(connection, await connection.createConfirmChannel(), await connection.createChannel(), prefix);
    await outsider.#listen();
    return outsider;
  }

  get exchange(): string {
    return `${this.prefix}.holdfast.events`;
  }

  /** How often the broker delivered an answer that had been delivered before. */
  get repeats(): number {
    return this.#repeats;
  }

  /** Publishes an event; resolves with its id when the broker has it. */
  async publish(saying: Saying): Promise<string> {
    const event = this.envelope(saying);
    await this.publishBytes(`${saying.type}.${saying.orgId}`, Buffer.from(JSON.stringify(event)));
    return event.id;
  }

  /** The event that {@link Outsider.publish} would publish. */
  envelope({ id = randomUUID(), type, orgId, source = '/oms', sequence, time = new Date().toISOString(), data }: Saying) {
    return {
      specversion: '1.0',
      id,
      source,
      type,
      time,
      subject: 'test',
      datacontenttype: 'application/json',
      dataschema: `urn:holdfast:${type}:1`,
      orgid: orgId,
      ...(sequence === undefined ? {} : { sequence }),
      data,
    };
  }

  /** Publishes whatever bytes under whatever key. */
  async publishBytes(routingKey: string, body: Buffer, options: Options.Publish = {}): Promise<void> {
    const properties = { persistent: true, contentType: 'application/cloudevents+json', ...options };
    await new Promise<void>((resolve, reject) => {
      this.publisher.publish(this.exchange, routingKey, body, properties, (error: unknown) =>
        error === null || error === undefined ? resolve() : reject(new Error('The broker did not take an event.', { cause: error })),
      );
    });
  }

  /** The answers to the event of this id, as far as they have come. */
  answersTo(id: string): readonly WireEvent[] {
    return this.#answersTo.get(id) ?? [];
  }

  /** The first answer to the event of this id; undefined when there is none in time. */
  async answerTo(id: string, timeoutMs = 20_000): Promise<WireEvent | undefined> {
    return await eventually(() => this.answersTo(id)[0], timeoutMs);
  }

  /**
   * Makes a call.
   *
   * @param userId the broker user that the broker is to vouch for.
   * @throws {NoAnswer} when there is no answer in time.
   */
  async call(service: string, pattern: string, data: object, timeoutMs = 5_000, userId?: string): Promise<CallAnswer> {
    const id = randomUUID();
    return await new Promise<CallAnswer>((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(id, `${pattern} was not answered within ${timeoutMs} ms.`), timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      const properties = { mandatory: true, replyTo: DIRECT_REPLY_TO, correlationId: id, expiration: timeoutMs, ...(userId && { userId }) };
      this.calls.publish('', `${this.prefix}.${service}.rpc`, Buffer.from(JSON.stringify({ pattern, id, data })), properties);
    });
  }

  async close(): Promise<void> {
    for (const id of [...this.#waiting.keys()]) this.#fail(id, 'The caller has gone.');
    await this.connection.close();
  }

  async #listen(): Promise<void> {
    const consumer = await this.connection.createChannel();
    await consumer.assertExchange(this.exchange, 'topic', { durable: true });
    const { queue } = await consumer.assertQueue('', { exclusive: true, arguments: { 'x-queue-type': 'classic' } });
    for (const type of ANSWER_TYPES) await consumer.bindQueue(queue, this.exchange, `${type}.*`);
    await consumer.consume(queue, (message) => this.#hear(message!), { noAck: true });
    this.calls.on('return', ({ properties }: ConsumeMessage) => this.#fail(String(properties.correlationId), 'Nobody is there to answer.'));
    await this.calls.consume(DIRECT_REPLY_TO, (message) => this.#onAnswer(message!), { noAck: true });
  }

  #hear(message: ConsumeMessage): void {
    const event = JSON.parse(message.content.toString()) as WireEvent;
    if (this.#heardIds.has(event.id)) {
      this.#repeats++;
      return;
    }
    this.#heardIds.add(event.id);
    this.heard.push(event);
    if (event.causationid === undefined) return;
    const answers = this.#answersTo.get(event.causationid);
    if (answers === undefined) this.#answersTo.set(event.causationid, [event]);
    else answers.push(event);
  }

  #onAnswer({ content, properties }: ConsumeMessage): void {
    const id = String(properties.correlationId);
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting.resolve(JSON.parse(content.toString()) as CallAnswer);
  }

  #fail(id: string, reason: string): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting.reject(new NoAnswer(reason));
  }
}
