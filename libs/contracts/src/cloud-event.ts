import { Type } from '@sinclair/typebox';
import { uuidv7 } from '#libs/domain';
import type { DataOf, EventDefinition } from './define-event.js';
import { OrgId, Sequence, Text } from './schema.js';
import { compile } from './validate.js';

/** The exchange that every event goes through. */
export const EVENTS_EXCHANGE = 'holdfast.events';
/** Where copies of parked messages go; bounded. */
export const PARKED_QUEUE = 'holdfast.parked';
export const CLOUD_EVENT_CONTENT_TYPE = 'application/cloudevents+json';

/** A CloudEvents 1.0 event in structured mode, as it travels. */
export interface CloudEvent<T = unknown> {
  readonly specversion: '1.0';
  /** Unique together with `source`; repeats have no effect for 14 days. */
  readonly id: string;
  /** Who says so: `/inventory`, `/orders`, or an OMS's own. */
  readonly source: string;
  readonly type: string;
  /** RFC 3339. */
  readonly time: string;
  /** The order, item or request that it is about. */
  readonly subject: string;
  readonly datacontenttype: 'application/json';
  readonly dataschema: string;
  /** The organisation (tenant). */
  readonly orgid: string;
  /** Counted per order by its source. */
  readonly sequence?: number;
  /** The id of the event that this one answers. */
  readonly causationid?: string;
  /** The user or system on whose behalf it was done. */
  readonly actor?: string;
  /** W3C trace context. */
  readonly traceparent?: string;
  readonly data: T;
}

/** The typed event of a definition: `EventOf<typeof OrderConfirmed>`. */
export type EventOf<D extends EventDefinition> = CloudEvent<DataOf<D>>;

const envelope = Type.Object({
  specversion: Type.Literal('1.0'),
  id: Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f\\ud800-\\udfff]+$' }),
  source: Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f\\ud800-\\udfff]+$' }),
  type: Type.String({ minLength: 1, maxLength: 100 }),
  time: Type.String({ format: 'date-time' }),
  subject: Type.Optional(Text(200)),
  orgid: OrgId,
  sequence: Type.Optional(Sequence),
  causationid: Type.Optional(Text(200)),
  actor: Type.Optional(Text(200)),
  traceparent: Type.Optional(Text(100)),
  data: Type.Object({}),
});

/** Checks the attributes of an event; its `data` is checked by the definition of its type. */
export const validateEnvelope = compile(envelope);

/** What the maker of an event says beside its data. */
export interface EventAttributes {
  readonly source: string;
  readonly subject: string;
  readonly orgid: string;
  readonly time: string;
  readonly sequence?: number | undefined;
  readonly causationid?: string | undefined;
  readonly actor?: string | undefined;
  readonly traceparent?: string | undefined;
}

/** Makes an event of a definition, with an id of its own. */
export function makeEvent<D extends EventDefinition>(definition: D, attributes: EventAttributes, data: DataOf<D>): EventOf<D> {
  const { sequence, causationid, actor, traceparent, ...required } = attributes;
  return {
    specversion: '1.0',
    id: uuidv7(),
    type: definition.type,
    datacontenttype: 'application/json',
    dataschema: definition.dataSchema,
    ...required,
    ...(sequence === undefined ? {} : { sequence }),
    ...(causationid === undefined ? {} : { causationid }),
    ...(actor === undefined ? {} : { actor }),
    ...(traceparent === undefined ? {} : { traceparent }),
    data,
  };
}

export function routingKey(event: Pick<CloudEvent, 'type' | 'orgid'>): string {
  return `${event.type}.${event.orgid}`;
}
