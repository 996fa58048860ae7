import { type DemandBook, type DemandBooksRead, OTHER_ORDERS_MAX, type RequestOf, type ResponseOf } from '#libs/contracts';
import { formatQuantity } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { demandLinesFromJson, shipmentLinesFromJson } from '../stock-machine/stock-json.js';
import type { DemandLine } from '../stock-machine/demand.js';

// What inventory knows of orders, to be compared with what orders knows: demand and shipments of one snapshot.

const readDemands = statement<{ order_id: string; sequence: number; firm: boolean; lines: unknown }>(
  'reconcile_read_demands',
  `select d.* from unnest($2::text[]) k (id)
    cross join lateral (select order_id, sequence, firm, lines from demand where org_id = $1 and order_id = k.id offset 0) d`,
);
const readShipments = statement<{ order_id: string; shipment_id: string; status: string; lines: unknown }>(
  'reconcile_read_shipments',
  `select s.* from unnest($2::text[]) k (id)
    cross join lateral (select order_id, shipment_id, status, lines from shipment where org_id = $1 and order_id = k.id offset 0) s`,
);
const readOthers = statement<{ order_id: string }>(
  'reconcile_read_others',
  `select order_id from demand
    where org_id = $1 and source = $2 and order_id > $3 and ($4::text is null or order_id <= $4) and order_id <> all ($5) and state <> 'refused'
    order by order_id limit ${OTHER_ORDERS_MAX}`,
);

/** Some orders as inventory knows them, in a read-only transaction. */
export async function readDemandBooks(
  tx: Tx,
  orgId: string,
  { orderIds, others }: RequestOf<typeof DemandBooksRead>,
): Promise<ResponseOf<typeof DemandBooksRead>> {
  const [demands, shipments, unknown] = await Promise.all([
    tx.run(readDemands, [orgId, orderIds]),
    tx.run(readShipments, [orgId, orderIds]),
    others === undefined ? [] : tx.run(readOthers, [orgId, others.source, others.after, others.upTo, orderIds]),
  ]);
  const shipmentsOf = Map.groupBy(shipments, (row) => row.order_id);
  return {
    demands: demands.map((row): DemandBook => ({
      orderId: row.order_id,
      sequence: row.sequence,
      firm: row.firm,
      lines: demandLinesFromJson(row.lines).map(toLineBook),
      shipments: (shipmentsOf.get(row.order_id) ?? []).flatMap((shipment) =>
        shipmentLinesFromJson(shipment.lines).map((line) => ({
          shipmentId: shipment.shipment_id,
          itemId: line.itemId,
          quantity: shipment.status === 'posted' ? formatQuantity(line.quantity) : '0',
        })),
      ),
    })),
    others: unknown.map((row) => row.order_id),
  };
}

function toLineBook(line: DemandLine): DemandBook['lines'][number] {
  const { lineNo, itemId, requested, unasked } = line;
  return {
    lineNo,
    itemId,
    requested: formatQuantity(requested),
    asked: formatQuantity(requested - unasked),
    reserved: formatQuantity(line.reserved),
    backordered: formatQuantity(line.backordered),
    fulfilled: formatQuantity(line.fulfilled),
    returned: formatQuantity(line.returned),
    closed: formatQuantity(line.closed),
    unheld: formatQuantity(line.unheld),
  };
}
