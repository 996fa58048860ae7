import { setTimeout as delay } from 'node:timers/promises';
import { findEvent } from '#libs/contracts';
import { unavailable } from '#libs/domain';
import { crashPoint } from './crash-point.js';
import type {
  Consumer,
  Delivery,
  DeliveryStatus,
  IncomingCall,
  IncomingEvent,
  OutgoingCall,
  OutgoingEvent,
  Settled,
  Subscription,
} from './delivery.js';
import { MessagingMetrics } from './metrics.js';

/** Events per subscriber that wait for their turn or their next attempt; beyond it they stay in the outbox until the next sweep. */
const HELD_PER_SUBSCRIBER_MAX = 10_000;

/**
 * Delivers within one process, from the outbox of one service to the others: no broker, the same guarantees. An event is safe, and its
 * outbox row goes, when every subscriber has handled or parked it; after a crash it is given again to all, and those who had handled it
 * recognise it by their inbox. A subscriber that fails delays nobody else: each has a queue and retries of its own.
 */
export class InProcessDelivery implements Delivery {
  readonly #metrics: MessagingMetrics;
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #roomListeners = new Set<() => void>();
  #closed = false;

  constructor(options: { readonly metrics?: MessagingMetrics } = {}) {
    this.#metrics = options.metrics ?? MessagingMetrics.in();
  }

  async subscribe(consumer: Consumer): Promise<Subscription> {
    if (this.#subscribers.has(consumer.service)) throw new Error(`${consumer.service} is subscribed already.`);
    const subscriber = new Subscriber(consumer);
    this.#subscribers.set(consumer.service, subscriber);
    // Events that waited for this subscriber are due now.
    for (const listener of this.#roomListeners) listener();
    return {
      close: async (drainTimeoutMs) => {
        this.#subscribers.delete(consumer.service);
        await subscriber.close(drainTimeoutMs);
      },
    };
  }

  room(): number {
    return this.#closed ? 0 : HELD_PER_SUBSCRIBER_MAX;
  }

  onRoom(listener: () => void): () => void {
    this.#roomListeners.add(listener);
    return () => this.#roomListeners.delete(listener);
  }

  publish(event: OutgoingEvent, settled: Settled): void {
    const { type } = event;
    const takers: Subscriber[] = [];
    for (const subscriber of this.#subscribers.values()) {
      if (subscriber.takes(type)) takers.push(subscriber);
      if (subscriber.takesLive(type)) void subscriber.consumer.onLiveEvent(incoming(event));
    }
    // A service that must have it is not there yet, or not any more: the row stays until it is.
    let safe = (findEvent(type)?.consumers ?? []).every((service) => this.#subscribers.get(service)?.takes(type) ?? service === 'gateway');
    let open = takers.length;
    if (open === 0) {
      this.#metrics.unroutable(type);
      setImmediate(settled, event.id, safe);
      return;
    }
    const onDone = (handled: boolean) => {
      safe &&= handled;
      open--;
      if (open === 0) settled(event.id, safe);
    };
    for (const taker of takers) taker.give(incoming(event), onDone);
  }

  async call(call: OutgoingCall): Promise<Buffer> {
    const { service, body, timeoutMs, traceparent } = call;
    const subscriber = this.#subscribers.get(service);
    if (subscriber?.consumer.answersCalls !== true) throw unavailable(`${service} does not answer calls at the moment.`);
    const expired = new AbortController();
    const tooLate = delay(timeoutMs, null, { signal: expired.signal }).catch(() => null);
    try {
      const answer = await Promise.race([subscriber.answer({ body, expirationMs: timeoutMs, traceparent }), tooLate]);
      if (answer !== null) return answer;
    } finally {
      expired.abort();
    }
    throw unavailable(`${service} did not answer within ${timeoutMs} ms.`);
  }

  status(): DeliveryStatus {
    return { state: this.#closed ? 'closed' : 'connected', blocked: null, lastError: null };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}

type Done = (handled: boolean) => void;

/** One service's queue: bounded, worked off with bounded concurrency, with retries that wait outside of it. */
class Subscriber {
  readonly #types: ReadonlySet<string>;
  readonly #liveTypes: ReadonlySet<string>;
  readonly #queue: { message: IncomingEvent; done: Done }[] = [];
  readonly #retries = new Map<NodeJS.Timeout, Done>();
  #underWay = 0;
  #callsUnderWay = 0;
  #closed = false;

  constructor(readonly consumer: Consumer) {
    this.#types = new Set(consumer.eventTypes);
    this.#liveTypes = new Set(consumer.liveTypes);
  }

  takes(type: string): boolean {
    return this.#types.has(type);
  }

  takesLive(type: string): boolean {
    return this.#liveTypes.has(type);
  }

  give(message: IncomingEvent, done: Done): void {
    if (this.#closed || this.#queue.length + this.#retries.size >= HELD_PER_SUBSCRIBER_MAX) {
      setImmediate(done, false);
      return;
    }
    this.#queue.push({ message, done });
    this.#work();
  }

  async answer(call: IncomingCall): Promise<Buffer | null> {
    this.#callsUnderWay++;
    return await this.consumer.onCall(call).finally(() => this.#callsUnderWay--);
  }

  async close(drainTimeoutMs: number): Promise<void> {
    this.#closed = true;
    for (const { done } of this.#queue.splice(0)) done(false);
    for (const [timer, done] of this.#retries) {
      clearTimeout(timer);
      done(false);
    }
    this.#retries.clear();
    const giveUpMs = Date.now() + drainTimeoutMs;
    while (this.#underWay + this.#callsUnderWay > 0 && Date.now() < giveUpMs) await delay(5);
  }

  #work(): void {
    while (this.#underWay < this.consumer.prefetch) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#underWay++;
      void this.#handle(next.message, next.done).finally(() => {
        this.#underWay--;
        this.#work();
      });
    }
  }

  async #handle(message: IncomingEvent, done: Done): Promise<void> {
    const outcome = await this.consumer.onEvent(message);
    if (outcome.kind !== 'retry') {
      crashPoint('before-ack', this.consumer.service);
      return done(outcome.kind !== 'abandoned');
    }
    if (this.#closed) return done(false);
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      this.give({ ...message, attempt: message.attempt + 1 }, done);
    }, outcome.delayMs);
    this.#retries.set(timer, done);
  }
}

function incoming(event: OutgoingEvent): IncomingEvent {
  return { body: event.body, routingKey: event.routingKey, headers: {}, attempt: 1 };
}
