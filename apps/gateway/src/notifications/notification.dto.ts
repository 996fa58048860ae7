import type { Role } from '#libs/auth';
import { CHANNEL_KINDS, type ChannelKind, DELIVERY_STATUSES, type DeliveryStatus } from '#libs/contracts';
import { BooleanField, ChoiceField, RolesField, TextField, UuidField, WordListField } from '../http/fields.js';
import { PageQuery } from '../http/paging.js';

const TARGET = 'An e-mail address, the id of a Telegram chat, or a URL that begins with https://.';
const SECRET =
  'Webhook: `whsec_` and the key in base64 that requests are signed with. Telegram: the token of your bot. E-mail: none. Never shown again.';
const EVENTS = 'The types of events that it is for. Null or left out: all that people are told of.';
const ROLES_SAID = 'The roles of those who read it: it is told of what is for one of them. Null or left out: all.';
const EVENTS_MAX = 100;
const optional = { optional: true } as const;
const clearable = { optional: true, nullable: true } as const;

class ChannelSettings {
  @WordListField(EVENTS_MAX, { ...clearable, description: EVENTS, example: ['LowStockDetected'] })
  events?: string[] | null;

  @RolesField({ ...clearable, countMin: 1, description: ROLES_SAID, example: ['inventory_manager'] })
  roles?: Role[] | null;

  @BooleanField({ ...optional, description: 'Unless it is, nothing is sent.', example: true })
  enabled?: boolean;

  @TextField(200, { ...optional, description: SECRET, example: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD' })
  secret?: string;
}

export class NewChannel extends ChannelSettings {
  @ChoiceField(CHANNEL_KINDS, { example: 'webhook' })
  kind: ChannelKind;

  @TextField(200, { lengthMin: 1, example: 'Purchasing' })
  name: string;

  @TextField(2_000, { lengthMin: 1, description: TARGET, example: 'https://hooks.example.com/holdfast' })
  target: string;
}

export class ChannelChange extends ChannelSettings {
  @TextField(200, { ...optional, lengthMin: 1, example: 'Purchasing' })
  name?: string;

  @TextField(2_000, { ...optional, lengthMin: 1, description: TARGET, example: 'https://hooks.example.com/holdfast' })
  target?: string;
}

export class DeliveryQuery extends PageQuery {
  @UuidField(optional)
  channelId?: string;

  @ChoiceField(DELIVERY_STATUSES, { ...optional, example: 'failed' })
  status?: DeliveryStatus;

  @TextField(100, { ...optional, example: 'LowStockDetected' })
  eventType?: string;
}
