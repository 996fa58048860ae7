import { Controller } from '@nestjs/common';
import {
  type ApprovalNeeded,
  type Discrepancy as DiscrepancyView,
  type DiscrepancyAnswer,
  DiscrepancyDismiss,
  DiscrepancyFindings,
  DiscrepancyGet,
  DiscrepancyList,
  DiscrepancyReport,
  DiscrepancyRequestOverride,
  DiscrepancyResolve,
  DiscrepancyReview,
  type Page,
  type ResponseOf,
} from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import { type MessageContext, OnCall } from '#libs/messaging';
import { Database, type TransactionOptions } from '#libs/persistence';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall } from '../stock-machine/command-meta.js';
import { countEffects } from '../approvals/approval-effect.sql.js';
import { AskApproval, type Proposal } from '../approvals/ask-approval.js';
import type { CloseDiscrepancy } from '../stock-machine/commands.js';
import { readClock } from '../stock-machine/stock.sql.js';
import { aboutDiscrepancy, authoriseKeeper, type Discrepancy, discrepancyView, isOpen } from './discrepancy.js';
import { getDiscrepancy, listDiscrepancies, readRefusal } from './discrepancy.queries.js';
import { overrideOf, overrideVersion } from './request-override.js';

const read: TransactionOptions = { readOnly: true };

/** Mismatches between what the books say and what was seen. */
@Controller()
export class DiscrepanciesConsumer {
  constructor(
    private readonly batcher: Batcher,
    private readonly database: Database,
    private readonly askApproval: AskApproval,
  ) {}

  @OnCall(DiscrepancyFindings)
  recordFindings(request: Asked<typeof DiscrepancyFindings>, context: MessageContext): Promise<ResponseOf<typeof DiscrepancyFindings>> {
    return this.batcher.answer({ kind: 'record-findings', ...request, meta: metaOfCall(context) });
  }

  @OnCall(DiscrepancyList)
  list({ orgId, ...request }: Asked<typeof DiscrepancyList>, { actor }: MessageContext): Promise<Page<DiscrepancyView>> {
    return this.database.transaction([orgId], (tx) => listDiscrepancies(tx, orgId, actor.warehouses, request), read);
  }

  @OnCall(DiscrepancyGet)
  async get({ orgId, discrepancyId }: Asked<typeof DiscrepancyGet>, { actor }: MessageContext): Promise<DiscrepancyView> {
    return discrepancyView(
      await this.database.transaction([orgId], (tx) => getDiscrepancy(tx, orgId, actor.warehouses, discrepancyId), read),
    );
  }

  @OnCall(DiscrepancyReport)
  report(
    { dryRun, discrepancyId = uuidv7(), ...data }: Asked<typeof DiscrepancyReport>,
    context: MessageContext,
  ): Promise<DiscrepancyAnswer> {
    return this.batcher.answer({ kind: 'report-discrepancy', ...data, discrepancyId, meta: metaOfCall(context) }, dryRun);
  }

  @OnCall(DiscrepancyReview)
  async review({ dryRun, ...data }: Asked<typeof DiscrepancyReview>, context: MessageContext): Promise<DiscrepancyAnswer> {
    const about = aboutDiscrepancy(await this.find(data, context));
    return this.batcher.answer({ kind: 'review-discrepancy', ...data, ...about, meta: metaOfCall(context) }, dryRun);
  }

  /** What is posted with it may need an approval, as an adjustment does; of a finding of reconciliation nothing is posted. */
  @OnCall(DiscrepancyResolve)
  async resolve(
    { dryRun = false, ...data }: Asked<typeof DiscrepancyResolve>,
    context: MessageContext,
  ): Promise<ResponseOf<typeof DiscrepancyResolve>> {
    const found = await this.find(data, context);
    const about = aboutDiscrepancy(found);
    const command = { kind: 'close-discrepancy' as const, status: 'resolved' as const, ...data, ...about, meta: metaOfCall(context) };
    const { adjust, orgId } = data;
    const needsNobody = !adjust || !isOpen(found) || found.source === 'reconciliation_job' || context.actor.roles.includes('admin');
    if (needsNobody) return this.batcher.answer(command, dryRun);
    const tried = await this.batcher.answer<DiscrepancyAnswer>(command, true);
    if (dryRun) return (await this.askApproval.foresee(proposalOf(found, command), context)) ?? tried;
    const needed = await this.askApproval.run(proposalOf(found, command), context);
    if (needed === null) return this.batcher.answer(command);
    return await this.awaits(orgId, about, needed, context);
  }

  /** Whoever made the movement may ask, and whoever keeps discrepancies; nobody may let it through alone. */
  @OnCall(DiscrepancyRequestOverride)
  async requestOverride(
    { orgId, discrepancyId, reason, dryRun = false }: Asked<typeof DiscrepancyRequestOverride>,
    context: MessageContext,
  ): Promise<ResponseOf<typeof DiscrepancyRequestOverride>> {
    const { found, refusal, ended } = await this.database.transaction(
      [orgId],
      async (tx) => {
        const found = await getDiscrepancy(tx, orgId, context.actor.warehouses, discrepancyId);
        const [count] = await tx.run(countEffects, [orgId, 'discrepancy', found.discrepancyId]);
        return { found, refusal: await readRefusal(tx, found), ended: count!.effects };
      },
      read,
    );
    const version = overrideVersion(ended, refusal);
    const exception = overrideOf(found, refusal.open, reason, version, metaOfCall(context));
    if (dryRun) return this.askApproval.foreseeException(exception, context);
    const needed = await this.askApproval.except(exception, context);
    // Once it is over, it may be asked anew.
    return !isUndecided(needed) ? needed : await this.awaits(orgId, aboutDiscrepancy(found), needed, context);
  }

  /** Notes what is waited for; if the discrepancy was decided about while it was asked, nobody has to decide any more. */
  private async awaits(
    orgId: string,
    about: ReturnType<typeof aboutDiscrepancy>,
    needed: ApprovalNeeded,
    context: MessageContext,
  ): Promise<ApprovalNeeded> {
    const { approvalRequestId } = needed;
    const command = { kind: 'await-approval' as const, orgId, ...about, approvalRequestId, meta: metaOfCall(context) };
    const found = await this.batcher.answer<DiscrepancyAnswer>(command);
    if (isOpen(found) || !isUndecided(needed)) return needed;
    const request = await this.askApproval.withdraw({ orgId, ...found, closedBy: found.resolvedBy }, context.traceparent);
    return { ...needed, status: request?.status ?? needed.status };
  }

  @OnCall(DiscrepancyDismiss)
  async dismiss({ dryRun, ...data }: Asked<typeof DiscrepancyDismiss>, context: MessageContext): Promise<DiscrepancyAnswer> {
    const about = { ...aboutDiscrepancy(await this.find(data, context)), adjust: false };
    return this.batcher.answer({ kind: 'close-discrepancy', status: 'dismissed', ...data, ...about, meta: metaOfCall(context) }, dryRun);
  }

  /** The discrepancy that somebody is about to decide about, if it is theirs to decide. */
  private async find({ orgId, discrepancyId }: { orgId: string; discrepancyId: string }, { actor }: MessageContext) {
    const [found, now] = await this.database.transaction(
      [orgId],
      async (tx) => [await getDiscrepancy(tx, orgId, actor.warehouses, discrepancyId), (await tx.run(readClock, []))[0]!.now] as const,
      read,
    );
    authoriseKeeper(actor, found, now);
    return found;
  }
}

const isUndecided = ({ status }: ApprovalNeeded) => status === 'pending' || status === 'escalated';

/** What is posted when a discrepancy is resolved, as part of what the books said where it was seen. */
function proposalOf({ discrepancyId, warehouseId, ...found }: Discrepancy, work: CloseDiscrepancy): Proposal {
  const { itemId, lot, location, snapshotQuantity, ledgerQuantity } = found;
  const about = { kind: 'discrepancy_resolution' as const, subjectType: 'discrepancy', subjectId: discrepancyId, reason: work.note };
  const place = { warehouseId: warehouseId!, itemId, lot, location };
  return { ...about, ...place, delta: snapshotQuantity - ledgerQuantity, of: ledgerQuantity, unitCost: null, work };
}
