import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { ApprovalPolicy } from '#libs/contracts';
import { invalid } from '#libs/domain';
import { Database } from '#libs/persistence';
import { Clock } from '#libs/service';
import { checkPolicies, normalised } from './policy.rules.js';
import { lockPolicies, writePolicies } from './policy.sql.js';

/** Replaces an organisation's policies, and keeps who did it. */
@Injectable()
export class ChangePolicies {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * @returns the policies as they are now.
   * @throws {HoldfastError} kind `invalid` that names each policy that is wrong.
   */
  async run(orgId: string, wanted: readonly ApprovalPolicy[], actor: string): Promise<ApprovalPolicy[]> {
    const errors = checkPolicies(wanted);
    if (errors.length > 0) throw invalid('The policies are not valid.', errors);
    const to = normalised(wanted);
    await this.database.transaction(
      [orgId],
      async (tx) => {
        const from = await lockPolicies(tx, orgId);
        if (isDeepStrictEqual(from, to)) return;
        await writePolicies(tx, orgId, { from, to, actor, changedAt: await this.clock.now(tx) });
      },
      { repeatable: true },
    );
    return to;
  }
}
