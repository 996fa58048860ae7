import type { CalledService, ServiceName } from '#libs/contracts';

/** An event on its way out: the bytes that were committed to the outbox are the bytes that travel. */
export interface OutgoingEvent {
  /** The id of the event, and of its outbox row. */
  readonly id: string;
  readonly type: string;
  /** `<Type>.<orgid>` */
  readonly routingKey: string;
  readonly body: Buffer;
}

/** An event as it arrives: nothing of it is checked yet. */
export interface IncomingEvent {
  readonly body: Buffer;
  readonly routingKey: string;
  /** Kept with the message when it is parked. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** The broker's word for who published it, when the publisher named itself; kept when it is retried or parked. */
  readonly brokerUser?: string | undefined;
  /** Counted from 1. */
  readonly attempt: number;
}

/** Our own header, in which the broker's word for who published a message stays with it when it is retried or parked. */
export const BROKER_USER_HEADER = 'x-broker-user';

/** What becomes of an event that a service was given. */
export type Outcome =
  | { readonly kind: 'handled' }
  /** To be given again, as the next attempt. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly reason: string }
  /** Stored with its reason; it does not come again by itself. */
  | { readonly kind: 'parked'; readonly reason: string; readonly attempts: number }
  /** The service is shutting down: as if it had never been given. */
  | { readonly kind: 'abandoned' };

export interface OutgoingCall {
  readonly id: string;
  readonly service: CalledService;
  readonly body: Buffer;
  /** Also how long the answer may take. */
  readonly timeoutMs: number;
  readonly traceparent?: string | undefined;
}

export interface IncomingCall {
  readonly body: Buffer;
  /** How long somebody waits, from now. */
  readonly expirationMs?: number | undefined;
  /** The broker's word for who sent it, when the sender named itself. */
  readonly brokerUser?: string | undefined;
  readonly traceparent?: string | undefined;
}

/** What a service takes; the transport is it. */
export interface Consumer {
  readonly service: ServiceName;
  /** Given once per service. */
  readonly eventTypes: readonly string[];
  /** Given to every process of the service, while it runs. */
  readonly liveTypes: readonly string[];
  readonly answersCalls: boolean;
  /** How many events may be under way at once. */
  readonly prefetch: number;
  /** The delays between attempts, in milliseconds; every delay of an {@link Outcome} is one of them. */
  readonly retryDelaysMs: readonly number[];
  onEvent(message: IncomingEvent): Promise<Outcome>;
  onLiveEvent(message: IncomingEvent): Promise<void>;
  /** The answer's bytes; `null` when nobody waits for it any more. */
  onCall(call: IncomingCall): Promise<Buffer | null>;
}

/** Tells what became of an event: `safe` when it will reach everybody that it must reach, whatever happens to this process. */
export type Settled = (eventId: string, safe: boolean) => void;

export interface DeliveryStatus {
  readonly state: 'connected' | 'connecting' | 'closed';
  /** Why the broker takes no messages at the moment, though it is connected. */
  readonly blocked: string | null;
  /** What was wrong last. */
  readonly lastError: string | null;
}

export interface Subscription {
  /** Takes no more messages, waits for those under way up to the timeout, then lets go of the rest, which come again. */
  close(drainTimeoutMs: number): Promise<void>;
}

/**
 * How messages get from one service to another. Two implementations, {@link RabbitDelivery} and {@link InProcessDelivery}, held to the
 * same behaviour by one contract suite.
 */
export interface Delivery {
  /** Starts giving messages to a service; resolves when it receives. */
  subscribe(consumer: Consumer): Promise<Subscription>;
  /** How many events may be published now; 0 while there is no connection. */
  room(): number;
  /** Calls the listener whenever there is room again after there was no connection. Answers how to stop that. */
  onRoom(listener: () => void): () => void;
  publish(event: OutgoingEvent, settled: Settled): void;
  /** The bytes of the answer. Throws `unavailable` when there is none in time. */
  call(call: OutgoingCall): Promise<Buffer>;
  status(): DeliveryStatus;
  close(): Promise<void>;
}
