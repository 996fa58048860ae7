import type { ChannelKind } from '#libs/contracts';

/** What is sent to a channel, and where. */
export interface OutgoingNotice {
  /** The same in each attempt: what the receiver recognises a repeat by. */
  readonly deliveryId: string;
  readonly orgId: string;
  readonly target: string;
  /** Null for kinds of channels that have none. */
  readonly secret: string | null;
  readonly eventId: string;
  readonly eventType: string;
  readonly subject: string;
  readonly occurredAt: Date;
  readonly title: string;
  readonly lines: readonly string[];
  readonly data: unknown;
}

/** Sends to channels of one kind. */
export interface Sender {
  /** Why it sends nothing, for people; null when it does. */
  readonly problem: string | null;
  /**
   * Sends once; resolves when the receiver has taken it.
   *
   * @param signal ends the attempt. It is always over within 30 seconds.
   * @throws {NotSent}
   */
  send(notice: OutgoingNotice, signal: AbortSignal): Promise<void>;
  /** Lets go of connections that are kept for the next one. */
  close?(): void;
}

/** By the kind of channel. */
export type Senders = Readonly<Record<ChannelKind, Sender>>;

/** Injects the {@link Senders}. */
export const SENDERS = Symbol('SENDERS');

/** An attempt failed, for a reason that the organisation's administrator may read. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
  /** Trying again would be refused again. */
  readonly isFinal: boolean;
  /** The receiver asks not to be tried again before this. */
  readonly retryAfterMs: number;

  /** @param reason without secrets, and without what only the operator should know. */
  constructor(reason: string, options: { isFinal?: boolean; retryAfterMs?: number; cause?: unknown } = {}) {
    super(reason, { cause: options.cause });
    this.isFinal = options.isFinal ?? false;
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

/** The code of what went wrong below HTTP or SMTP, such as ECONNREFUSED, for people; its message may name hosts. */
export function codeText(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^\w{1,60}$/.test(code) ? ` (${code})` : '';
}
