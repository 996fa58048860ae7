import { Type } from '@sinclair/typebox';
import { type CalledService, defineCall, internal, type Page, PageQuery } from './define-call.js';
import { AUDITORS } from './role.js';
import { Id, Text, Timestamp } from './schema.js';

/** One entry of the append-only audit trail. */
export interface AuditEvent {
  readonly auditEventId: string;
  readonly type: string;
  readonly orderId: string | null;
  readonly actor: string | null;
  readonly occurredAt: string;
  /** What changed, and for a refusal or an override the availability snapshot. */
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Every service that keeps a record answers this of its own, newest first by time and id, which together name a place in the trail of all of
 * them: so a cursor of one is a cursor of each (docs/adr/0022).
 */
const auditList = <S extends CalledService>(service: S) =>
  defineCall({
    service,
    pattern: 'audit.list',
    visibility: 'internal',
    effect: 'read',
    allow: AUDITORS,
    summary: 'The audit trail, newest first.',
    request: Type.Object({
      orderId: Type.Optional(Id),
      type: Type.Optional(Text(60)),
      /** Who did it; `actor` of a call is who asks. */
      by: Type.Optional(Text(200)),
      from: Type.Optional(Timestamp),
      to: Type.Optional(Timestamp),
      ...PageQuery,
    }),
    response: internal<Page<AuditEvent>>(),
  });

/** By the service that is asked. */
export const AuditLists = {
  orders: auditList('orders'),
  inventory: auditList('inventory'),
  approvals: auditList('approvals'),
};
export type AuditedService = keyof typeof AuditLists;
