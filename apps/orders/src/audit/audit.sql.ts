import { uuidv7 } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { json } from '../columns.js';

/** What is put on record: a type such as `order_refused`, and what a later reader needs to understand it. */
export interface AuditNote {
  readonly type: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Who did it, when it was somebody else than who makes the change. */
  readonly actor?: string;
}

const insert = statement<never>(
  'audit_insert',
  `insert into audit_event (org_id, audit_event_id, type, order_id, actor, occurred_at, details) values ($1, $2, $3, $4, $5, $6, $7)`,
);

/** Puts something on record, in the transaction in which it happens; nobody can change or remove it. */
export async function recordAudit(
  tx: Tx,
  subject: { readonly orgId: string; readonly orderId: string },
  note: AuditNote,
  actor: string,
  now: Date,
): Promise<void> {
  await tx.run(insert, [subject.orgId, uuidv7(), note.type, subject.orderId, note.actor ?? actor, now, json(note.details)]);
}
