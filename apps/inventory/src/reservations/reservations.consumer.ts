import { Controller } from '@nestjs/common';
import {
  type DataOf,
  type EventOf,
  OrderAmended,
  OrderCancelled,
  OrderConfirmed,
  OrderPlaced,
  type ResponseOf,
  StockDemand,
} from '#libs/contracts';
import { type MessageContext, OnCall, OnEvent } from '#libs/messaging';
import { Database } from '#libs/persistence';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall, metaOfEvent, settleEvent } from '../stock-machine/command-meta.js';
import type { SetDemand } from '../stock-machine/commands.js';
import { findAlternatives } from './alternatives.queries.js';
import type { DemandAnswer } from './set-demand.js';

/** Source of a demand that a call sets without naming one. */
const CALLERS_SOURCE = '/rpc';

/** What orders want: every way in which it is said becomes the one command "set demand". Nothing is decided here. */
@Controller()
export class ReservationsConsumer {
  constructor(
    private readonly batcher: Batcher,
    private readonly database: Database,
  ) {}

  @OnEvent(OrderPlaced)
  async orderPlaced(event: EventOf<typeof OrderPlaced>, context: MessageContext): Promise<void> {
    await this.byEvent(event, context, { ...wishOf(event.data), firm: false, ...hold(event.data) });
  }

  @OnEvent(OrderConfirmed)
  async orderConfirmed(event: EventOf<typeof OrderConfirmed>, context: MessageContext): Promise<void> {
    await this.byEvent(event, context, { ...wishOf(event.data), firm: true });
  }

  @OnEvent(OrderAmended)
  async orderAmended(event: EventOf<typeof OrderAmended>, context: MessageContext): Promise<void> {
    await this.byEvent(event, context, { ...wishOf(event.data), firm: event.data.firm, ...approvalOf(event.data) });
  }

  @OnEvent(OrderCancelled)
  async orderCancelled(event: EventOf<typeof OrderCancelled>, context: MessageContext): Promise<void> {
    await this.byEvent(event, context, { orderId: event.data.orderId, lines: [], reason: event.data.reason });
  }

  @OnCall(StockDemand)
  async demand(request: Asked<typeof StockDemand>, context: MessageContext): Promise<ResponseOf<typeof StockDemand>> {
    const command: SetDemand = {
      kind: 'set-demand',
      orgId: request.orgId,
      source: request.source ?? CALLERS_SOURCE,
      ...wishOf(request),
      firm: request.firm,
      ...hold(request),
      reason: request.reason,
      meta: metaOfCall(context, request.sequence),
    };
    const answer = await this.batcher.answer<DemandAnswer>(command, request.dryRun);
    const { shortLines } = answer;
    if (shortLines === undefined) return answer;
    const alternatives = await this.database.transaction(
      [request.orgId],
      (tx) => findAlternatives(tx, request.orgId, { ...answer, shortLines }, context.actor.warehouses),
      { readOnly: true },
    );
    return { ...answer, alternatives };
  }

  private async byEvent(
    event: EventOf<typeof OrderCancelled>,
    context: MessageContext,
    wish: Omit<SetDemand, 'kind' | 'orgId' | 'source' | 'meta'>,
  ) {
    const command: SetDemand = { kind: 'set-demand', orgId: event.orgid, source: event.source, meta: metaOfEvent(event, context), ...wish };
    settleEvent(await this.batcher.submit(command, 'events'));
  }
}

type Wish = Pick<
  DataOf<typeof OrderConfirmed>,
  'orderId' | 'lines' | 'warehouseId' | 'priority' | 'reservationMode' | 'minRemainingShelfLifeDays'
>;

function wishOf({ orderId, lines, warehouseId, priority, reservationMode, minRemainingShelfLifeDays }: Wish) {
  return { orderId, lines, warehouseId, priority, mode: reservationMode, minRemainingShelfLifeDays };
}

function hold(data: Pick<DataOf<typeof OrderPlaced>, 'ttlSeconds'> & Approval) {
  return { ttlSeconds: data.ttlSeconds, ...approvalOf(data) };
}

type Approval = Pick<DataOf<typeof OrderPlaced>, 'approvalRequestId' | 'pendingApproval' | 'approvedShortages' | 'restores'>;

function approvalOf({ approvalRequestId, pendingApproval, approvedShortages, restores }: Approval) {
  return { approvalRequestId, pendingApproval, approvedShortages, restores };
}
