import { Injectable } from '@nestjs/common';
import { Cursor, type Order, type OrderList, PAGE_LIMIT_DEFAULT, type Page, type RequestOf } from '#libs/contracts';
import { Database } from '#libs/persistence';
import { readOrders } from './order.sql.js';
import { orderNotFound } from './order-status.js';
import { ShowOrders } from './show-orders.js';
import type { Viewer } from './stock-warnings.js';

const cursor = new Cursor('time', 'text');

/** Orders for screens; those that were refused are not among them. */
@Injectable()
export class OrderQueries {
  constructor(
    private readonly database: Database,
    private readonly showOrders: ShowOrders,
  ) {}

  /** @throws {HoldfastError} 404 `ORDER_NOT_FOUND`. */
  async get(orgId: string, orderId: string, viewer: Viewer): Promise<Order> {
    const [order] = await this.database.transaction([orgId], (tx) => readOrders(tx, orgId, [orderId]), { readOnly: true });
    if (order === undefined || order.status === 'refused') throw orderNotFound(orderId);
    return await this.showOrders.one(order, viewer);
  }

  /** Newest first. */
  async list(orgId: string, query: RequestOf<typeof OrderList>, viewer: Viewer): Promise<Page<Order>> {
    const [createdAt = null, orderId = null] = cursor.read(query.cursor);
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
    const { status = null, customerId = null, from = null, to = null } = query;
    const page = await this.database.transaction(
      [orgId],
      async (tx) => {
        const keys = await tx.rows<{ order_id: string; created_at: Date }>(
          `select order_id, created_at from customer_order
            where org_id = $1 and status <> 'refused' and ($2::text is null or status = $2) and ($3::text is null or customer_id = $3)
              and ($4::timestamptz is null or created_at >= $4) and ($5::timestamptz is null or created_at < $5)
              and ($6::timestamptz is null or (created_at, order_id) < ($6::timestamptz, $7::text))
            order by created_at desc, order_id desc limit $8`,
          [orgId, status, customerId, from, to, createdAt, orderId, limit + 1],
        );
        const orders = await readOrders(
          tx,
          orgId,
          keys.map((key) => key.order_id),
        );
        return cursor.page(
          orders,
          limit,
          (order) => [order.createdAt.toISOString(), order.orderId],
          (order) => order,
        );
      },
      { readOnly: true },
    );
    return { ...page, items: await this.showOrders.all(orgId, page.items, viewer) };
  }
}
