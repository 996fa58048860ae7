import type { OrderStatus } from '#libs/contracts';
import { conflict, notFound, sumQuantities, ZERO } from '#libs/domain';
import { awaitedApproval } from '../approvals/order-approval.js';
import type { OrderState, StoredStatus } from './order-state.js';

/** What can be done to an order. */
export type OrderAction = 'amend' | 'confirm' | 'cancel' | 'pick' | 'pack' | 'ship';

/**
 * The life cycle: which action is possible (`do`) in which status, and where it has happened already, so that asking again changes
 * nothing (`done`). Everything else is refused. Which status follows is not ours to choose: {@link statusFromStock}.
 */
export const LIFE_CYCLE: Readonly<Record<OrderAction, Partial<Readonly<Record<OrderStatus, 'do' | 'done'>>>>> = {
  amend: { created: 'do', pending_approval: 'do', backordered: 'do', confirmed: 'do' },
  confirm: {
    created: 'do',
    backordered: 'do',
    expired: 'do',
    confirmed: 'done',
    picking: 'done',
    packed: 'done',
    partially_shipped: 'done',
    shipped: 'done',
  },
  cancel: {
    created: 'do',
    pending_approval: 'do',
    backordered: 'do',
    confirmed: 'do',
    picking: 'do',
    packed: 'do',
    partially_shipped: 'do',
    expired: 'do',
    cancelled: 'done',
  },
  pick: { confirmed: 'do', picking: 'do', partially_shipped: 'do' },
  pack: { confirmed: 'do', picking: 'do', packed: 'do', partially_shipped: 'do' },
  ship: { confirmed: 'do', picking: 'do', packed: 'do', partially_shipped: 'do' },
};

/**
 * Whether the order needs the action (`do`) or has had it (`done`).
 *
 * @throws {HoldfastError} 409 `INVALID_STATE` when its status does not allow it; 404 when the order was refused.
 */
export function checkAction(order: OrderState, action: OrderAction): 'do' | 'done' {
  if (order.status === 'refused') throw orderNotFound(order.orderId);
  // Closing the rest of a shipped order and confirming one that waits for stock leave no status of their own behind.
  if (action === 'cancel' && order.cancelledAt !== null) return 'done';
  if (action === 'confirm' && order.status === 'backordered' && order.firm) return 'done';
  // What left has left, though the books knew nothing of it; whether it is posted is for inventory to say, by the phase.
  if (action === 'ship' && order.status === 'backordered' && order.firm) return 'do';
  const verdict = LIFE_CYCLE[action][order.status];
  if (verdict !== undefined) return verdict;
  const allowed = Object.entries(LIFE_CYCLE[action]).flatMap(([status, possible]) => (possible === 'do' ? [status] : []));
  const { orderId, status } = order;
  const must = `to ${action} it, it must be ${allowed.join(', ')}`;
  const awaited = awaitedApproval(order);
  if (awaited === null) throw conflict('INVALID_STATE', `Order ${orderId} is ${status}; ${must}.`, { orderId, status, allowed });
  const { approvalRequestId, approverRoles } = awaited;
  const decider = approverRoles.length === 0 ? 'somebody who may' : approverRoles.join(' or ');
  const message = `Order ${orderId} waits for approval ${approvalRequestId ?? ''} by ${decider}; ${must}.`.replace('  ', ' ');
  throw conflict('INVALID_STATE', message, { orderId, status, allowed, approvalRequestId, approverRoles });
}

export function orderNotFound(orderId: string): Error {
  return notFound('ORDER_NOT_FOUND', `There is no order ${orderId}.`);
}

/** The status that follows from what inventory reports; `picking` and `packed`, which are ours, stay while something is held. */
export function statusFromStock(order: Pick<OrderState, 'status' | 'firm' | 'stock'>): StoredStatus {
  const fulfilled = sumQuantities(order.stock, (line) => line.fulfilled);
  const reserved = sumQuantities(order.stock, (line) => line.reserved);
  const backordered = sumQuantities(order.stock, (line) => line.backordered);
  const open = sumQuantities(order.stock, (line) => line.requested - line.fulfilled - line.closed);
  if (fulfilled > ZERO) return open > ZERO ? 'partially_shipped' : 'shipped';
  if (open === ZERO) return 'cancelled';
  if (reserved === ZERO) return backordered > ZERO ? 'backordered' : 'expired';
  if (!order.firm) return 'created';
  return order.status === 'picking' || order.status === 'packed' ? order.status : 'confirmed';
}
