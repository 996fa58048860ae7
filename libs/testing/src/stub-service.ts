import { type Actor, authorise, serviceActor, verifyActorToken } from '#libs/auth';
import { type CalledService, type CallDefinition, type EventDefinition, findCall, type RequestOf, type ResponseOf } from '#libs/contracts';
import { HoldfastError, unavailable } from '#libs/domain';
import type { Delivery, IncomingCall, Subscription } from '#libs/messaging';

/** A call as it arrived at a {@link StubService}. */
export interface StubbedCall {
  readonly pattern: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly actor: Actor;
  readonly traceparent: string | undefined;
}

type Answer = (request: Record<string, unknown>, actor: Actor) => unknown;

/**
 * Answers calls in the place of a service, for tests of whoever makes them. It checks token, rights and shape as a service does, and
 * answers what the test says.
 */
export class StubService {
  readonly calls: StubbedCall[] = [];
  readonly #answers = new Map<string, Answer>();
  #subscription: Subscription | undefined;

  private constructor(private readonly service: CalledService) {}

  /** The events that it hears it takes, and does nothing with them: their sender waits for who is named as consumer. */
  static async start(delivery: Delivery, service: CalledService, hears: readonly EventDefinition[] = []): Promise<StubService> {
    const stub = new StubService(service);
    const nothing = { liveTypes: [], prefetch: 1, retryDelaysMs: [] };
    stub.#subscription = await delivery.subscribe({
      ...nothing,
      eventTypes: hears.map(({ type }) => type),
      service,
      answersCalls: true,
      onEvent: () => Promise.resolve({ kind: 'handled' }),
      onLiveEvent: () => Promise.resolve(),
      onCall: (call) => stub.#answer(call),
    });
    return stub;
  }

  /** Says what a call is answered from now on; what `answer` throws is answered as error. */
  answers<D extends CallDefinition>(
    definition: D,
    answer: (request: RequestOf<D> & { orgId: string }, actor: Actor) => ResponseOf<D> | Promise<ResponseOf<D>>,
  ): void {
    this.#answers.set(definition.pattern, answer as Answer);
  }

  async stop(): Promise<void> {
    await this.#subscription?.close(1_000);
  }

  async #answer({ body, traceparent }: IncomingCall): Promise<Buffer> {
    const packet = JSON.parse(body.toString()) as { id: string; pattern: string; data: Record<string, unknown> & { orgId: string } };
    const { id, pattern } = packet;
    try {
      const { actor: token, ...request } = packet.data;
      const actor = typeof token === 'string' ? await verifyActorToken(token) : serviceActor(request.orgId);
      const definition = findCall(this.service, pattern);
      const answer = this.#answers.get(pattern);
      if (!definition || !answer) throw unavailable(`Nothing answers ${pattern}.`);
      authorise(actor, definition, request);
      const errors = definition.validate(request);
      if (errors) throw new HoldfastError('bug', 'NOT_VALID', `${pattern}: ${JSON.stringify(errors)}`);
      this.calls.push({ pattern, request, actor, traceparent });
      return Buffer.from(JSON.stringify({ id, response: (await answer(request, actor)) ?? null, isDisposed: true }));
    } catch (error) {
      const known = error instanceof HoldfastError ? error : new HoldfastError('bug', 'INTERNAL', String(error));
      return Buffer.from(JSON.stringify({ id, err: known.toWire(), isDisposed: true }));
    }
  }
}
