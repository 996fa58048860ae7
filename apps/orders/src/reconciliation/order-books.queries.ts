import { COMPARED_ORDERS_MAX, type LineBook, type OrderBook, type OrderBooksRead, type RequestOf, type ResponseOf } from '#libs/contracts';
import { formatQuantity } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { readOrders } from '../orders/order.sql.js';
import type { LineStock, OrderState } from '../orders/order-state.js';

/** About as many lines as fit an answer of one megabyte; an order with more comes alone. */
const LINES_MAX = 4_000;

const page = statement<{ order_id: string; last_line_no: number }>(
  'reconcile_orders_page',
  'select order_id, last_line_no from customer_order where org_id = $1 and order_id > $2 order by order_id limit $3',
);

/** What orders knows of a page of orders, or of some, in a read-only transaction: each order with its lines and shipments of one snapshot. */
export async function readOrderBooks(
  tx: Tx,
  orgId: string,
  { after = '', limit, orderIds }: RequestOf<typeof OrderBooksRead>,
): Promise<ResponseOf<typeof OrderBooksRead>> {
  if (orderIds !== undefined) return { orders: (await readOrders(tx, orgId, orderIds)).map(toOrderBook), next: null };
  const asked = Math.min(limit, COMPARED_ORDERS_MAX);
  const keys = await tx.run(page, [orgId, after, asked]);
  const shown: string[] = [];
  let lines = 0;
  for (const key of keys) {
    lines += key.last_line_no;
    if (shown.length > 0 && lines > LINES_MAX) break;
    shown.push(key.order_id);
  }
  const isLast = shown.length === keys.length && keys.length < asked;
  return { orders: (await readOrders(tx, orgId, shown)).map(toOrderBook), next: isLast ? null : shown.at(-1)! };
}

function toOrderBook(order: OrderState): OrderBook {
  return {
    orderId: order.orderId,
    isRefused: order.status === 'refused',
    isAnswered: order.outstanding === null,
    stockSequence: order.stockSequence,
    firm: order.firm,
    stock: order.stock.map(toLineBook),
    lines: order.lines.map(({ lineNo, itemId, quantity }) => ({ lineNo, itemId, quantity: formatQuantity(quantity) })),
    shipments: order.shipments.flatMap(({ shipmentId, status, lines }) =>
      lines.map(({ itemId, quantity }) => ({ shipmentId, itemId, quantity: status === 'posted' ? formatQuantity(quantity) : '0' })),
    ),
  };
}

function toLineBook(line: LineStock): LineBook {
  return {
    lineNo: line.lineNo,
    itemId: line.itemId,
    requested: formatQuantity(line.requested),
    reserved: formatQuantity(line.reserved),
    backordered: formatQuantity(line.backordered),
    fulfilled: formatQuantity(line.fulfilled),
    returned: formatQuantity(line.returned),
    closed: formatQuantity(line.closed),
    unheld: formatQuantity(line.unheld),
  };
}
