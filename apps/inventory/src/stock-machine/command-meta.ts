import type { CloudEvent } from '#libs/contracts';
import { HoldfastError, unavailable } from '#libs/domain';
import { type MessageContext, RetryLater } from '#libs/messaging';
import type { CommandMeta, Outcome } from './commands.js';

/** What a command that came by event carries. */
export function metaOfEvent(event: CloudEvent, context: MessageContext): CommandMeta {
  return {
    messageId: event.id,
    event,
    causationId: event.id,
    actor: event.actor ?? event.source,
    traceparent: event.traceparent ?? context.traceparent,
    sequence: event.sequence,
    time: new Date(event.time),
    mayWait: !context.lastAttempt,
  };
}

/** What a command that came by call carries. */
export function metaOfCall(context: MessageContext, sequence?: number): CommandMeta {
  return {
    messageId: context.messageId,
    actor: context.actor.userId,
    traceparent: context.traceparent,
    sequence,
    mayWait: false,
    deadlineMs: context.deadlineMs,
  };
}

/**
 * What an event's handler does with the outcome: nothing more, because whatever is to be said was said by event.
 *
 * @throws {RetryLater} when it came too early.
 */
export function settleEvent(outcome: Outcome): void {
  if (outcome.kind === 'too-early') throw new RetryLater(`waits for ${outcome.waitingFor}`);
}

/** The answer to a call. @throws {HoldfastError} when the request makes no sense as it is. */
export function answerCall<A>(outcome: Outcome): A {
  if (outcome.kind === 'answer') return outcome.answer as A;
  if (outcome.kind === 'error') throw HoldfastError.fromWire(outcome.error);
  throw unavailable('The call could not be decided; repeat it.');
}
