import type { Channel } from 'amqplib';
import { CALLS_EXCHANGE, EVENTS_EXCHANGE, isPublic, PARKED_QUEUE, rpcQueue, type CalledService } from '#libs/contracts';
import type { Consumer } from './delivery.js';

const PARKED_MESSAGES_MAX = 10_000;
const PARKED_BYTES_MAX = 256 * 1024 * 1024;
const LIVE_MESSAGES_MAX = 10_000;
/** After so many deliveries without an acknowledgement, each the loss of a consumer, a message is taken for what kills consumers. */
const DELIVERY_LIMIT = 100;

/**
 * A queue that survives the loss of a node. Everything that versions and policies may decide differently is said: the type, since the
 * default is the virtual host's; the delivery limit, 20 since RabbitMQ 4.0 and none before.
 */
const quorum = (more: Record<string, unknown>) => ({ durable: true, arguments: { 'x-queue-type': 'quorum', ...more } });

/** What leaves a queue goes to another one through the default exchange. At least once: the default way may lose messages. */
const deadLetterTo = (queue: string) => ({
  'x-dead-letter-exchange': '',
  'x-dead-letter-routing-key': queue,
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
});

/** The exchanges and queues of Holdfast on RabbitMQ 3.10 to 4.x, without plugins: their names, and how they are declared. */
export class RabbitTopology {
  readonly #prefix: string;

  constructor(prefix: string | undefined) {
    this.#prefix = prefix ? `${prefix}.` : '';
  }

  get eventsExchange(): string {
    return this.#prefix + EVENTS_EXCHANGE;
  }

  get callsExchange(): string {
    return this.#prefix + CALLS_EXCHANGE;
  }

  get parkedQueue(): string {
    return this.#prefix + PARKED_QUEUE;
  }

  eventsQueue(service: string): string {
    return `${this.#prefix}${service}.events`;
  }

  rpcQueue(service: CalledService): string {
    return this.#prefix + rpcQueue(service);
  }

  /** One queue per delay, because only the head of a queue expires. The delay is in the name, so that another one needs no migration. */
  retryQueue(service: string, delayMs: number): string {
    return `${this.#prefix}${service}.retry.${delayMs}`;
  }

  /** What publishers need, and consumers bind to. */
  async declareShared(channel: Channel): Promise<void> {
    await channel.assertExchange(this.eventsExchange, 'topic', { durable: true });
    await channel.assertQueue(
      this.parkedQueue,
      quorum({ 'x-max-length': PARKED_MESSAGES_MAX, 'x-max-length-bytes': PARKED_BYTES_MAX, 'x-overflow': 'drop-head' }),
    );
  }

  /** The queue of a service's events, with its retries. */
  async declareEvents(channel: Channel, { service, eventTypes, retryDelaysMs }: Consumer): Promise<string> {
    const queue = this.eventsQueue(service);
    await this.declareShared(channel);
    await channel.assertQueue(queue, quorum({ 'x-delivery-limit': DELIVERY_LIMIT, ...deadLetterTo(this.parkedQueue) }));
    for (const delayMs of new Set(retryDelaysMs)) {
      await channel.assertQueue(this.retryQueue(service, delayMs), quorum({ 'x-message-ttl': delayMs, ...deadLetterTo(queue) }));
    }
    for (const type of eventTypes) await channel.bindQueue(queue, this.eventsExchange, `${type}.*`);
    return queue;
  }

  /**
   * Classic, and its messages are not stored: a call lives for seconds, and who makes it hears of its loss and repeats it. A quorum queue
   * would write each to disk.
   */
  async declareCalls(channel: Channel, service: CalledService): Promise<string> {
    const queue = this.rpcQueue(service);
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'classic' } });
    if (isPublic(service)) {
      await channel.assertExchange(this.callsExchange, 'direct', { durable: true });
      await channel.bindQueue(queue, this.callsExchange, queue);
    }
    return queue;
  }

  /** A queue of this process alone, which goes with its connection. */
  async declareLive(channel: Channel, { service, liveTypes }: Consumer, processId: string): Promise<string> {
    await this.declareShared(channel);
    const { queue } = await channel.assertQueue(`${this.#prefix}${service}.live.${processId}`, {
      durable: false,
      exclusive: true,
      autoDelete: true,
      arguments: { 'x-queue-type': 'classic', 'x-max-length': LIVE_MESSAGES_MAX, 'x-overflow': 'drop-head' },
    });
    for (const type of liveTypes) await channel.bindQueue(queue, this.eventsExchange, `${type}.*`);
    return queue;
  }
}
