import { authorise, serviceActor, verifyActorToken, type Actor } from '#libs/auth';
import { type CallDefinition, isOwnSource } from '#libs/contracts';
import { HoldfastError, invalid, ORG_ID_PATTERN, storableText, unavailable, type WireError } from '#libs/domain';
import { classifyError } from '#libs/persistence';
import { type BrokerUserOrgs, isOurService } from './broker-user-orgs.js';
import type { IncomingCall } from './delivery.js';
import type { MessageContext } from './handlers.js';
import { describe } from './read-event.js';
import type { ReplyPacket } from './rpc-client.js';

/** `data` of a call: what its definition says, and who is meant. */
type CallData = Record<string, unknown> & { orgId: string };

export interface CallRoute {
  readonly definition: CallDefinition;
  readonly handle: (request: CallData, context: MessageContext) => Promise<unknown>;
}

interface CallPacket {
  readonly pattern: unknown;
  readonly id?: unknown;
  readonly data: unknown;
}

const orgIdPattern = new RegExp(ORG_ID_PATTERN);
const CALL_ID = /^[^\u0000-\u001f\ud800-\udfff]{0,200}$/u;
const ACTOR_LENGTH_MAX = 200;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Answers the calls of a service: reads, identifies, authorises, checks, calls the handler, and turns what it throws into an error. */
export class CallAnswerer {
  constructor(
    private readonly routes: ReadonlyMap<string, CallRoute>,
    private readonly brokerUserOrgs: BrokerUserOrgs,
    private readonly onDefect: (pattern: string, error: unknown) => void,
  ) {}

  /** The bytes of the answer; `null` when the deadline passed before the handler was begun. */
  async answer(call: IncomingCall): Promise<Buffer | null> {
    const deadlineMs = call.expirationMs === undefined ? undefined : Date.now() + call.expirationMs;
    let id: unknown;
    let pattern = '';
    try {
      const packet = parsePacket(call.body);
      id = packet.id;
      if (typeof packet.pattern === 'string') pattern = packet.pattern;
      const route = this.routes.get(pattern);
      if (route === undefined) throw new HoldfastError('not_found', 'UNKNOWN_PATTERN', 'This service answers no call of that pattern.');
      const { actor: token, onBehalfOf, ...request } = checkData(packet.data);
      const actor =
        typeof token === 'string' ? await verifyActorToken(token) : this.#brokerActor(request.orgId, call.brokerUser, onBehalfOf);
      this.#authoriseSpeaker(route.definition, request, call.brokerUser, token);
      authorise(actor, route.definition, request);
      const errors = route.definition.validate(request);
      if (errors !== null) throw invalid(`The request of ${pattern} is not valid: ${describe(errors)}`, errors);
      if (deadlineMs !== undefined && Date.now() > deadlineMs) return null;
      const response = await route.handle(request, contextOf(call, actor, request.orgId, id, deadlineMs));
      return reply({ id, response: response ?? null, isDisposed: true });
    } catch (error) {
      return reply({ id, err: this.#toWire(pattern, error), isDisposed: true });
    }
  }

  /**
   * Without a token somebody speaks for itself: one of our services, or an OMS, whom the broker knows. As in an event it may say on whose
   * behalf, which is recorded and gives no rights.
   */
  #brokerActor(orgId: string, brokerUser: string | undefined, onBehalfOf: unknown): Actor {
    const recorded = typeof onBehalfOf === 'string' ? storableText(onBehalfOf, ACTOR_LENGTH_MAX) : brokerUser;
    if (this.brokerUserOrgs === null) return serviceActor(orgId, recorded);
    const bound = brokerUser === undefined ? undefined : this.brokerUserOrgs[brokerUser];
    if (bound === undefined) {
      const message = 'A call without an actor token must carry the property user_id with a broker user that is bound to an organisation.';
      throw new HoldfastError('unauthenticated', 'UNAUTHENTICATED', message);
    }
    if (bound !== '*' && bound !== orgId) throw forbidden(`${brokerUser} may not speak for ${orgId}.`);
    return serviceActor(orgId, recorded);
  }

  /**
   * The calls that are no outsider's, and what is said under the name of one of our services, which speak without a token.
   *
   * @throws {HoldfastError} kind `forbidden`
   */
  #authoriseSpeaker(definition: CallDefinition, { source }: CallData, brokerUser: string | undefined, token: unknown): void {
    const isPerson = typeof token === 'string';
    const isOurs = !isPerson && isOurService(this.brokerUserOrgs, brokerUser);
    if (typeof source === 'string' && isOwnSource(source) && !isOurs) throw forbidden(`Only Holdfast itself speaks as ${source}.`);
    if (definition.visibility === 'internal' && !isPerson && !isOurs) {
      throw forbidden(`${definition.pattern} is for the services of Holdfast only.`);
    }
  }

  #toWire(pattern: string, error: unknown): WireError {
    if (error instanceof HoldfastError && error.kind !== 'bug') return error.toWire();
    if (!(error instanceof HoldfastError) && ['pause', 'retry'].includes(classifyError(error))) {
      return unavailable('The database does not take this now; the same request may succeed later.').toWire();
    }
    this.onDefect(pattern, error);
    // What is inside, such as SQL or host names, is for the log.
    return new HoldfastError('bug', 'INTERNAL', 'Something went wrong on our side.').toWire();
  }
}

function forbidden(message: string): HoldfastError {
  return new HoldfastError('forbidden', 'FORBIDDEN', message);
}

function parsePacket(body: Buffer): CallPacket {
  let packet: unknown;
  try {
    packet = JSON.parse(body.toString());
  } catch {
    packet = undefined;
  }
  if (typeof packet !== 'object' || packet === null || !('pattern' in packet) || !('data' in packet)) {
    throw new HoldfastError('invalid', 'MALFORMED_REQUEST', 'A call is a JSON object {"pattern": "...", "id": "...", "data": {...}}.');
  }
  const { id } = packet as CallPacket;
  // It is recorded with what the call does.
  if (typeof id === 'string' && !CALL_ID.test(id))
    throw new HoldfastError('invalid', 'MALFORMED_REQUEST', 'The id of a call has at most 200 characters, and no control characters.');
  return packet;
}

function checkData(data: unknown): CallData {
  if (typeof data === 'object' && data !== null && 'orgId' in data && typeof data.orgId === 'string' && orgIdPattern.test(data.orgId)) {
    return data as CallData;
  }
  throw invalid('Every call names its organisation.', [{ path: 'orgId', message: 'must be the id of an organisation' }]);
}

function contextOf(call: IncomingCall, actor: Actor, orgId: string, id: unknown, deadlineMs: number | undefined): MessageContext {
  return {
    orgId,
    actor,
    messageId: typeof id === 'string' ? id : '',
    attempt: 1,
    lastAttempt: true,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    // It goes on into events, which take no other.
    ...(call.traceparent !== undefined && TRACEPARENT.test(call.traceparent) ? { traceparent: call.traceparent } : {}),
  };
}

function reply(packet: ReplyPacket): Buffer {
  return Buffer.from(JSON.stringify(packet));
}
