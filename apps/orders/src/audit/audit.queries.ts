import { Injectable } from '@nestjs/common';
import { type AuditEvent, type AuditLists, Cursor, PAGE_LIMIT_DEFAULT, type Page, type RequestOf } from '#libs/contracts';
import { Database } from '#libs/persistence';
import { orderNotFound } from '../orders/order-status.js';

interface AuditRow {
  readonly audit_event_id: string;
  readonly type: string;
  readonly order_id: string | null;
  readonly actor: string | null;
  readonly occurred_at: Date;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The warehouses of who asks; null = all. */
type Scope = readonly string[] | null;

const cursor = new Cursor('time', 'uuid');

/** The record for screens. */
@Injectable()
export class AuditQueries {
  constructor(private readonly database: Database) {}

  /** Newest first. */
  async list(orgId: string, scope: Scope, query: RequestOf<typeof AuditLists.orders>): Promise<Page<AuditEvent>> {
    const [at = null, id = null] = cursor.read(query.cursor);
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
    const { orderId = null, type = null, by = null, from = null, to = null } = query;
    const rows = await this.database.transaction(
      [orgId],
      (tx) =>
        tx.rows<AuditRow>(
          `select audit_event_id, type, order_id, actor, occurred_at, details from audit_event
            where org_id = $1 and ($2::text is null or order_id = $2) and ($3::text is null or type = $3)
              and ($4::text is null or actor = $4) and ($5::timestamptz is null or occurred_at >= $5)
              and ($6::timestamptz is null or occurred_at < $6)
              and ($7::timestamptz is null or (occurred_at, audit_event_id) < ($7::timestamptz, $8::uuid))
            order by occurred_at desc, audit_event_id desc limit $9`,
          [orgId, orderId, type, by, from, to, at, id, limit + 1],
        ),
      { readOnly: true },
    );
    return cursor.page(
      rows,
      limit,
      (row) => [row.occurred_at.toISOString(), row.audit_event_id],
      (row) => toAuditEvent(row, scope),
    );
  }

  /** What happened to one order, refused attempts included. @throws {HoldfastError} 404 `ORDER_NOT_FOUND` when nothing ever did. */
  async listOfOrder(orgId: string, scope: Scope, orderId: string, page: { cursor?: string; limit?: number }): Promise<Page<AuditEvent>> {
    const events = await this.list(orgId, scope, { ...page, orderId });
    if (events.items.length > 0 || page.cursor !== undefined) return events;
    const known = await this.database.transaction(
      [orgId],
      (tx) => tx.rows('select 1 from customer_order where org_id = $1 and order_id = $2', [orgId, orderId]),
      { readOnly: true },
    );
    if (known.length === 0) throw orderNotFound(orderId);
    return events;
  }
}

/**
 * Without the lines and snapshots that are of other warehouses. That something happened to an order is for everybody who may see orders.
 */
export function inScope(value: unknown, scope: Scope): unknown {
  if (scope === null || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.filter((part) => isIn(part, scope)).map((part) => inScope(part, scope));
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, inScope(part, scope)]));
}

function isIn(part: unknown, scope: readonly string[]): boolean {
  const warehouseId = typeof part === 'object' && part !== null && 'warehouseId' in part ? part.warehouseId : null;
  return typeof warehouseId !== 'string' || scope.includes(warehouseId);
}

function toAuditEvent(row: AuditRow, scope: Scope): AuditEvent {
  return {
    auditEventId: row.audit_event_id,
    type: row.type,
    orderId: row.order_id,
    actor: row.actor,
    occurredAt: row.occurred_at.toISOString(),
    details: inScope(row.details, scope) as AuditRow['details'],
  };
}
