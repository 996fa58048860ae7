import { conflict, formatQuantity, parseQuantity } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { amount, json } from '../columns.js';
import type { OrderKey } from '../orders/order-state.js';
import type { CustomerReturn, ReturnCondition, ReturnLine } from './return-state.js';

interface ReturnRow {
  readonly order_id: string;
  readonly return_id: string;
  readonly status: CustomerReturn['status'];
  readonly digest: string;
  readonly received_digest: string | null;
  readonly warehouse_id: string | null;
  readonly created_at: Date;
}

interface LineRow {
  readonly return_id: string;
  readonly line_no: number;
  readonly item_id: string;
  readonly lot: string | null;
  readonly quantity: string;
  readonly received: string;
  readonly condition: ReturnCondition;
  readonly reason: string;
  readonly refund: string | null;
  readonly verdicts: readonly { verdict: string; quantity: string; note: string | null }[];
}

const read = statement<ReturnRow>(
  'return_read',
  `select r.order_id, r.return_id, r.status, r.digest, r.received_digest, r.warehouse_id, r.created_at
     from unnest($2::text[]) k (id)
    cross join lateral (select * from customer_return where org_id = $1 and order_id = k.id offset 0) r
    order by r.created_at, r.return_id`,
);
const readLines = statement<LineRow>(
  'return_line_read',
  `select l.return_id, l.line_no, l.item_id, l.lot, l.quantity, l.received, l.condition, l.reason, l.refund, l.verdicts
     from unnest($2::text[]) k (id)
    cross join lateral (select * from customer_return where org_id = $1 and order_id = k.id offset 0) r
    cross join lateral (select * from return_line where org_id = $1 and return_id = r.return_id offset 0) l
    order by l.return_id, l.position`,
);
// Its id may be taken by a return of another order, which must not be overwritten.
const write = statement<{ return_id: string }>(
  'return_write',
  `insert into customer_return as known (org_id, return_id, order_id, status, digest, received_digest, warehouse_id, created_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8)
   on conflict (org_id, return_id) do update
      set status = excluded.status, received_digest = excluded.received_digest, warehouse_id = excluded.warehouse_id
    where known.order_id = excluded.order_id
   returning return_id`,
);
const deleteLines = statement<never>('return_line_delete', 'delete from return_line where org_id = $1 and return_id = $2');
const insertLines = statement<never>(
  'return_line_insert',
  `insert into return_line (org_id, return_id, position, line_no, item_id, lot, quantity, received, condition, reason, refund, verdicts)
   select $1, $2, position, line_no, item_id, lot, quantity, received, condition, reason, refund, verdicts
     from unnest($3::int[], $4::text[], $5::text[], $6::numeric[], $7::numeric[], $8::text[], $9::text[], $10::numeric[], $11::jsonb[])
          with ordinality as line (line_no, item_id, lot, quantity, received, condition, reason, refund, verdicts, position)`,
);
const findOrder = statement<{ order_id: string }>(
  'return_order',
  'select order_id from customer_return where org_id = $1 and return_id = $2',
);

/** The returns of orders, oldest first, by order. */
export async function readReturns(tx: Tx, orgId: string, orderIds: readonly string[]): Promise<Map<string, CustomerReturn[]>> {
  const [rows, lines] = await Promise.all([tx.run(read, [orgId, orderIds]), tx.run(readLines, [orgId, orderIds])]);
  const returns = new Map<string, CustomerReturn[]>();
  for (const row of rows) {
    const ret: CustomerReturn = {
      returnId: row.return_id,
      status: row.status,
      digest: row.digest,
      receivedDigest: row.received_digest,
      warehouseId: row.warehouse_id,
      createdAt: row.created_at,
      lines: lines.filter((line) => line.return_id === row.return_id).map(toLine),
    };
    returns.set(row.order_id, [...(returns.get(row.order_id) ?? []), ret]);
  }
  return returns;
}

/** Stores a return with its lines. @throws {HoldfastError} 409 `ALREADY_EXISTS` when another order has one with its id. */
export async function writeReturn(tx: Tx, { orgId, orderId }: OrderKey, ret: CustomerReturn): Promise<void> {
  const { returnId, status, digest, receivedDigest, warehouseId, createdAt, lines } = ret;
  const written = await tx.run(write, [orgId, returnId, orderId, status, digest, receivedDigest, warehouseId, createdAt]);
  if (written.length === 0) throw conflict('ALREADY_EXISTS', `Return ${returnId} exists already, for another order.`, { returnId });
  void tx.run(deleteLines, [orgId, returnId]);
  await tx.run(insertLines, [
    orgId,
    returnId,
    lines.map((line) => line.lineNo),
    lines.map((line) => line.itemId),
    lines.map((line) => line.lot),
    lines.map((line) => formatQuantity(line.quantity)),
    lines.map((line) => formatQuantity(line.received)),
    lines.map((line) => line.condition),
    lines.map((line) => line.reason),
    lines.map((line) => line.refund),
    lines.map((line) => json(line.verdicts)),
  ]);
}

/** The order that a return belongs to. */
export async function orderOfReturn(tx: Tx, orgId: string, returnId: string): Promise<string | undefined> {
  return (await tx.run(findOrder, [orgId, returnId]))[0]?.order_id;
}

function toLine(row: LineRow): ReturnLine {
  return {
    lineNo: row.line_no,
    itemId: row.item_id,
    lot: row.lot,
    quantity: parseQuantity(row.quantity),
    received: parseQuantity(row.received),
    condition: row.condition,
    reason: row.reason,
    refund: amount(row.refund),
    verdicts: row.verdicts.map((verdict) => ({ ...verdict, quantity: parseQuantity(verdict.quantity) })),
  };
}
