import { isUtf8 } from 'node:buffer';
import { Cursor, PAGE_LIMIT_DEFAULT, type Page, type ParkedMessage, type ServiceName } from '#libs/contracts';
import { ORG_ID_PATTERN, storableText, uuidv7 } from '#libs/domain';
import type { Database } from '#libs/persistence';
import { hashAsUuid } from './inbox.js';
import { BROKER_USER_HEADER, type IncomingEvent } from './delivery.js';

/** Lists show this much of a body, so that a page of large messages still fits a message itself. */
const SHOWN_BYTES_MAX = 65_536;

interface ParkedRow {
  readonly id: string;
  readonly routing_key: string;
  readonly type: string | null;
  readonly reason: string;
  readonly detail: string;
  readonly attempts: number;
  readonly body: Buffer;
  readonly body_length: number;
  readonly headers: Record<string, unknown>;
  readonly parked_at: Date;
  readonly parked_at_text: string;
}

const COLUMNS = `id, routing_key, type, reason, detail, attempts, headers, octet_length(body) as body_length, parked_at,
  to_char(parked_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as parked_at_text`;
const orgIdPattern = new RegExp(ORG_ID_PATTERN);

/** The messages that a service has put aside, with their reason and their bytes as they came. */
export class ParkedMessages {
  readonly #cursor = new Cursor('time', 'uuid');

  constructor(
    private readonly service: ServiceName,
    /** With the messaging role. */
    private readonly database: Database,
  ) {}

  /** Stores a message with the reason; parked again, it keeps its id and tells of the newest failure. */
  async park(message: IncomingEvent, failure: { type: string | null; reason: string; detail: string }): Promise<void> {
    const { routingKey, body, attempt, brokerUser } = message;
    // What is undefined is left out of the JSON, whoever has said so in a header.
    const headers = { ...message.headers, [BROKER_USER_HEADER]: brokerUser };
    const key = hashAsUuid(Buffer.concat([Buffer.from(`${routingKey}\n`), body]));
    const values = [uuidv7(), key, orgIdOf(routingKey), storable(routingKey), failure.type && storable(failure.type)];
    values.push(failure.reason, storable(failure.detail));
    await this.database.transaction([], (tx) =>
      tx.execute(
        `insert into parked_message (id, message_key, org_id, routing_key, type, reason, detail, attempts, body, headers)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (message_key) do update
            set reason = excluded.reason, detail = excluded.detail, attempts = excluded.attempts, parked_at = now()`,
        [...values, attempt, body, JSON.stringify(headers)],
      ),
    );
  }

  /** The parked messages of an organisation, newest first. */
  async list(orgId: string, query: { cursor?: string; limit?: number }): Promise<Page<ParkedMessage>> {
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
    const [time = null, id = null] = this.#cursor.read(query.cursor);
    const rows = await this.database.transaction([orgId], (tx) =>
      tx.rows<ParkedRow>(
        `select ${COLUMNS}, substring(body for ${SHOWN_BYTES_MAX}) as body from parked_message
          where org_id = $1 and ($2::text is null or (parked_at, id) < ($2::timestamptz, $3::uuid))
          order by parked_at desc, id desc limit $4`,
        [orgId, time, id, limit + 1],
      ),
    );
    return this.#cursor.page(
      rows,
      limit,
      (row) => [row.parked_at_text, row.id],
      (row) => this.#resource(row),
    );
  }

  /** The message to be handled again; undefined when there is none. */
  async find(orgId: string, messageId: string): Promise<IncomingEvent | undefined> {
    const [row] = await this.database.transaction([orgId], (tx) =>
      tx.rows<ParkedRow>(`select ${COLUMNS}, body from parked_message where org_id = $1 and id = $2`, [orgId, messageId]),
    );
    if (row === undefined) return undefined;
    const { body, routing_key: routingKey, headers, attempts } = row;
    const brokerUser = headers[BROKER_USER_HEADER];
    return { body, routingKey, headers, attempt: attempts + 1, ...(typeof brokerUser === 'string' && { brokerUser }) };
  }

  /** Answers whether it was there. */
  async remove(orgId: string, messageId: string): Promise<boolean> {
    const removed = await this.database.transaction([orgId], (tx) =>
      tx.execute('delete from parked_message where org_id = $1 and id = $2', [orgId, messageId]),
    );
    return removed > 0;
  }

  /** Of all organisations: for metrics. */
  async count(): Promise<number> {
    const [row] = await this.database.transaction([], (tx) => tx.rows<{ count: number }>('select count(*) as count from parked_message'), {
      readOnly: true,
    });
    return row?.count ?? 0;
  }

  #resource(row: ParkedRow): ParkedMessage {
    const bodyEncoding = isUtf8(row.body) ? 'utf8' : 'base64';
    return {
      messageId: row.id,
      service: this.service,
      routingKey: row.routing_key,
      type: row.type,
      reason: row.reason,
      detail: row.detail,
      attempts: row.attempts,
      parkedAt: row.parked_at.toISOString(),
      body: row.body.toString(bodyEncoding),
      bodyEncoding,
      bodyTruncated: row.body.length < row.body_length,
    };
  }
}

/** The last word of a routing key `<Type>.<orgid>`; empty when it names no organisation. */
function orgIdOf(routingKey: string): string {
  const orgId = routingKey.slice(routingKey.lastIndexOf('.') + 1);
  return routingKey.includes('.') && orgIdPattern.test(orgId) ? orgId : '';
}

const TEXT_LENGTH_MAX = 2_000;

/** What comes from a broken message may hold characters that PostgreSQL cannot store. */
function storable(text: string): string {
  return storableText(text, TEXT_LENGTH_MAX);
}
