import { Injectable } from '@nestjs/common';
import { DiscrepancyFindings, findingKeyOf, type Mismatch } from '#libs/contracts';
import { RpcClient } from '#libs/messaging';
import type { Found } from './run.sql.js';

/** Discrepancies are opened by the machine that writes stock, so in portions that do not keep orders waiting. */
const AT_ONCE_MAX = 100;
const TIMEOUT_MS = 20_000;

/** Gives each mismatch to inventory, where it becomes a discrepancy that somebody owns. */
@Injectable()
export class OpenDiscrepancies {
  constructor(private readonly rpc: RpcClient) {}

  /**
   * Inventory knows mismatches by a key that is the same in every run: what is found again, by a page that is repeated after a crash or in
   * the next night, is the same discrepancy while that is open.
   *
   * @throws {HoldfastError} kind `unavailable` when inventory does not answer; what it has taken over by then stays.
   */
  async run(orgId: string, runId: string, mismatches: readonly Mismatch[]): Promise<Found[]> {
    const found: Found[] = [];
    for (let from = 0; from < mismatches.length; from += AT_ONCE_MAX) {
      const part = mismatches.slice(from, from + AT_ONCE_MAX).map(withKey);
      const { findings } = await this.rpc.call(DiscrepancyFindings, { orgId, runId, findings: part }, { timeoutMs: TIMEOUT_MS });
      const ids = new Map(findings.map(({ findingKey, discrepancyId }) => [findingKey, discrepancyId]));
      found.push(...part.map((it) => ({ ...it, discrepancyId: ids.get(it.findingKey)! })));
    }
    return found;
  }
}

/** The same disagreement has the same key in every run. */
function withKey(mismatch: Mismatch): Omit<Found, 'discrepancyId'> {
  const { subject: _, ...found } = mismatch;
  return { ...found, findingKey: findingKeyOf(mismatch) };
}
