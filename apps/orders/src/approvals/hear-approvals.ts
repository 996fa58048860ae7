import { Injectable } from '@nestjs/common';
import type { ApprovalDecided, EventOf } from '#libs/contracts';
import { crashPoint, Inbox } from '#libs/messaging';
import { Database, type Tx } from '#libs/persistence';
import { lockOrder } from '../orders/order.sql.js';
import { SaveOrder } from '../orders/save-order.js';
import { hear } from './approval.rules.js';
import { CarryOn } from './carry-on.js';

/** Acts upon what was decided about an order: what is to be said to inventory is committed with the record of the decision. */
@Injectable()
export class HearApprovals {
  constructor(
    private readonly database: Database,
    private readonly inbox: Inbox,
    private readonly saveOrder: SaveOrder,
    private readonly carryOn: CarryOn,
  ) {}

  async run(event: EventOf<typeof ApprovalDecided>): Promise<void> {
    const { orgid: orgId, data: request } = event;
    const work = async (tx: Tx) => {
      const admitted = await this.inbox.admit(tx, [event]);
      const order = admitted.size === 0 ? null : await lockOrder(tx, { orgId, orderId: request.subjectId });
      if (order === null) return null;
      const now = new Date();
      const { order: after, notes } = hear(order, request, now);
      const by = { actor: event.actor ?? event.source, traceparent: event.traceparent, causationId: event.id };
      // What is not news was carried on by who heard it first.
      return after === order ? null : await this.saveOrder.run(tx, order, after, { now, ...by, notes });
    };
    const order = await this.database.transaction([orgId], work, { repeatable: true });
    crashPoint('after-decision', 'orders');
    if (order !== null) await this.carryOn.run(order, { traceparent: event.traceparent });
  }
}
