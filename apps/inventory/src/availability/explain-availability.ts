import type { Availability, DiscrepancySeverity, DiscrepancySource, DiscrepancyStatus } from '#libs/contracts';
import { shortestDecimal } from '#libs/domain';
import type { Tx } from '#libs/persistence';

/** At most this many reservations, and as many backorders, in one answer: an item that everybody wants has 100,000 of them. */
const ROWS_MAX = 2_000;

type Explanation = NonNullable<Availability['explain']>;

/** What stands behind the terms of these availabilities, in the same snapshot, in the same order. */
export async function explainAvailability(tx: Tx, orgId: string, availabilities: readonly Availability[]): Promise<Explanation[]> {
  const keys = [orgId, availabilities.map(({ warehouseId }) => warehouseId), availabilities.map(({ itemId }) => itemId)];
  const rowsMax = Math.max(1, Math.floor(ROWS_MAX / Math.max(1, availabilities.length)));
  const [reservations, backorders, blocked, lots, discrepancies] = await Promise.all([
    tx.rows<ReservationRow>(RESERVATIONS, [...keys, rowsMax + 1]),
    tx.rows<BackorderRow>(BACKORDERS, [...keys, rowsMax + 1]),
    tx.rows<BlockedRow>(BLOCKED, keys),
    tx.rows<LotRow>(LOTS, [...keys, rowsMax + 1]),
    tx.rows<DiscrepancyRow>(DISCREPANCIES, [...keys, rowsMax + 1]),
  ]);
  const at = {
    reservations: Map.groupBy(reservations, ({ place }) => place),
    backorders: Map.groupBy(backorders, ({ place }) => place),
    blocked: Map.groupBy(blocked, ({ place }) => place),
    lots: Map.groupBy(lots, ({ place }) => place),
    discrepancies: Map.groupBy(discrepancies, ({ place }) => place),
  };
  return availabilities.map((_, index) => {
    const held = at.reservations.get(index + 1) ?? [];
    const waiting = at.backorders.get(index + 1) ?? [];
    const kept = at.lots.get(index + 1) ?? [];
    const doubts = at.discrepancies.get(index + 1) ?? [];
    return {
      reservations: held.slice(0, rowsMax).map(toReservation),
      backorders: waiting.slice(0, rowsMax).map(toBackorder),
      blocked: (at.blocked.get(index + 1) ?? []).map(({ quality, quantity }) => ({ quality, quantity: shortestDecimal(quantity) })),
      lots: kept.slice(0, rowsMax).map(toLot),
      discrepancies: doubts.slice(0, rowsMax).map(toDoubt),
      truncated: [held, waiting, kept, doubts].some((rows) => rows.length > rowsMax),
    };
  });
}

const ASKED = 'from unnest($2::text[], $3::text[]) with ordinality as asked (warehouse_id, item_id, place)';

interface ReservationRow {
  readonly place: number;
  readonly reservation_id: string;
  readonly order_id: string;
  readonly line_no: number;
  readonly quantity: string;
  readonly firm: boolean;
  readonly expires_at: Date | null;
}

// The oldest are found first and joined afterwards: joining all holds of a hot item with their demands would be the larger part.
const RESERVATIONS = `
  select asked.place, held.reservation_id, held.order_id, held.line_no, held.quantity, d.firm, d.expires_at
  ${ASKED}
  cross join lateral (
    select reservation_id, order_id, line_no, quantity - fulfilled_quantity as quantity, reserved_at
    from reservation
    where org_id = $1 and warehouse_id = asked.warehouse_id and item_id = asked.item_id and status = 'active'
    order by reserved_at, reservation_id
    limit $4
  ) held
  join demand d on d.org_id = $1 and d.order_id = held.order_id
  order by asked.place, held.reserved_at, held.reservation_id`;

function toReservation(row: ReservationRow): Explanation['reservations'][number] {
  return {
    reservationId: row.reservation_id,
    orderId: row.order_id,
    lineNo: row.line_no,
    quantity: shortestDecimal(row.quantity),
    firm: row.firm,
    expiresAt: row.firm ? null : (row.expires_at?.toISOString() ?? null),
  };
}

interface BackorderRow {
  readonly place: number;
  readonly order_id: string;
  readonly line_no: number;
  readonly quantity: string;
  readonly priority: number;
  readonly accepted_at: Date;
}

// In the order in which they are served.
const BACKORDERS = `
  select asked.place, waiting.*
  ${ASKED}
  cross join lateral (
    select order_id, line_no, quantity, priority, accepted_at
    from backorder
    where org_id = $1 and warehouse_id = asked.warehouse_id and item_id = asked.item_id
    order by priority desc, accepted_at, order_id, line_no
    limit $4
  ) waiting
  order by asked.place, waiting.priority desc, waiting.accepted_at, waiting.order_id, waiting.line_no`;

function toBackorder(row: BackorderRow): Explanation['backorders'][number] {
  return {
    orderId: row.order_id,
    lineNo: row.line_no,
    quantity: shortestDecimal(row.quantity),
    priority: row.priority,
    acceptedAt: row.accepted_at.toISOString(),
  };
}

interface BlockedRow {
  readonly place: number;
  readonly quality: string;
  readonly quantity: string;
}

const BLOCKED = `
  select asked.place, s.quality, sum(s.quantity) as quantity
  ${ASKED}
  join quant s on s.org_id = $1 and s.warehouse_id = asked.warehouse_id and s.item_id = asked.item_id
  where s.quantity > 0 and s.quality <> 'available'
  group by asked.place, s.quality
  order by asked.place, s.quality`;

interface LotRow {
  readonly place: number;
  readonly lot: string;
  readonly location: string;
  readonly quality: string;
  readonly quantity: string;
  readonly reserved: string;
  readonly expires_at: Date | null;
}

// In the order in which they are picked.
const LOTS = `
  select asked.place, l.lot, l.location, l.quality, l.quantity, l.reserved, l.expires_at
  ${ASKED}
  cross join lateral (
    select lot, location, quality, quantity, reserved, expires_at, received_at
    from quant
    where org_id = $1 and warehouse_id = asked.warehouse_id and item_id = asked.item_id and lot <> '' and quantity > 0
    order by expires_at, received_at, lot, location
    limit $4
  ) l
  order by asked.place, l.expires_at, l.received_at, l.lot, l.location`;

function toLot(row: LotRow): Explanation['lots'][number] {
  return {
    lot: row.lot,
    location: row.location,
    quality: row.quality,
    quantity: shortestDecimal(row.quantity),
    reserved: shortestDecimal(row.reserved),
    expiresAt: row.expires_at?.toISOString() ?? null,
  };
}

interface DiscrepancyRow {
  readonly place: number;
  readonly discrepancy_id: string;
  readonly severity: DiscrepancySeverity;
  readonly status: DiscrepancyStatus;
  readonly source: DiscrepancySource;
  readonly difference: string;
  readonly lot: string | null;
  readonly detected_at: Date;
}

// Those that keep stock back first, then the others that are open.
const DISCREPANCIES = `
  select asked.place, d.discrepancy_id, d.severity, d.status, d.source, d.difference, d.lot, d.detected_at
  ${ASKED}
  cross join lateral (
    select discrepancy_id, severity, status, source, snapshot_quantity - ledger_quantity as difference, lot, detected_at,
           severity in ('high', 'critical') and source <> 'blocked_transaction' as is_severe
    from discrepancy
    where org_id = $1 and warehouse_id = asked.warehouse_id and item_id = asked.item_id and closed_at is null
    order by is_severe desc, detected_at, discrepancy_id
    limit $4
  ) d
  order by asked.place, d.is_severe desc, d.detected_at, d.discrepancy_id`;

function toDoubt(row: DiscrepancyRow): Explanation['discrepancies'][number] {
  return {
    discrepancyId: row.discrepancy_id,
    severity: row.severity,
    status: row.status,
    source: row.source,
    difference: shortestDecimal(row.difference),
    lot: row.lot,
    detectedAt: row.detected_at.toISOString(),
  };
}
