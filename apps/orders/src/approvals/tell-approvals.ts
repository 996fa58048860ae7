import { Injectable } from '@nestjs/common';
import { ApprovalAsk, ApprovalCancel, type ApprovalRequest } from '#libs/contracts';
import { crashPoint, RpcClient } from '#libs/messaging';
import { Database, type Tx } from '#libs/persistence';
import { lockOrder } from '../orders/order.sql.js';
import type { OrderState } from '../orders/order-state.js';
import { SaveOrder } from '../orders/save-order.js';
import { type Caller, callOptions } from '../stock/ask-inventory.js';
import { hear, requestFor, told, withdrawalFor } from './approval.rules.js';
import type { OrderApproval } from './order-approval.js';

/** An order is answered without the id of its request rather than late. */
const PATIENCE_MS = 2_000;

/**
 * Tells approvals what an order needs somebody's approval for, or that it needs none any more. No event says the same: what was not
 * answered is told again by the sweep. Telling is safe at any time, any number of times.
 */
@Injectable()
export class TellApprovals {
  constructor(
    private readonly rpc: RpcClient,
    private readonly database: Database,
    private readonly saveOrder: SaveOrder,
  ) {}

  /**
   * @returns the order as it is then; it may say already what was decided.
   * @throws {HoldfastError} kind `unavailable` when approvals does not answer in time.
   */
  async run(order: OrderState, approval: OrderApproval, caller: Caller): Promise<OrderState> {
    crashPoint('before-approval', 'orders');
    const request = await this.tell(order, approval, caller);
    crashPoint('after-approval', 'orders');
    const work = async (tx: Tx) => {
      const current = await lockOrder(tx, order);
      if (current === null) throw new Error(`Order ${order.orderId} is gone.`);
      // Something else may be to be told by now, or somebody else has told it.
      if (current.approval?.version !== approval.version || current.approval.untold !== approval.untold) return current;
      const now = new Date();
      const { order: after, notes } = request === null || approval.untold === 'withdrawal' ? told(current) : hear(current, request, now);
      const context = { now, actor: approval.requestedBy, traceparent: caller.traceparent, notes };
      return (await this.saveOrder.run(tx, current, after, context)) ?? current;
    };
    return await this.database.transaction([order.orgId], work, { repeatable: true });
  }

  private async tell(order: OrderState, approval: OrderApproval, caller: Caller): Promise<ApprovalRequest | null> {
    const { orgId } = order;
    const { timeoutMs = PATIENCE_MS, traceparent } = callOptions(caller);
    const options = { timeoutMs: Math.min(timeoutMs, PATIENCE_MS), traceparent, onBehalfOf: approval.requestedBy };
    if (approval.untold === 'request') return await this.rpc.call(ApprovalAsk, { orgId, ...requestFor(order, approval) }, options);
    return (await this.rpc.call(ApprovalCancel, { orgId, ...withdrawalFor(order, approval) }, options)).request;
  }
}
