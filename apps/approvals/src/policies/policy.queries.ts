import { Injectable } from '@nestjs/common';
import {
  type ApprovalPoliciesHistory,
  type ApprovalPolicy,
  type ApprovalPolicyMatch,
  Cursor,
  PAGE_LIMIT_DEFAULT,
  type RequestOf,
  type ResponseOf,
} from '#libs/contracts';
import { Database } from '#libs/persistence';
import { matchPolicy } from './policy.rules.js';
import { readPolicies } from './policy.sql.js';

interface ChangeRow {
  readonly change_id: string;
  readonly from_list: readonly ApprovalPolicy[];
  readonly to_list: readonly ApprovalPolicy[];
  readonly actor: string;
  readonly changed_at: Date;
}

const cursor = new Cursor('time', 'uuid');

/** The policies and their history for screens and other services. */
@Injectable()
export class PolicyQueries {
  constructor(private readonly database: Database) {}

  async get(orgId: string): Promise<ApprovalPolicy[]> {
    return [...(await this.database.transaction([orgId], (tx) => readPolicies(tx, orgId), { inOneGo: true }))];
  }

  /** The policy that a request would fall under. */
  async match(orgId: string, { kind, magnitudes }: RequestOf<typeof ApprovalPolicyMatch>): Promise<ApprovalPolicy> {
    return matchPolicy(await this.get(orgId), kind, magnitudes);
  }

  /** Newest first. */
  async history(orgId: string, query: RequestOf<typeof ApprovalPoliciesHistory>): Promise<ResponseOf<typeof ApprovalPoliciesHistory>> {
    const [changedAt = null, changeId = null] = cursor.read(query.cursor);
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
    const rows = await this.database.transaction(
      [orgId],
      (tx) =>
        tx.rows<ChangeRow>(
          `select change_id, from_list, to_list, actor, changed_at from approval_policy_change
            where org_id = $1 and ($2::timestamptz is null or (changed_at, change_id) < ($2::timestamptz, $3::uuid))
            order by changed_at desc, change_id desc limit $4`,
          [orgId, changedAt, changeId, limit + 1],
        ),
      { readOnly: true },
    );
    return cursor.page(
      rows,
      limit,
      (row) => [row.changed_at.toISOString(), row.change_id],
      (row) => ({ from: row.from_list, to: row.to_list, actor: row.actor, changedAt: row.changed_at.toISOString() }),
    );
  }
}
