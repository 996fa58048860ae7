import { type Actor, serviceActor } from '#libs/auth';
import type { ApprovalAsk, ApprovalCancel, ApprovalRequest, CloudEvent, RequestOf, ResponseOf } from '#libs/contracts';
import type { InProcessDelivery, MessageContext, Outbox } from '#libs/messaging';
import type { Database } from '#libs/persistence';
import { Clock } from '#libs/service';
import { CancelRequest } from './cancel-request.js';
import { DecideRequest } from './decide-request.js';
import { DueRequests } from './due-requests.js';
import { RequestApproval } from './request-approval.js';
import { RequestQueries } from './request.queries.js';
import { SaveRequest } from './save-request.js';

/** One replica of the service, without the framework: its use cases on connections, and at a time, of its own. */
export class Replica {
  readonly due: DueRequests;
  readonly queries: RequestQueries;
  readonly #request: RequestApproval;
  readonly #cancel: CancelRequest;
  readonly #decide: DecideRequest;

  /** @param hoursAhead how far its clock is ahead of the database's. */
  constructor(database: Database, outbox: Outbox, hoursAhead = 0) {
    const save = new SaveRequest(outbox);
    const clock = new Clock(hoursAhead * 3_600);
    this.due = new DueRequests(database, save, clock);
    this.queries = new RequestQueries(database);
    this.#request = new RequestApproval(database, save, clock);
    this.#cancel = new CancelRequest(database, save, clock);
    this.#decide = new DecideRequest(database, save, clock);
  }

  async ask(orgId: string, said: Partial<RequestOf<typeof ApprovalAsk>> = {}): Promise<ApprovalRequest> {
    return await this.#request.run({ ...anAsk, ...said }, context(serviceActor(orgId)));
  }

  async takeBack(
    orgId: string,
    said: Partial<RequestOf<typeof ApprovalCancel>> = {},
  ): Promise<ResponseOf<typeof ApprovalCancel>['request']> {
    const { subjectType, subjectId } = anAsk;
    const cancellation = { subjectType, subjectId, reason: 'not needed any more', ...said };
    return (await this.#cancel.run(cancellation, context(serviceActor(orgId)))).request;
  }

  async decide(actor: Actor, { approvalRequestId }: Pick<ApprovalRequest, 'approvalRequestId'>, decision: 'approved' | 'rejected') {
    return await this.#decide.run(approvalRequestId, { decision, reason: `because ${actor.userId} says so` }, context(actor));
  }
}

/** What is asked for unless a test says otherwise: by ann, for an order of which three of ten are missing. */
export const anAsk: RequestOf<typeof ApprovalAsk> = {
  kind: 'order_override',
  subjectType: 'order',
  subjectId: 'o-1',
  requestedBy: 'ann',
  reason: 'A regular customer',
  lines: [{ lineNo: 1, itemId: 'a', warehouseId: 'w1', quantity: '3', requested: '10', available: '7' }],
  magnitudes: { quantity: '3', percent: '15', value: '60' },
  availabilitySnapshot: [{ itemId: 'a', warehouseId: 'w1', onHand: '9', reserved: '2', available: '7' }],
  warehouses: ['w1'],
};

/** Somebody who may decide what {@link anAsk} asks for. */
export const manager = (orgId: string, userId = 'bob'): Actor => ({ userId, orgId, roles: ['inventory_manager'], warehouses: null });

/** Hears each event that is published from now on, as the gateway does; an event that comes again counts once. */
export async function hearAll(delivery: InProcessDelivery): Promise<CloudEvent<ApprovalRequest>[]> {
  const heard: CloudEvent<ApprovalRequest>[] = [];
  const types = ['ApprovalRequested', 'ApprovalReminded', 'ApprovalEscalated', 'ApprovalDecided'];
  await delivery.subscribe({
    ...{ service: 'gateway', eventTypes: [], liveTypes: types, answersCalls: false, prefetch: 1, retryDelaysMs: [] },
    onEvent: () => Promise.resolve({ kind: 'handled' }),
    onCall: () => Promise.resolve(null),
    onLiveEvent: ({ body }) => {
      const event = JSON.parse(body.toString()) as CloudEvent<ApprovalRequest>;
      if (!heard.some(({ id }) => id === event.id)) heard.push(event);
      return Promise.resolve();
    },
  });
  return heard;
}

function context(actor: Actor): MessageContext {
  return { orgId: actor.orgId, actor, messageId: 'test', attempt: 1, lastAttempt: true };
}
