import { setTimeout as delay } from 'node:timers/promises';
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import { serviceActor } from '#libs/auth';
import { findEvent, ParkedCalls, type CloudEvent, type ServiceName } from '#libs/contracts';
import { HoldfastError } from '#libs/domain';
import { CallAnswerer, type CallRoute } from './answer-call.js';
import type { BrokerUserOrgs } from './broker-user-orgs.js';
import type { Consumer, Delivery, IncomingCall, IncomingEvent, Outcome, Subscription } from './delivery.js';
import type { HandlerExtras, MessageContext } from './handlers.js';
import { MessagingMetrics } from './metrics.js';
import type { ParkedMessages } from './parking.js';
import { readEvent, Unreadable } from './read-event.js';
import type { Relay } from './relay.js';
import { classifyFailure, RETRY_DELAYS_MS, type Failure } from './retry-policy.js';

export interface TransportOptions {
  readonly service: ServiceName;
  readonly delivery: Delivery;
  readonly parked: ParkedMessages;
  /** Runs as long as the transport listens. */
  readonly relay: Relay;
  /** How many events may be under way at once; twice the batch of whoever handles them. Default 800. */
  readonly prefetch?: number;
  /** Delays between the attempts at one event, in milliseconds. Default {@link RETRY_DELAYS_MS}. */
  readonly retryDelaysMs?: readonly number[];
  /** How long closing waits for what is under way; default 20,000. */
  readonly drainTimeoutMs?: number;
  readonly brokerUserOrgs?: BrokerUserOrgs;
  readonly metrics?: MessagingMetrics;
  /** Around each handler: for what log lines carry, and for traces. An interceptor of Nest costs each message several promises. */
  readonly around?: AroundHandler;
}

/**
 * Runs `work`, the handler of one message, and answers what it answers.
 *
 * @param pattern the type of the event or the pattern of the call.
 * @param content the event or the request.
 */
export type AroundHandler = <T>(pattern: string, content: unknown, context: MessageContext, work: () => Promise<T>) => Promise<T>;

const PREFETCH = 800;
const DRAIN_TIMEOUT_MS = 20_000;
const RELAY_STOP_TIMEOUT_MS = 3_000;
/** How often the database is tried again while it cannot work; each message in hand does. */
const PAUSE_FIRST_MS = 500;
const PAUSE_MAX_MS = 10_000;
const HANDLED: Outcome = { kind: 'handled' };
const ABANDONED: Outcome = { kind: 'abandoned' };

type EventHandler = (event: CloudEvent, context: MessageContext) => Promise<unknown>;

/**
 * Lets Nest's controllers handle events and answer calls that come by a {@link Delivery}. Own code instead of the framework's RabbitMQ
 * transport, for reasons told in docs/adr/0006-own-transport-strategy.md; decorators, guards, interceptors and modules are the framework's.
 */
export class HoldfastTransport extends Server implements CustomTransportStrategy, Consumer {
  override readonly transportId = Symbol('HOLDFAST');
  /** What a handler throws reaches this transport, so Nest need not log it. */
  override readonly propagatesEventHandlerErrors = true;
  readonly service: ServiceName;
  readonly prefetch: number;
  readonly retryDelaysMs: readonly number[];
  readonly #options: TransportOptions;
  readonly #metrics: MessagingMetrics;
  readonly #events = new Map<string, EventHandler>();
  readonly #liveEvents = new Map<string, EventHandler>();
  readonly #calls = new Map<string, CallRoute>();
  readonly #answerer: CallAnswerer;
  readonly #closing = new AbortController();
  #subscription: Subscription | undefined;

  constructor(options: TransportOptions) {
    super();
    this.#options = options;
    this.service = options.service;
    this.prefetch = options.prefetch ?? PREFETCH;
    this.retryDelaysMs = options.retryDelaysMs ?? RETRY_DELAYS_MS;
    this.#metrics = options.metrics ?? MessagingMetrics.in();
    this.#answerer = new CallAnswerer(this.#calls, options.brokerUserOrgs ?? null, (pattern, error) => {
      this.#metrics.failed(this.#calls.has(pattern) ? pattern : 'unknown', 'INTERNAL');
      this.logger.error(error);
    });
  }

  get eventTypes(): readonly string[] {
    return [...this.#events.keys()];
  }

  get liveTypes(): readonly string[] {
    return [...this.#liveEvents.keys()];
  }

  get answersCalls(): boolean {
    return this.#calls.size > 0;
  }

  listen(callback: (error?: unknown) => void): void {
    this.#start().then(() => callback(), callback);
  }

  /** Takes no more messages, finishes those under way and what they publish, within the drain timeout. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#subscription?.close(this.#options.drainTimeoutMs ?? DRAIN_TIMEOUT_MS);
    await this.#options.relay.stop(RELAY_STOP_TIMEOUT_MS);
  }

  on(): never {
    throw new Error('This transport has no events of its own; ask its delivery for the status.');
  }

  unwrap<T>(): T {
    return this.#options.delivery as T;
  }

  async onEvent(message: IncomingEvent): Promise<Outcome> {
    return await this.#handle(message, message.attempt > this.retryDelaysMs.length);
  }

  async onLiveEvent(message: IncomingEvent): Promise<void> {
    try {
      const { event } = readEvent(message, this.#options.brokerUserOrgs ?? null);
      await this.#liveEvents.get(event.type)?.(event, contextOf(event, 1, true));
    } catch (error) {
      this.logger.warn(`A live event could not be handled: ${String(error)}`);
    }
  }

  async onCall(call: IncomingCall): Promise<Buffer | null> {
    return await this.#answerer.answer(call);
  }

  async #start(): Promise<void> {
    for (const [pattern, handler] of this.messageHandlers) this.#addRoute(pattern, handler);
    if (this.#events.size > 0 && this.service !== 'gateway') this.#answerParkedCalls();
    this.#options.relay.start();
    if (this.#events.size + this.#liveEvents.size + this.#calls.size > 0) {
      this.#subscription = await this.#options.delivery.subscribe(this);
    }
  }

  #addRoute(pattern: string, handler: MessageHandler): void {
    const extras = handler.extras as HandlerExtras | undefined;
    if (extras?.event === undefined && extras?.call === undefined) {
      throw new Error(`The handler of ${pattern} must be declared with OnEvent, OnLiveEvent or OnCall.`);
    }
    if (handler.next !== undefined) throw new Error(`${pattern} has several handlers in one service, which would share one inbox row.`);
    const { around } = this.#options;
    const run = async (content: unknown, context: MessageContext): Promise<unknown> => {
      const result: unknown = await handler(content, context);
      // Only interceptors and failures come as streams.
      return isObservable(result) ? await lastValueFrom(result, { defaultValue: undefined }) : result;
    };
    const handle: typeof run =
      around === undefined ? run : (content, context) => around(pattern, content, context, () => run(content, context));
    if (extras.call !== undefined) this.#calls.set(extras.call.pattern, { definition: extras.call, handle });
    else (extras.live ? this.#liveEvents : this.#events).set(extras.event.type, handle);
  }

  async #handle(message: IncomingEvent, lastAttempt: boolean): Promise<Outcome> {
    let event: CloudEvent;
    try {
      event = readEvent(message, this.#options.brokerUserOrgs ?? null).event;
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return await this.#park(message, { type: error.type, reason: error.code, detail: error.message });
    }
    const handler = this.#events.get(event.type) ?? unhandled;
    const context = contextOf(event, message.attempt, lastAttempt);
    for (let pauseMs = PAUSE_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
      try {
        await handler(event, context);
        this.#metrics.handled(this.service);
        return HANDLED;
      } catch (error) {
        const failure = classifyFailure(error);
        if (failure.kind !== 'pause') return await this.#afterFailure(message, event, lastAttempt, failure);
        this.logger.warn(`Consuming pauses, because the database cannot work now: ${failure.message}`);
        if (!(await this.#pause(pauseMs))) return ABANDONED;
      }
    }
  }

  async #afterFailure(message: IncomingEvent, event: CloudEvent, lastAttempt: boolean, failure: Failure): Promise<Outcome> {
    this.#metrics.failed(event.type, failure.code);
    if (failure.kind === 'transient' && !lastAttempt) {
      this.#metrics.notHandled(this.service, 'retry');
      return { kind: 'retry', delayMs: this.retryDelaysMs[message.attempt - 1]!, reason: failure.code };
    }
    return await this.#park(message, { type: event.type, reason: failure.code, detail: failure.message });
  }

  /** Stores the message with its reason. While the database cannot, it is kept in hand. */
  async #park(message: IncomingEvent, failure: { type: string | null; reason: string; detail: string }): Promise<Outcome> {
    const known = failure.type !== null && findEvent(failure.type) !== undefined;
    for (let pauseMs = PAUSE_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
      try {
        await this.#options.parked.park(message, failure);
        break;
      } catch (error) {
        this.logger.error(`A message could not be parked: ${String(error)}`);
        if (!(await this.#pause(pauseMs))) return ABANDONED;
      }
    }
    this.#metrics.notHandled(this.service, 'parked');
    this.#metrics.failed(known ? failure.type! : 'unknown', failure.reason);
    this.logger.warn(`Parked ${message.routingKey} after ${message.attempt} attempt(s): ${failure.reason}: ${failure.detail}`);
    return { kind: 'parked', reason: failure.reason, attempts: message.attempt };
  }

  /** Answers false when the service is shutting down. */
  async #pause(ms: number): Promise<boolean> {
    await delay(ms, undefined, { signal: this.#closing.signal }).catch(() => {});
    return !this.#closing.signal.aborted;
  }

  #answerParkedCalls(): void {
    const calls = ParkedCalls[this.service as keyof typeof ParkedCalls] as (typeof ParkedCalls)['orders'] | undefined;
    if (calls === undefined) throw new Error(`${this.service} consumes events and may park them: declare its calls in ParkedCalls.`);
    const { list, replay, discard } = calls;
    const { parked } = this.#options;
    const add = (definition: CallRoute['definition'], handle: CallRoute['handle']) =>
      this.#calls.set(definition.pattern, { definition, handle });
    add(list, ({ orgId, ...query }) => parked.list(orgId, query));
    add(replay, async ({ orgId, messageId }) => await this.#replay(orgId, String(messageId)));
    add(discard, async ({ orgId, messageId }) => {
      if (!(await parked.remove(orgId, String(messageId)))) throw noSuchMessage();
      return { messageId };
    });
  }

  /** The only attempt: whoever asks for it sees at once what came of it. */
  async #replay(orgId: string, messageId: string): Promise<{ messageId: string; outcome: 'handled' | 'parked'; reason: string | null }> {
    const message = await this.#options.parked.find(orgId, messageId);
    if (message === undefined) throw noSuchMessage();
    const outcome = await this.#handle(message, true);
    if (outcome.kind !== 'handled') return { messageId, outcome: 'parked', reason: outcome.kind === 'parked' ? outcome.reason : null };
    await this.#options.parked.remove(orgId, messageId);
    return { messageId, outcome: 'handled', reason: null };
  }
}

/**
 * An event that Holdfast knows and this process does not handle: during an upgrade a newer process of the same service has subscribed to
 * it, and will handle it when it comes again.
 */
const unhandled: EventHandler = (event) => {
  throw new HoldfastError('unavailable', 'NOT_HANDLED', `This version of the service does not handle ${event.type}.`);
};

function contextOf(event: CloudEvent, attempt: number, lastAttempt: boolean): MessageContext {
  const context = {
    orgId: event.orgid,
    actor: serviceActor(event.orgid, event.actor ?? event.source),
    messageId: event.id,
    attempt,
    lastAttempt,
  };
  return event.traceparent === undefined ? context : { ...context, traceparent: event.traceparent };
}

function noSuchMessage(): HoldfastError {
  return new HoldfastError('not_found', 'MESSAGE_NOT_FOUND', 'There is no such parked message.');
}
