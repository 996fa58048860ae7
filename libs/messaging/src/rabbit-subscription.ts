import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Channel, ChannelModel, ConsumeMessage, Options } from 'amqplib';
import { uuidv7 } from '#libs/domain';
import { AckWindow } from './ack-window.js';
import { crashPoint } from './crash-point.js';
import { BROKER_USER_HEADER, type Consumer, type DeliveryStatus, type IncomingEvent, type Subscription } from './delivery.js';
import { RabbitConnection, type RabbitConnectionOptions } from './rabbit-connection.js';
import type { RabbitTopology } from './rabbit-topology.js';

const CALLS_PREFETCH = 400;
const STORE_RETRY_MS = 1_000;
const CLOSE_TIMEOUT_MS = 2_000;
/** What the broker adds to a message on its way; a retry starts without it. */
const BROKER_HEADER = /^x-(death|first-death|last-death|delivery-count|acquired-count)/;

interface OpenConsumer {
  readonly channel: Channel;
  readonly consumerTag: string;
  readonly acks: AckWindow;
}

/** What a subscription says itself goes by this. */
export interface Outlet {
  readonly topology: RabbitTopology;
  answer(replyTo: string, correlationId: string | undefined, body: Buffer): void;
  /** Resolves when the broker has it. */
  store(queue: string, body: Buffer, options: Options.Publish): Promise<void>;
}

/**
 * Gives a service the messages of its queues, and does with each what the service says: acknowledge, put into a retry queue, or copy to
 * the parked ones. A message is acknowledged only after what is to be kept of it is stored elsewhere.
 */
export class RabbitSubscription implements Subscription {
  readonly #logger = new Logger(RabbitSubscription.name);
  readonly #outlet: Outlet;
  readonly #consumer: Consumer;
  #connection: RabbitConnection | undefined;
  #consumers: OpenConsumer[] = [];
  #underWay = 0;
  #closing = false;

  private constructor(outlet: Outlet, consumer: Consumer) {
    this.#outlet = outlet;
    this.#consumer = consumer;
  }

  static async open(
    outlet: Outlet,
    consumer: Consumer,
    options: Pick<RabbitConnectionOptions, 'url' | 'name' | 'timeoutMs'>,
  ): Promise<RabbitSubscription> {
    const subscription = new RabbitSubscription(outlet, consumer);
    subscription.#connection = await RabbitConnection.open({
      ...options,
      setUp: (model, connection) => subscription.#setUp(model, connection),
      onLost: () => subscription.#forget(),
    });
    return subscription;
  }

  get status(): DeliveryStatus {
    return this.#connection!.status;
  }

  async close(drainTimeoutMs: number): Promise<void> {
    this.#closing = true;
    const giveUpMs = Date.now() + drainTimeoutMs;
    const cancelled = Promise.all(this.#consumers.map(({ channel, consumerTag }) => channel.cancel(consumerTag).catch(() => {})));
    await Promise.race([cancelled, delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    while (this.#underWay > 0 && Date.now() < giveUpMs) await delay(5);
    this.#connection?.expectClose();
    const closed = this.#consumers.map(async ({ channel, acks }) => {
      acks.flush();
      // The end of the connection could overtake the acknowledgements; the end of the channel comes after them.
      await channel.close().catch(() => {});
    });
    await Promise.race([Promise.all(closed), delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    await this.#connection?.close();
  }

  async #setUp(model: ChannelModel, connection: RabbitConnection): Promise<void> {
    const { topology } = this.#outlet;
    const { service, eventTypes, liveTypes, answersCalls, prefetch } = this.#consumer;
    this.#forget();
    if (eventTypes.length > 0) {
      const channel = connection.guard(await model.createChannel());
      const queue = await topology.declareEvents(channel, this.#consumer);
      await this.#consume(channel, queue, prefetch, (message, acks) => this.#onEvent(message, acks));
    }
    if (answersCalls && service !== 'gateway') {
      const channel = connection.guard(await model.createChannel());
      const queue = await topology.declareCalls(channel, service);
      await this.#consume(channel, queue, CALLS_PREFETCH, (message) => this.#onCall(message));
    }
    if (liveTypes.length > 0) {
      const channel = connection.guard(await model.createChannel());
      const queue = await topology.declareLive(channel, this.#consumer, uuidv7());
      await this.#consume(channel, queue, prefetch, (message) => this.#onLiveEvent(message));
    }
  }

  /** `handle` answers whether the message is to be acknowledged. */
  async #consume(
    channel: Channel,
    queue: string,
    prefetch: number,
    handle: (message: ConsumeMessage, acks: AckWindow) => Promise<boolean>,
  ): Promise<void> {
    const acks = new AckWindow((deliveryTag, allUpTo) => {
      crashPoint('before-ack', this.#consumer.service);
      channel.ack({ fields: { deliveryTag } } as ConsumeMessage, allUpTo);
    }, prefetch / 2);
    channel.on('close', () => acks.close());
    await channel.prefetch(prefetch);
    const onMessage = async (message: ConsumeMessage | null) => {
      if (message === null) return this.#connection?.reset(`the broker cancelled the consumer of ${queue}`);
      this.#underWay++;
      try {
        if (await handle(message, acks)) acks.done(message.fields.deliveryTag);
      } catch (error) {
        // A defect of ours: the message stays unacknowledged, and comes again with the next connection.
        this.#logger.error(error);
      } finally {
        this.#underWay--;
      }
    };
    const { consumerTag } = await channel.consume(queue, (message) => void onMessage(message));
    this.#consumers.push({ channel, consumerTag, acks });
  }

  async #onEvent(message: ConsumeMessage, acks: AckWindow): Promise<boolean> {
    const incoming = readIncoming(message);
    const outcome = await this.#consumer.onEvent(incoming);
    if (outcome.kind === 'handled') return true;
    if (outcome.kind === 'abandoned') return false;
    const { topology } = this.#outlet;
    const { service } = this.#consumer;
    const headers = { ...ownHeaders(message), 'x-routing-key': incoming.routingKey, [BROKER_USER_HEADER]: incoming.brokerUser };
    if (outcome.kind === 'retry') {
      const queue = topology.retryQueue(service, outcome.delayMs);
      return await this.#store(queue, message, { ...headers, 'x-attempts': incoming.attempt }, acks);
    }
    const why = { 'x-parked-reason': outcome.reason, 'x-parked-by': service, 'x-attempts': outcome.attempts };
    return await this.#store(topology.parkedQueue, message, { ...headers, ...why }, acks);
  }

  async #onCall(message: ConsumeMessage): Promise<boolean> {
    const properties = message.properties as unknown as Readonly<Record<string, unknown>>;
    const expiration = textOf(properties['expiration']);
    const answer = await this.#consumer.onCall({
      body: message.content,
      expirationMs: expiration === undefined ? undefined : Number(expiration),
      brokerUser: textOf(properties['userId']),
      traceparent: textOf(message.properties.headers?.['traceparent']),
    });
    const replyTo = textOf(properties['replyTo']);
    crashPoint('before-answer', this.#consumer.service);
    if (answer !== null && replyTo !== undefined) this.#outlet.answer(replyTo, textOf(properties['correlationId']), answer);
    return true;
  }

  async #onLiveEvent(message: ConsumeMessage): Promise<boolean> {
    await this.#consumer.onLiveEvent(readIncoming(message));
    return true;
  }

  /** Tries until the message is stored, or comes again anyway because its channel is lost, or the service closes. */
  async #store(queue: string, message: ConsumeMessage, headers: Record<string, unknown>, acks: AckWindow): Promise<boolean> {
    const contentType = textOf(message.properties.contentType);
    const options: Options.Publish = contentType === undefined ? { headers } : { contentType, headers };
    while (acks.isOpen) {
      try {
        await this.#outlet.store(queue, message.content, options);
        return true;
      } catch (error) {
        this.#logger.warn(`A message could not be moved to ${queue}: ${String(error)}`);
        if (this.#closing) return false;
        await delay(STORE_RETRY_MS);
      }
    }
    return false;
  }

  #forget(): void {
    for (const { acks } of this.#consumers) acks.close();
    this.#consumers = [];
  }
}

/**
 * Our own headers count only on messages that came through the default exchange, where Holdfast itself puts them (retries): an OMS, which
 * may write to the events exchange only, could otherwise name another organisation's routing key in a header.
 */
function readIncoming(message: ConsumeMessage): IncomingEvent {
  const { fields, properties, content } = message;
  const headers = properties.headers ?? {};
  const isOurs = fields.exchange === '';
  const routingKey = isOurs ? textOf(headers['x-routing-key']) : undefined;
  const attempts = isOurs ? Number(headers['x-attempts'] ?? 0) : 0;
  return {
    body: content,
    routingKey: routingKey ?? fields.routingKey,
    headers,
    brokerUser: textOf(isOurs ? headers[BROKER_USER_HEADER] : properties.userId),
    attempt: Number.isSafeInteger(attempts) && attempts > 0 ? attempts + 1 : 1,
  };
}

function ownHeaders(message: ConsumeMessage): Record<string, unknown> {
  return Object.fromEntries(Object.entries(message.properties.headers ?? {}).filter(([name]) => !BROKER_HEADER.test(name)));
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
