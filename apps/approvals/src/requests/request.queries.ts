import { Injectable } from '@nestjs/common';
import type { Actor } from '#libs/auth';
import { type ApprovalList, type ApprovalRequest, Cursor, PAGE_LIMIT_DEFAULT, type Page, type RequestOf } from '#libs/contracts';
import { Database } from '#libs/persistence';
import { coversWarehouses } from './request.rules.js';
import { readRequests } from './request.sql.js';
import { approvalNotFound, isRequestId, requestView } from './request-view.js';

interface KeyRow {
  readonly approval_request_id: string;
  readonly created_at: Date;
  readonly content_bytes: number;
}

/** A page may hold fewer requests than asked for: it travels as one message, and brokers refuse those of more than 16 MiB. */
const PAGE_BYTES_MAX = 4 * 1024 * 1024;
const cursor = new Cursor('time', 'uuid');

/** Requests for screens: those whose warehouses are all the reader's; others do not exist for the reader. */
@Injectable()
export class RequestQueries {
  constructor(private readonly database: Database) {}

  /** @throws {HoldfastError} 404 `APPROVAL_NOT_FOUND`. */
  async get(actor: Actor, approvalRequestId: string): Promise<ApprovalRequest> {
    const { orgId } = actor;
    if (!isRequestId(approvalRequestId)) throw approvalNotFound(approvalRequestId);
    const [request] = await this.database.transaction([orgId], (tx) => readRequests(tx, orgId, [approvalRequestId]), { readOnly: true });
    if (request === undefined || !coversWarehouses(actor, request.warehouses)) throw approvalNotFound(approvalRequestId);
    return requestView(request);
  }

  /** Newest first. */
  async list({ orgId, warehouses }: Actor, query: RequestOf<typeof ApprovalList>): Promise<Page<ApprovalRequest>> {
    const [createdAt = null, id = null] = cursor.read(query.cursor);
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
    const { status = null, open = null, kind = null, requiredRole = null, requestedBy = null } = query;
    const { subjectType = null, subjectId = null, from = null, to = null } = query;
    return await this.database.transaction(
      [orgId],
      async (tx) => {
        const keys = await tx.rows<KeyRow>(
          `select approval_request_id, created_at, content_bytes from approval_request
            where org_id = $1 and ($2::text is null or status = $2) and ($3::boolean is null or (closed_at is null) = $3)
              and ($4::text is null or kind = $4) and ($5::text is null or required_role = $5) and ($6::text is null or requested_by = $6)
              and ($7::text is null or subject_type = $7) and ($8::text is null or subject_id = $8)
              and ($9::timestamptz is null or created_at >= $9) and ($10::timestamptz is null or created_at < $10)
              and ($11::text[] is null or warehouses <@ $11)
              and ($12::timestamptz is null or (created_at, approval_request_id) < ($12::timestamptz, $13::uuid))
            order by created_at desc, approval_request_id desc limit $14`,
          [orgId, status, open, kind, requiredRole, requestedBy, subjectType, subjectId, from, to, warehouses, createdAt, id, limit + 1],
        );
        const count = fitting(keys.slice(0, limit));
        const ids = keys.slice(0, count).map((key) => key.approval_request_id);
        const requests = new Map((await readRequests(tx, orgId, ids)).map((request) => [request.approvalRequestId, request]));
        return cursor.page(
          keys,
          count,
          (key) => [key.created_at.toISOString(), key.approval_request_id],
          (key) => requestView(requests.get(key.approval_request_id)!),
        );
      },
      { readOnly: true },
    );
  }
}

/** How many fit one message; at least one. */
export function fitting(keys: readonly Pick<KeyRow, 'content_bytes'>[]): number {
  let bytes = 0;
  const tooMany = keys.findIndex(({ content_bytes }, index) => (bytes += content_bytes) > PAGE_BYTES_MAX && index > 0);
  return tooMany < 0 ? keys.length : tooMany;
}
