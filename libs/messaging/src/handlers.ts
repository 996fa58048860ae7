import { applyDecorators, Catch, UseFilters, type RpcExceptionFilter } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { PARAM_ARGS_METADATA } from '@nestjs/microservices/constants.js';
import { throwError } from 'rxjs';
import type { Actor } from '#libs/auth';
import type { CallDefinition, EventDefinition, EventOf, RequestOf, ResponseOf } from '#libs/contracts';

/** What a handler learns about a message beside its content. */
export interface MessageContext {
  /** The organisation that it is about; checked against routing key and token. */
  readonly orgId: string;
  /** On whose behalf. Of an event: who is recorded in it, with the role `service`. */
  readonly actor: Actor;
  /** The id of the event or of the call. */
  readonly messageId: string;
  /** Counted from 1; more after {@link RetryLater} and other transient failures. */
  readonly attempt: number;
  /** There is no further attempt: a handler that waits for something must decide without it, or the message is parked. */
  readonly lastAttempt: boolean;
  /** Calls only: nobody waits for the answer after this time (milliseconds since 1970), so work not begun by then is not begun. */
  readonly deadlineMs?: number;
  /** W3C trace context, to be carried on. */
  readonly traceparent?: string;
}

/** Thrown by a handler that cannot handle an event yet: it comes again after a delay that grows with each attempt. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater';
}

/** What of a handler the transport reads: Nest hands it over as `extras`. */
export type HandlerExtras =
  | { readonly event: EventDefinition; readonly live: boolean; readonly call?: never }
  | { readonly call: CallDefinition; readonly event?: never };

type EventHandler<D extends EventDefinition> = (event: EventOf<D>, context: MessageContext) => Promise<void>;
type CallHandler<D extends CallDefinition> = (request: RequestOf<D> & { orgId: string }, context: MessageContext) => Promise<ResponseOf<D>>;
type Decorate<H> = <M extends H>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<M>) => void;

/**
 * The method handles every event of this kind, once per service however many processes of it run. It must have the effect of one when it
 * is called twice: see {@link Inbox}. What it throws decides: {@link RetryLater} and `unavailable` come again later, other errors park
 * the message.
 */
export function OnEvent<D extends EventDefinition>(definition: D): Decorate<EventHandler<D>> {
  return handler(EventPattern<string>(definition.type, { event: definition, live: false } satisfies HandlerExtras));
}

/**
 * The method sees every event of this kind in every process, while the process runs: nothing is kept, repeated or parked for it. For live
 * updates.
 */
export function OnLiveEvent<D extends EventDefinition>(definition: D): Decorate<EventHandler<D>> {
  return handler(EventPattern<string>(`live:${definition.type}`, { event: definition, live: true } satisfies HandlerExtras));
}

/** The method answers this call. What it throws is answered as error: a `HoldfastError` as it is, anything else as a defect of ours. */
export function OnCall<D extends CallDefinition>(definition: D): Decorate<CallHandler<D>> {
  return handler(MessagePattern(definition.pattern, { call: definition } satisfies HandlerExtras));
}

/** Nest would answer "Internal server error" for whatever a handler throws; the transport needs the error itself. */
@Catch()
class AsThrown implements RpcExceptionFilter {
  catch(error: unknown) {
    return throwError(() => error);
  }
}

function handler<H>(pattern: MethodDecorator): Decorate<H> {
  return applyDecorators(pattern, UseFilters(new AsThrown()), bothArguments);
}

/**
 * Without parameter decorators Nest passes only the first argument, and resolves each through pipes at the cost of a few promises. An
 * empty list makes it pass all arguments as they are: the message has been checked against its schema.
 */
const bothArguments: MethodDecorator = (target, key) => {
  if (!Reflect.hasMetadata(PARAM_ARGS_METADATA, target.constructor, key)) {
    Reflect.defineMetadata(PARAM_ARGS_METADATA, {}, target.constructor, key);
  }
};
