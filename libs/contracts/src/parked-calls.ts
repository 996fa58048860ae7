import { type Static, Type } from '@sinclair/typebox';
import { type CalledService, defineCall, internal, type Page, PageQuery } from './define-call.js';
import { ADMINISTRATORS, AUDITORS } from './role.js';
import { Nullable, Timestamp } from './schema.js';

/** A message that was put aside, because it breaks its schema or failed beyond the retries. */
export const ParkedMessage = Type.Object({
  messageId: Type.String({ format: 'uuid' }),
  /** Who parked it. */
  service: Type.String(),
  routingKey: Type.String(),
  /** The type it says it has; null when it cannot be read. */
  type: Nullable(Type.String()),
  /** A stable code, such as `INVALID_DATA`. */
  reason: Type.String(),
  /** What exactly is wrong, for people. */
  detail: Type.String(),
  attempts: Type.Integer(),
  parkedAt: Timestamp,
  /** As it came: text when it is text, else base64. */
  body: Type.String(),
  bodyEncoding: Type.Union([Type.Literal('utf8'), Type.Literal('base64')]),
  /** Lists leave out what is beyond 64 KiB of a body; it is kept. */
  bodyTruncated: Type.Boolean(),
});
export type ParkedMessage = Static<typeof ParkedMessage>;

/** What came of giving a parked message to its service again. */
export const ReplayResult = Type.Object({
  messageId: Type.String({ format: 'uuid' }),
  /** `handled`: done, and no longer parked; `parked`: it failed again, for the reason that is given. */
  outcome: Type.Union([Type.Literal('handled'), Type.Literal('parked')]),
  reason: Nullable(Type.String()),
});
export type ReplayResult = Static<typeof ReplayResult>;

const MessageRef = Type.Object({ messageId: Type.String({ format: 'uuid' }) });

/** Every service that consumes events answers these; the pattern is the same, the queue is its own. */
function parkedCalls<S extends CalledService>(service: S) {
  const shared = { service, visibility: 'internal' as const };
  return {
    list: defineCall({
      ...shared,
      pattern: 'parked.list',
      summary: 'The messages that were parked and neither replayed nor discarded, newest first.',
      allow: AUDITORS,
      effect: 'read',
      request: Type.Object(PageQuery),
      response: internal<Page<ParkedMessage>>(),
    }),
    replay: defineCall({
      ...shared,
      pattern: 'parked.replay',
      summary: 'Gives a parked message to its service once more, at once.',
      allow: ADMINISTRATORS,
      effect: 'change',
      request: MessageRef,
      response: ReplayResult,
    }),
    discard: defineCall({
      ...shared,
      pattern: 'parked.discard',
      summary: 'Deletes a parked message for good.',
      allow: ADMINISTRATORS,
      effect: 'change',
      request: MessageRef,
      response: internal<{ messageId: string }>(),
    }),
  };
}

/** By the service that is asked: `ParkedCalls.inventory.list`. */
export const ParkedCalls = {
  inventory: parkedCalls('inventory'),
  orders: parkedCalls('orders'),
  notifications: parkedCalls('notifications'),
  reconciliation: parkedCalls('reconciliation'),
};
