import { Type } from '@sinclair/typebox';
import { defineCall, internal, type Page, PageQuery } from './define-call.js';
import { allEvents } from './define-event.js';
import { ADMINISTRATORS, AUDITORS, type Role, ROLES } from './role.js';
import { Nullable, Text } from './schema.js';

// What the gateway asks notifications: who hears of what, and what came of it. Between our own services only.

const shared = { service: 'notifications' as const, visibility: 'internal' as const };

export const CHANNEL_KINDS = ['email', 'telegram', 'webhook'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** Where an organisation wants to hear of events. The secret of a channel is never part of it. */
export interface Channel {
  readonly channelId: string;
  readonly kind: ChannelKind;
  readonly name: string;
  /** An e-mail address, the id of a Telegram chat, or a URL. */
  readonly target: string;
  /** The types of events that it is for; null: all that people are told of, those of later versions included. */
  readonly events: readonly string[] | null;
  /** The roles of those who read it; null: all. */
  readonly roles: readonly Role[] | null;
  readonly enabled: boolean;
  /** Why nothing is sent to it, for people; null when nothing is in the way. */
  readonly problem: string | null;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

export const DELIVERY_STATUSES = ['waiting', 'sent', 'failed'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** One event on its way to one channel. */
export interface NotificationDelivery {
  readonly deliveryId: string;
  readonly channelId: string;
  /** As it was called when the event came. */
  readonly channelName: string;
  readonly kind: ChannelKind;
  readonly eventType: string;
  readonly eventId: string;
  /** What the event is about: an order, an item, a request. */
  readonly subject: string;
  /** The headline that was sent. */
  readonly title: string;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  /** When it is tried next; null unless it is waiting. */
  readonly nextAttemptAt: string | null;
  /** Why the last attempt failed, or why it was given up; null when nothing failed. */
  readonly lastError: string | null;
  readonly createdAt: string;
  readonly sentAt: string | null;
}

/** The types of the events that a channel can be for: those that the registry says notifications consumes. */
export function notifiedEventTypes(): readonly string[] {
  return allEvents()
    .filter(({ consumers }) => consumers.includes('notifications'))
    .map(({ type }) => type)
    .sort();
}

const list = <T extends string>(choices: readonly T[]) =>
  Nullable(Type.Array(Type.Union(choices.map((choice) => Type.Literal(choice))), { minItems: 1, uniqueItems: true }));
const ChannelId = Type.String({ format: 'uuid' });
const TARGET_LENGTH_MAX = 2_000;
const SECRET_LENGTH_MAX = 200;
/** Whether there is an event of such a type, the service knows. */
const EventTypes = Nullable(
  Type.Array(Type.String({ pattern: '^[A-Za-z0-9]{1,100}$' }), { minItems: 1, maxItems: 100, uniqueItems: true }),
);
const saying = {
  events: Type.Optional(EventTypes),
  roles: Type.Optional(list(ROLES)),
  enabled: Type.Optional(Type.Boolean()),
  /** The key that webhooks are signed with, or the token of the Telegram bot. */
  secret: Type.Optional(Type.String({ maxLength: SECRET_LENGTH_MAX })),
};

export const ChannelCreate = defineCall({
  ...shared,
  pattern: 'notification-channels.create',
  effect: 'change',
  allow: ADMINISTRATORS,
  summary: 'Makes a channel: from then on it hears of events.',
  request: Type.Object({
    channelId: ChannelId,
    kind: Type.Union(CHANNEL_KINDS.map((kind) => Type.Literal(kind))),
    name: Text(200),
    target: Text(TARGET_LENGTH_MAX),
    ...saying,
  }),
  response: internal<Channel>(),
});
export const ChannelList = defineCall({
  ...shared,
  pattern: 'notification-channels.list',
  effect: 'read',
  allow: AUDITORS,
  summary: 'The channels, newest first, without their secrets.',
  request: Type.Object(PageQuery),
  response: internal<Page<Channel>>(),
});
export const ChannelUpdate = defineCall({
  ...shared,
  pattern: 'notification-channels.update',
  effect: 'change',
  allow: ADMINISTRATORS,
  summary: 'Changes a channel; what is waiting for it goes to where it then is.',
  request: Type.Object({
    channelId: ChannelId,
    name: Type.Optional(Text(200)),
    target: Type.Optional(Text(TARGET_LENGTH_MAX)),
    ...saying,
  }),
  response: internal<Channel>(),
});
export const ChannelDelete = defineCall({
  ...shared,
  pattern: 'notification-channels.delete',
  effect: 'change',
  allow: ADMINISTRATORS,
  summary: 'Ends a channel and forgets its secret; what is waiting for it is given up.',
  request: Type.Object({ channelId: ChannelId }),
  response: internal<{ channelId: string }>(),
});

export const DeliveryList = defineCall({
  ...shared,
  pattern: 'notification-deliveries.list',
  effect: 'read',
  allow: AUDITORS,
  summary: 'What was sent, is waiting or failed, newest first; kept for 90 days.',
  request: Type.Object({
    ...PageQuery,
    channelId: Type.Optional(ChannelId),
    status: Type.Optional(Type.Union(DELIVERY_STATUSES.map((status) => Type.Literal(status)))),
    eventType: Type.Optional(Type.String({ maxLength: 100 })),
  }),
  response: internal<Page<NotificationDelivery>>(),
});
