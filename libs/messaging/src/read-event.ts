import { isUtf8 } from 'node:buffer';
import { findEvent, isOwnSource, routingKey, validateEnvelope, type CloudEvent, type EventDefinition } from '#libs/contracts';
import type { FieldError } from '#libs/domain';
import { type BrokerUserOrgs, isOurService } from './broker-user-orgs.js';
import type { IncomingEvent } from './delivery.js';

/** No message of Holdfast is larger than 1 MiB. */
const MESSAGE_BYTES_MAX = 1_048_576;

/** Why a message cannot be an event, with a stable code; it never will be, so it is parked at once. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';

  constructor(
    readonly code:
      'TOO_LARGE' | 'MALFORMED_JSON' | 'INVALID_ENVELOPE' | 'UNKNOWN_TYPE' | 'INVALID_DATA' | 'ROUTING_KEY_MISMATCH' | 'SOURCE_NOT_YOURS',
    detail: string,
    /** What it says it is, as far as it can be read. */
    readonly type: string | null = null,
  ) {
    super(detail);
  }
}

/**
 * Reads and checks an event: its envelope, its data against the schema of its type, that it came under the routing key of its own
 * organisation, because the broker lets a sender write only to keys of the organisation that it belongs to, and that nobody but our
 * services speaks as one of them.
 *
 * @throws {Unreadable}
 */
export function readEvent(message: IncomingEvent, brokerUserOrgs: BrokerUserOrgs): { event: CloudEvent; definition: EventDefinition } {
  const event = parse(message.body) as CloudEvent;
  const envelopeErrors = validateEnvelope(event);
  if (envelopeErrors !== null) throw new Unreadable('INVALID_ENVELOPE', describe(envelopeErrors), typeOf(event));
  const definition = findEvent(event.type);
  if (definition === undefined) throw new Unreadable('UNKNOWN_TYPE', `There is no event of type ${event.type}.`, event.type);
  const dataErrors = definition.validate(event.data);
  if (dataErrors !== null) throw new Unreadable('INVALID_DATA', describe(dataErrors), event.type);
  if (routingKey(event) !== message.routingKey) {
    const detail = `It came with the routing key ${message.routingKey}, but is about ${routingKey(event)}.`;
    throw new Unreadable('ROUTING_KEY_MISMATCH', detail, event.type);
  }
  if (isOwnSource(event.source) && !isOurService(brokerUserOrgs, message.brokerUser)) {
    const detail = `It says that it comes from ${event.source}, and was published by ${message.brokerUser ?? 'nobody whom the broker names'}.`;
    throw new Unreadable('SOURCE_NOT_YOURS', detail, event.type);
  }
  return { event, definition };
}

function parse(body: Buffer): unknown {
  if (body.length > MESSAGE_BYTES_MAX) {
    throw new Unreadable('TOO_LARGE', `It has ${body.length} bytes, more than ${MESSAGE_BYTES_MAX}.`);
  }
  if (!isUtf8(body)) throw new Unreadable('MALFORMED_JSON', 'It is not UTF-8.');
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    throw new Unreadable('MALFORMED_JSON', error instanceof Error ? error.message : String(error));
  }
}

function typeOf(event: unknown): string | null {
  const type = typeof event === 'object' && event !== null && 'type' in event ? event.type : undefined;
  return typeof type === 'string' ? type : null;
}

/** `data.lines.0.quantity must match pattern ...` */
export function describe(errors: readonly FieldError[]): string {
  return errors.map(({ path, message }) => `${path} ${message}`.trim()).join('; ');
}
