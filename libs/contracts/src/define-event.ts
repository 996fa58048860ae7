import type { Static, TSchema } from '@sinclair/typebox';
import { compile, type Validate } from './validate.js';

/** The services that can subscribe to an event. An OMS or any other outsider subscribes without being named. */
export type ServiceName = 'inventory' | 'orders' | 'approvals' | 'notifications' | 'reconciliation' | 'gateway';

/**
 * A kind of event, declared once: its name, version and data. From it come the TypeScript type ({@link DataOf}), the validator,
 * the routing key, the queue bindings and the AsyncAPI entry.
 */
export interface EventDefinition<T extends TSchema = TSchema> {
  /** `OrderConfirmed`; a break of the data is a new type, `OrderConfirmedV2`. */
  readonly type: string;
  /** One sentence for the AsyncAPI document. */
  readonly summary: string;
  readonly data: T;
  /**
   * Who consumes it inside Holdfast. An event that the broker cannot route is a failure only when somebody is named here;
   * otherwise it counts as published.
   */
  readonly consumers: readonly ServiceName[];
  /** Whether outsiders publish it (an OMS), or Holdfast does. */
  readonly direction: 'in' | 'out';
  /** The service of Holdfast that publishes it, and that alone may, as far as the broker is asked; null: outsiders only. */
  readonly publisher: ServiceName | null;
  readonly dataSchema: string;
  readonly validate: Validate;
}

/** The data of an event: `DataOf<typeof OrderConfirmed>`. */
export type DataOf<D extends EventDefinition> = Static<D['data']>;

const registry = new Map<string, EventDefinition>();
const ownSources = new Set<string>();

/** Declares an event and enters it into the registry that messaging and AsyncAPI read. */
export function defineEvent<T extends TSchema>(definition: Omit<EventDefinition<T>, 'dataSchema' | 'validate'>): EventDefinition<T> {
  const event: EventDefinition<T> = {
    ...definition,
    dataSchema: `urn:holdfast:${definition.type}:1`,
    validate: compile(definition.data),
  };
  registry.set(event.type, event);
  if (event.publisher !== null) ownSources.add(`/${event.publisher}`);
  return event;
}

export function findEvent(type: string): EventDefinition | undefined {
  return registry.get(type);
}

/** Whether a source is the name of a service of ours that publishes events: `/orders`. Nobody else may speak under it. */
export function isOwnSource(source: string): boolean {
  return ownSources.has(source);
}

export function allEvents(): readonly EventDefinition[] {
  return [...registry.values()];
}
