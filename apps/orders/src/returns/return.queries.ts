import { Injectable } from '@nestjs/common';
import { Cursor, type CustomerReturn, PAGE_LIMIT_DEFAULT, type Page, type RequestOf, type ReturnList } from '#libs/contracts';
import { Database, type Tx } from '#libs/persistence';
import { returnNotFound } from './return.rules.js';
import { orderOfReturn, readReturns } from './return.sql.js';
import { returnView } from './return-view.js';

const cursor = new Cursor('time', 'text');

interface Key {
  readonly return_id: string;
  readonly order_id: string;
  readonly created_at: Date;
}

/** Returns for screens. */
@Injectable()
export class ReturnQueries {
  constructor(private readonly database: Database) {}

  /** @throws {HoldfastError} 404 `RETURN_NOT_FOUND`. */
  async get(orgId: string, returnId: string): Promise<CustomerReturn> {
    return await this.read(orgId, async (tx) => {
      const orderId = await orderOfReturn(tx, orgId, returnId);
      const [ret] = orderId === undefined ? [] : await viewsOf(tx, orgId, [{ return_id: returnId, order_id: orderId }]);
      if (ret === undefined) throw returnNotFound(returnId);
      return ret;
    });
  }

  /** Newest first. */
  async list(orgId: string, query: RequestOf<typeof ReturnList>): Promise<Page<CustomerReturn>> {
    const [createdAt = null, returnId = null] = cursor.read(query.cursor);
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
    return await this.read(orgId, async (tx) => {
      const keys = await tx.rows<Key>(
        `select return_id, order_id, created_at from customer_return
          where org_id = $1 and ($2::text is null or order_id = $2) and ($3::text is null or status = $3)
            and ($4::timestamptz is null or (created_at, return_id) < ($4::timestamptz, $5::text))
          order by created_at desc, return_id desc limit $6`,
        [orgId, query.orderId ?? null, query.status ?? null, createdAt, returnId, limit + 1],
      );
      const views = new Map((await viewsOf(tx, orgId, keys)).map((ret) => [ret.returnId, ret]));
      return cursor.page(
        keys,
        limit,
        (key) => [key.created_at.toISOString(), key.return_id],
        (key) => views.get(key.return_id)!,
      );
    });
  }

  private async read<T>(orgId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return await this.database.transaction([orgId], work, { readOnly: true });
  }
}

async function viewsOf(tx: Tx, orgId: string, keys: readonly Pick<Key, 'return_id' | 'order_id'>[]): Promise<CustomerReturn[]> {
  const orderIds = [...new Set(keys.map((key) => key.order_id))];
  const [orders, returns] = await Promise.all([
    tx.rows<{ order_id: string; currency: string }>(
      'select order_id, currency from customer_order where org_id = $1 and order_id = any ($2)',
      [orgId, orderIds],
    ),
    readReturns(tx, orgId, orderIds),
  ]);
  const currencies = new Map(orders.map((order) => [order.order_id, order.currency]));
  return keys.flatMap(({ order_id: orderId, return_id: returnId }) => {
    const ret = returns.get(orderId)?.find((candidate) => candidate.returnId === returnId);
    return ret === undefined ? [] : [returnView({ orderId, currency: currencies.get(orderId)! }, ret)];
  });
}
