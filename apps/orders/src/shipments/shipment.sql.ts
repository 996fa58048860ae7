import { conflict, formatQuantity, parseQuantity } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { amount } from '../columns.js';
import type { OrderKey } from '../orders/order-state.js';
import type { Shipment } from './shipment-state.js';

interface ShipmentRow {
  readonly order_id: string;
  readonly shipment_id: string;
  readonly status: Shipment['status'];
  readonly digest: string;
  readonly tracking_number: string | null;
  readonly shipped_at: Date;
  readonly cogs_total: string | null;
}

interface LineRow {
  readonly shipment_id: string;
  readonly line_no: number;
  readonly item_id: string;
  readonly quantity: string;
  readonly warehouse_id: string | null;
  readonly lot: string | null;
  readonly cogs: string | null;
}

const read = statement<ShipmentRow>(
  'shipment_read',
  `select s.order_id, s.shipment_id, s.status, s.digest, s.tracking_number, s.shipped_at, s.cogs_total
     from unnest($2::text[]) k (id)
    cross join lateral (select * from shipment where org_id = $1 and order_id = k.id offset 0) s
    order by s.shipped_at, s.shipment_id`,
);
const readLines = statement<LineRow>(
  'shipment_line_read',
  `select l.shipment_id, l.line_no, l.item_id, l.quantity, l.warehouse_id, l.lot, l.cogs
     from unnest($2::text[]) k (id)
    cross join lateral (select * from shipment where org_id = $1 and order_id = k.id offset 0) s
    cross join lateral (select * from shipment_line where org_id = $1 and shipment_id = s.shipment_id offset 0) l
    order by l.shipment_id, l.position`,
);
// Its id may be taken by a shipment of another order, which must not be overwritten.
const write = statement<{ shipment_id: string }>(
  'shipment_write',
  `insert into shipment as known (org_id, shipment_id, order_id, status, digest, tracking_number, shipped_at, cogs_total)
   values ($1, $2, $3, $4, $5, $6, $7, $8)
   on conflict (org_id, shipment_id) do update
      set status = excluded.status, digest = excluded.digest, tracking_number = excluded.tracking_number,
          shipped_at = excluded.shipped_at, cogs_total = excluded.cogs_total
    where known.order_id = excluded.order_id
   returning shipment_id`,
);
const deleteLines = statement<never>('shipment_line_delete', 'delete from shipment_line where org_id = $1 and shipment_id = $2');
const insertLines = statement<never>(
  'shipment_line_insert',
  `insert into shipment_line (org_id, shipment_id, position, line_no, item_id, quantity, warehouse_id, lot, cogs)
   select $1, $2, position, line_no, item_id, quantity, warehouse_id, lot, cogs
     from unnest($3::int[], $4::text[], $5::numeric[], $6::text[], $7::text[], $8::numeric[])
          with ordinality as line (line_no, item_id, quantity, warehouse_id, lot, cogs, position)`,
);
const findOrder = statement<{ order_id: string }>('shipment_order', 'select order_id from shipment where org_id = $1 and shipment_id = $2');

/** The shipments of orders, oldest first, by order. */
export async function readShipments(tx: Tx, orgId: string, orderIds: readonly string[]): Promise<Map<string, Shipment[]>> {
  const [rows, lines] = await Promise.all([tx.run(read, [orgId, orderIds]), tx.run(readLines, [orgId, orderIds])]);
  const shipments = new Map<string, Shipment[]>();
  for (const row of rows) {
    const shipment: Shipment = {
      shipmentId: row.shipment_id,
      status: row.status,
      digest: row.digest,
      trackingNumber: row.tracking_number,
      shippedAt: row.shipped_at,
      lines: lines.filter((line) => line.shipment_id === row.shipment_id).map(toLine),
      cogsTotal: amount(row.cogs_total),
    };
    shipments.set(row.order_id, [...(shipments.get(row.order_id) ?? []), shipment]);
  }
  return shipments;
}

/** Stores a shipment with its lines. @throws {HoldfastError} 409 `ALREADY_EXISTS` when another order has one with its id. */
export async function writeShipment(tx: Tx, { orgId, orderId }: OrderKey, shipment: Shipment): Promise<void> {
  const { shipmentId, status, digest, trackingNumber, shippedAt, cogsTotal, lines } = shipment;
  const written = await tx.run(write, [orgId, shipmentId, orderId, status, digest, trackingNumber, shippedAt, cogsTotal]);
  if (written.length === 0) {
    throw conflict('ALREADY_EXISTS', `Shipment ${shipmentId} exists already, for another order.`, { shipmentId });
  }
  void tx.run(deleteLines, [orgId, shipmentId]);
  await tx.run(insertLines, [
    orgId,
    shipmentId,
    lines.map((line) => line.lineNo),
    lines.map((line) => line.itemId),
    lines.map((line) => formatQuantity(line.quantity)),
    lines.map((line) => line.warehouseId),
    lines.map((line) => line.lot),
    lines.map((line) => line.cogs),
  ]);
}

/** The order that a shipment belongs to. */
export async function orderOfShipment(tx: Tx, orgId: string, shipmentId: string): Promise<string | undefined> {
  return (await tx.run(findOrder, [orgId, shipmentId]))[0]?.order_id;
}

function toLine(row: LineRow): Shipment['lines'][number] {
  return {
    lineNo: row.line_no,
    itemId: row.item_id,
    quantity: parseQuantity(row.quantity),
    warehouseId: row.warehouse_id,
    lot: row.lot,
    cogs: amount(row.cogs),
  };
}
