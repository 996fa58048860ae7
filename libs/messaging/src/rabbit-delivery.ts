import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage, Message, Options } from 'amqplib';
import { CLOUD_EVENT_CONTENT_TYPE, findEvent } from '#libs/contracts';
import { type HoldfastError, unavailable } from '#libs/domain';
import type { Consumer, Delivery, DeliveryStatus, OutgoingCall, OutgoingEvent, Settled, Subscription } from './delivery.js';
import { MessagingMetrics } from './metrics.js';
import { RabbitConnection } from './rabbit-connection.js';
import { RabbitSubscription } from './rabbit-subscription.js';
import { RabbitTopology } from './rabbit-topology.js';

export interface RabbitDeliveryOptions {
  /** `amqp://user:password@host:port/vhost` */
  readonly url: string;
  /** Shown in the broker's list of connections. */
  readonly name: string;
  /** Before the names of all exchanges and queues, so that two Holdfasts, or two runs of the tests, share a broker. */
  readonly prefix?: string;
  /** How long opening waits for the broker; default 10,000. */
  readonly connectTimeoutMs?: number;
  /** How long the broker may take to confirm a message, unless it says that it is blocked; default 30,000. */
  readonly confirmTimeoutMs?: number;
  readonly metrics?: MessagingMetrics;
}

const CONNECT_TIMEOUT_MS = 10_000;
const CONFIRM_TIMEOUT_MS = 30_000;
const UNCONFIRMED_MAX = 4_000;
const UNCONFIRMED_BYTES_MAX = 32 * 1024 * 1024;
/** RabbitMQ's own way to answer calls: no queue is made, and the answer comes on the channel of the request. */
const DIRECT_REPLY_TO = 'amq.rabbitmq.reply-to';
const CONNECTION_LOST = 'The connection to the message broker was lost.';

interface PendingCall {
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: HoldfastError) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Delivers through RabbitMQ. One connection publishes, and each subscription consumes on one of its own, because a broker that is short
 * of memory or disk stops reading from connections that publish, and acknowledgements must get through.
 */
export class RabbitDelivery implements Delivery {
  readonly topology: RabbitTopology;
  readonly #options: RabbitDeliveryOptions;
  readonly #metrics: MessagingMetrics;
  readonly #user: string;
  readonly #subscriptions = new Set<RabbitSubscription>();
  readonly #roomListeners = new Set<() => void>();
  /** In the order of sending. */
  readonly #unconfirmed = new Map<number, { readonly sentAtMs: number }>();
  #unconfirmedBytes = 0;
  #lastSent = 0;
  /** What no queue took although one should; the broker says so before it confirms. */
  readonly #returned = new Set<string>();
  readonly #pendingCalls = new Map<string, PendingCall>();
  #connection!: RabbitConnection;
  #unblockedAtMs = 0;
  #confirmed: ConfirmChannel | undefined;
  #calls: Channel | undefined;
  #watch: NodeJS.Timeout | undefined;

  private constructor(options: RabbitDeliveryOptions) {
    this.#options = options;
    this.topology = new RabbitTopology(options.prefix);
    this.#metrics = options.metrics ?? MessagingMetrics.in();
    this.#user = decodeURIComponent(new URL(options.url).username) || 'guest';
  }

  /**
   * Connects; afterwards the connection is renewed whenever it is lost.
   *
   * @throws when the broker cannot be used within the timeout, with the reason.
   */
  static async open(options: RabbitDeliveryOptions): Promise<RabbitDelivery> {
    const delivery = new RabbitDelivery(options);
    const tellRoom = () => delivery.#tellRoom();
    delivery.#connection = await RabbitConnection.open({
      url: options.url,
      name: `${options.name} publishing`,
      timeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      setUp: (model, connection) => delivery.#setUp(model, connection),
      onConnected: tellRoom,
      onUnblocked: tellRoom,
      onLost: () => delivery.#onLost(),
    });
    delivery.#watchConfirms(options.confirmTimeoutMs ?? CONFIRM_TIMEOUT_MS);
    return delivery;
  }

  async subscribe(consumer: Consumer): Promise<Subscription> {
    const subscription = await RabbitSubscription.open(this, consumer, {
      url: this.#options.url,
      name: `${this.#options.name} consuming`,
      timeoutMs: this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    });
    this.#subscriptions.add(subscription);
    return {
      close: async (drainTimeoutMs) => {
        await subscription.close(drainTimeoutMs);
        this.#subscriptions.delete(subscription);
      },
    };
  }

  room(): number {
    if (!this.#connection.takesMessages || this.#unconfirmedBytes > UNCONFIRMED_BYTES_MAX) return 0;
    return Math.max(0, UNCONFIRMED_MAX - this.#unconfirmed.size);
  }

  onRoom(listener: () => void): () => void {
    this.#roomListeners.add(listener);
    return () => this.#roomListeners.delete(listener);
  }

  publish(event: OutgoingEvent, settled: Settled): void {
    // The broker vouches for the user, and whoever hears the event asks for it.
    const options = { persistent: true, mandatory: true, contentType: CLOUD_EVENT_CONTENT_TYPE, messageId: event.id, userId: this.#user };
    this.#send(this.topology.eventsExchange, event.routingKey, event.body, options, (confirmed) => {
      settled(event.id, confirmed && !this.#returned.delete(event.id));
    });
  }

  /** Puts a message into a queue; resolves when the broker has stored it. */
  async store(queue: string, body: Buffer, options: Options.Publish): Promise<void> {
    const correlationId = String(this.#lastSent + 1);
    const stored = await new Promise<boolean>((resolve) => {
      this.#send('', queue, body, { ...options, persistent: true, mandatory: true, correlationId }, (confirmed) =>
        resolve(confirmed && !this.#returned.delete(correlationId)),
      );
    });
    if (!stored) throw unavailable(`The broker did not store a message for ${queue}.`);
  }

  async call(call: OutgoingCall): Promise<Buffer> {
    const { id, service, body, timeoutMs, traceparent } = call;
    const channel = this.#calls;
    if (channel === undefined || !this.#connection.takesMessages) throw unavailable('The message broker takes no calls at the moment.');
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#failCall(id, `${service} did not answer within ${timeoutMs} ms.`), timeoutMs);
      this.#pendingCalls.set(id, { resolve, reject, timer });
      const options: Options.Publish = {
        mandatory: true,
        replyTo: DIRECT_REPLY_TO,
        correlationId: id,
        expiration: timeoutMs,
        contentType: 'application/json',
        // The broker vouches for it, and the service that answers asks for it.
        userId: this.#user,
        headers: traceparent === undefined ? {} : { traceparent },
      };
      try {
        channel.publish('', this.topology.rpcQueue(service), body, options);
      } catch {
        this.#failCall(id, CONNECTION_LOST);
      }
    });
  }

  /** Sends the answer to a call; who made it is told nothing when that fails, and times out. */
  answer(replyTo: string, correlationId: string | undefined, body: Buffer): void {
    if (!this.#connection.takesMessages) return;
    const options = { contentType: 'application/json', ...(correlationId === undefined ? {} : { correlationId }) };
    try {
      this.#calls?.publish('', replyTo, body, options);
    } catch {
      // The channel was lost a moment ago.
    }
  }

  /** Of the connection that is worst off. */
  status(): DeliveryStatus {
    const all = [this.#connection.status, ...[...this.#subscriptions].map((subscription) => subscription.status)];
    return all.find((status) => status.state !== 'connected') ?? all.find((status) => status.blocked !== null) ?? all[0]!;
  }

  async close(): Promise<void> {
    clearInterval(this.#watch);
    this.#failCalls();
    await this.#connection.close();
  }

  async #setUp(model: ChannelModel, connection: RabbitConnection): Promise<void> {
    const confirmed = connection.guard(await model.createConfirmChannel());
    const calls = connection.guard(await model.createChannel());
    await this.topology.declareShared(confirmed);
    confirmed.on('return', (message: Message) => this.#onReturned(message));
    calls.on('return', ({ properties, fields }: Message) => {
      this.#failCall(String(properties.correlationId), `Nobody answers the calls of ${fields.routingKey}.`);
    });
    await calls.consume(DIRECT_REPLY_TO, (message) => this.#onAnswer(message), { noAck: true });
    this.#confirmed = confirmed;
    this.#calls = calls;
  }

  #send(exchange: string, routingKey: string, body: Buffer, options: Options.Publish, onConfirm: (confirmed: boolean) => void): void {
    const ticket = ++this.#lastSent;
    this.#unconfirmed.set(ticket, { sentAtMs: Date.now() });
    this.#unconfirmedBytes += body.length;
    const confirm = (error: unknown) => {
      this.#unconfirmed.delete(ticket);
      this.#unconfirmedBytes -= body.length;
      onConfirm(error === null);
    };
    try {
      this.#confirmed!.publish(exchange, routingKey, body, options, confirm);
    } catch (error) {
      // The channel is closed, and its successor is not there yet.
      setImmediate(confirm, error);
    }
  }

  #onReturned({ fields, properties }: Message): void {
    const type = fields.exchange === '' ? '' : fields.routingKey.slice(0, fields.routingKey.lastIndexOf('.'));
    if (type !== '') this.#metrics.unroutable(type);
    // The gateway subscribes while it runs, for live updates; nobody is waited for who is not named at all.
    const isMissed = type === '' || (findEvent(type)?.consumers.some((service) => service !== 'gateway') ?? false);
    if (isMissed) this.#returned.add(String(properties.correlationId ?? properties.messageId));
  }

  #onAnswer(message: ConsumeMessage | null): void {
    const id = String(message?.properties.correlationId);
    const pending = this.#pendingCalls.get(id);
    if (message === null || pending === undefined) return;
    this.#pendingCalls.delete(id);
    clearTimeout(pending.timer);
    pending.resolve(message.content);
  }

  #failCall(id: string, reason: string): void {
    const pending = this.#pendingCalls.get(id);
    if (pending === undefined) return;
    this.#pendingCalls.delete(id);
    clearTimeout(pending.timer);
    pending.reject(unavailable(reason));
  }

  #onLost(): void {
    this.#returned.clear();
    this.#failCalls();
  }

  /** Answers come on the channel of the request only, so they are lost with it. */
  #failCalls(): void {
    for (const id of [...this.#pendingCalls.keys()]) this.#failCall(id, CONNECTION_LOST);
  }

  #tellRoom(): void {
    this.#unblockedAtMs = Date.now();
    for (const listener of this.#roomListeners) listener();
  }

  /** A broker that takes messages and confirms none is as good as gone; with the connection all of them fail, and are sent again. */
  #watchConfirms(timeoutMs: number): void {
    this.#watch = setInterval(() => {
      const [oldest] = this.#unconfirmed.values();
      if (oldest === undefined || !this.#connection.takesMessages) return;
      const waitedMs = Date.now() - Math.max(oldest.sentAtMs, this.#unblockedAtMs);
      if (waitedMs > timeoutMs) this.#connection.reset(`a message was not confirmed within ${timeoutMs} ms`);
    }, timeoutMs / 5);
  }
}
