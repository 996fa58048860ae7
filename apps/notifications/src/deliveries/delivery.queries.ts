import { Injectable } from '@nestjs/common';
import { Cursor, type DeliveryList, type NotificationDelivery, type Page, PAGE_LIMIT_DEFAULT, type RequestOf } from '#libs/contracts';
import { Database } from '#libs/persistence';

type DeliveryRow = Omit<NotificationDelivery, 'nextAttemptAt' | 'createdAt' | 'sentAt'> & {
  readonly nextAttemptAt: Date | null;
  readonly createdAt: Date;
  readonly sentAt: Date | null;
};

// The ids are made in the order of time.
const cursor = new Cursor('uuid');

/** Deliveries for screens. */
@Injectable()
export class DeliveryQueries {
  constructor(private readonly database: Database) {}

  /** Newest first. */
  async list(orgId: string, query: RequestOf<typeof DeliveryList>): Promise<Page<NotificationDelivery>> {
    const [after] = cursor.read(query.cursor);
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
    const values: unknown[] = [orgId, limit + 1];
    // Only what is asked for is compared, so that each question finds its index.
    const where = (value: string | undefined, condition: string) =>
      value === undefined ? '' : ` and ${condition.replace('?', `$${values.push(value)}`)}`;
    const conditions = [
      where(after, 'd.delivery_id < ?'),
      where(query.channelId, 'd.channel_id = ?'),
      where(query.status, 'd.status = ?'),
      where(query.eventType, 'n.event_type = ?'),
    ];
    const rows = await this.database.transaction(
      [orgId],
      (tx) =>
        tx.rows<DeliveryRow>(
          `select d.delivery_id as "deliveryId", d.channel_id as "channelId", d.channel_name as "channelName", d.kind,
                  n.event_type as "eventType", n.event_id as "eventId", n.subject, n.title, d.status, d.attempts,
                  d.next_attempt_at as "nextAttemptAt", d.last_error as "lastError", d.created_at as "createdAt", d.sent_at as "sentAt"
             from delivery d join notice n on n.org_id = d.org_id and n.notice_id = d.notice_id
            where d.org_id = $1${conditions.join('')} order by d.delivery_id desc limit $2`,
          values,
        ),
      { readOnly: true },
    );
    return cursor.page(rows, limit, (row) => [row.deliveryId], toDelivery);
  }
}

function toDelivery({ nextAttemptAt, createdAt, sentAt, ...row }: DeliveryRow): NotificationDelivery {
  return {
    ...row,
    nextAttemptAt: nextAttemptAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    sentAt: sentAt?.toISOString() ?? null,
  };
}
