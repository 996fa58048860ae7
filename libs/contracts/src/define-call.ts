import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { ServiceName } from './define-event.js';
import type { Role } from './role.js';
import { compile, type Validate } from './validate.js';

/** The services that answer calls. */
export type CalledService = Exclude<ServiceName, 'gateway'>;

/**
 * A call (RPC), declared once: its pattern, who answers it, and the shapes of request and response. `data.orgId` is part of every
 * request; it is added here.
 */
export interface CallDefinition<Q extends TSchema = TSchema, R extends TSchema = TSchema> {
  /** `stock.demand`; a break is a new pattern, `stock.demand.v2`. */
  readonly pattern: string;
  readonly service: CalledService;
  readonly summary: string;
  readonly request: Q;
  readonly response: R;
  /** Published in the AsyncAPI document for outsiders, or used between our own services only. */
  readonly visibility: 'public' | 'internal';
  /** Who may make it; everybody else is refused. Checked by the gateway and again by the service that answers. */
  readonly allow: readonly Role[];
  /** A `change` is refused to an actor who does not work in the warehouses that the request names; a `read` is filtered. */
  readonly effect: 'read' | 'change';
  /** Changes stock wherever it is, which the request does not say: refused to who works in some warehouses only. */
  readonly everyWarehouse?: true;
  readonly validate: Validate;
}

/** The request of a call, without the organisation: `RequestOf<typeof StockDemand>`. */
export type RequestOf<D extends CallDefinition> = Static<D['request']>;
export type ResponseOf<D extends CallDefinition> = Static<D['response']>;

const registry = new Map<string, CallDefinition>();

export function defineCall<Q extends TSchema, R extends TSchema>(definition: Omit<CallDefinition<Q, R>, 'validate'>): CallDefinition<Q, R> {
  const call: CallDefinition<Q, R> = { ...definition, validate: compile(definition.request) };
  // Some patterns are answered by several services, each on its own queue.
  registry.set(`${call.service} ${call.pattern}`, call);
  return call;
}

export function findCall(service: CalledService, pattern: string): CallDefinition | undefined {
  return registry.get(`${service} ${pattern}`);
}

export function allCalls(): readonly CallDefinition[] {
  return [...registry.values()];
}

/** A response that only our own services read: described by its TypeScript type, not checked at run time. */
export function internal<T>() {
  return Type.Unsafe<T>({});
}

/** The queue a service answers calls on. */
export function rpcQueue(service: CalledService): string {
  return `${service}.rpc`;
}

/** Through it go the calls of outsiders whose broker user may not write to the default exchange, with the queue as routing key. */
export const CALLS_EXCHANGE = 'holdfast.calls';

/** Whether a service answers calls of outsiders. */
export function isPublic(service: ServiceName): boolean {
  return allCalls().some((call) => call.service === service && call.visibility === 'public');
}

/** One page of a list; `nextCursor` is null on the last one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** What every list takes. */
export const PageQuery = {
  cursor: Type.Optional(Type.String({ maxLength: 500 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
};
