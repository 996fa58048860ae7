import type { CustomerReturn as ReturnView } from '#libs/contracts';
import { formatQuantity } from '#libs/domain';
import { refundTotal } from './refund.rules.js';
import { type CustomerReturn, inspectedQuantity } from './return-state.js';

/** The return as callers see it. */
export function returnView(order: { readonly orderId: string; readonly currency: string }, ret: CustomerReturn): ReturnView {
  return {
    returnId: ret.returnId,
    orderId: order.orderId,
    status: ret.status,
    warehouseId: ret.warehouseId,
    createdAt: ret.createdAt.toISOString(),
    lines: ret.lines.map((line) => ({
      lineNo: line.lineNo,
      itemId: line.itemId,
      lot: line.lot,
      quantity: formatQuantity(line.quantity),
      receivedQuantity: formatQuantity(line.received),
      inspectedQuantity: formatQuantity(inspectedQuantity(line)),
      condition: line.condition,
      reason: line.reason,
      refund: line.refund,
      verdicts: line.verdicts.map((verdict) => ({ ...verdict, quantity: formatQuantity(verdict.quantity) })),
    })),
    refundTotal: refundTotal(ret, order.currency),
    currency: order.currency,
  };
}
