import type { ApprovalPolicy } from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { DEFAULT_POLICIES } from './policy.rules.js';

type PoliciesRow = { readonly policies: readonly ApprovalPolicy[] };

const read = statement<PoliciesRow>('policy_set_read', 'select policies from approval_policy_set where org_id = $1');
const ensure = statement<never>(
  'policy_set_ensure',
  'insert into approval_policy_set (org_id, policies) values ($1, $2) on conflict do nothing',
);
const lock = statement<PoliciesRow>('policy_set_lock', 'select policies from approval_policy_set where org_id = $1 for update');
const update = statement<never>('policy_set_update', 'update approval_policy_set set policies = $2 where org_id = $1');
const insertChange = statement<never>(
  'policy_change_insert',
  `insert into approval_policy_change (org_id, change_id, from_list, to_list, actor, changed_at) values ($1, $2, $3, $4, $5, $6)`,
);

/** The policies of an organisation; the defaults when it has put none. */
export async function readPolicies(tx: Tx, orgId: string): Promise<readonly ApprovalPolicy[]> {
  const [row] = await tx.run(read, [orgId]);
  return row?.policies ?? DEFAULT_POLICIES;
}

/** As {@link readPolicies}, and nobody else changes them before this transaction ends: also when they are put for the first time. */
export async function lockPolicies(tx: Tx, orgId: string): Promise<readonly ApprovalPolicy[]> {
  void tx.run(ensure, [orgId, JSON.stringify(DEFAULT_POLICIES)]);
  const [row] = await tx.run(lock, [orgId]);
  return row!.policies;
}

/** A change of the policies: from which list to which, by whom, when. */
export interface PolicyChange {
  readonly from: readonly ApprovalPolicy[];
  readonly to: readonly ApprovalPolicy[];
  readonly actor: string;
  readonly changedAt: Date;
}

/** Replaces the list and puts the change on record. */
export async function writePolicies(tx: Tx, orgId: string, { from, to, actor, changedAt }: PolicyChange): Promise<void> {
  const list = JSON.stringify(to);
  await Promise.all([tx.run(update, [orgId, list]), tx.run(insertChange, [orgId, uuidv7(), JSON.stringify(from), list, actor, changedAt])]);
}
