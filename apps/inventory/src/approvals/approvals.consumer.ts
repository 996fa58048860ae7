import { Controller, Logger } from '@nestjs/common';
import { ApprovalDecided, DiscrepancyResolved, type EventOf } from '#libs/contracts';
import { type MessageContext, OnEvent } from '#libs/messaging';
import { Database, type Tx } from '#libs/persistence';
import { aboutDiscrepancy } from '../discrepancies/discrepancy.js';
import { getDiscrepancy, readRefusal } from '../discrepancies/discrepancy.queries.js';
import { overrideVersion } from '../discrepancies/request-override.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfEvent, settleEvent } from '../stock-machine/command-meta.js';
import { countEffects } from './approval-effect.sql.js';
import { AskApproval } from './ask-approval.js';
import { carryOutOf } from './approved-work.js';

/** What approvals says about changes of stock that needed one. */
@Controller()
export class ApprovalsConsumer {
  private readonly logger = new Logger('Approvals');

  constructor(
    private readonly batcher: Batcher,
    private readonly database: Database,
    private readonly askApproval: AskApproval,
  ) {}

  /**
   * What was asked about a discrepancy is asked no more when it is over. By event, so that it is done whichever process dies meanwhile. Of one
   * that was dismissed it is not sure that no request is open when none is known: who asked may have died before it was noted. What was asked
   * about a refused movement is about all of its discrepancies, whichever it was asked for.
   */
  @OnEvent(DiscrepancyResolved)
  async discrepancyResolved({ orgid: orgId, data }: EventOf<typeof DiscrepancyResolved>, { traceparent }: MessageContext): Promise<void> {
    const over = { orgId, ...data, closedBy: data.resolvedBy };
    if (data.approvalRequestId !== null || data.status === 'dismissed') await this.askApproval.withdraw(over, traceparent);
    if (data.source !== 'blocked_transaction' || data.refId === null) return;
    for (const asked of await this.askedBeside(orgId, data.discrepancyId)) await this.askApproval.withdraw(over, traceparent, asked);
  }

  /** What may have been asked about a movement before one of its discrepancies was over: of the others, up to which version. */
  private askedBeside(orgId: string, discrepancyId: string): Promise<{ discrepancyId: string; subjectVersion: number }[]> {
    const read = async (tx: Tx) => {
      const refusal = await readRefusal(tx, await getDiscrepancy(tx, orgId, null, discrepancyId));
      return await Promise.all(
        refusal.open.map(async (beside) => {
          const [count] = await tx.run(countEffects, [orgId, 'discrepancy', beside.discrepancyId]);
          return { discrepancyId: beside.discrepancyId, subjectVersion: overrideVersion(count!.effects, refusal) - 1 };
        }),
      );
    };
    return this.database.transaction([orgId], read, { readOnly: true });
  }

  @OnEvent(ApprovalDecided)
  async approvalDecided(event: EventOf<typeof ApprovalDecided>, context: MessageContext): Promise<void> {
    if (event.data.status === 'cancelled' && event.data.kind === 'movement_override') return await this.noteTakenBack(event, context);
    const command = carryOutOf(event.orgid, event.data, metaOfEvent(event, context));
    if (command === null) return;
    const outcome = await this.batcher.submit(command, 'events');
    settleEvent(outcome);
    if (outcome.kind !== 'answer') return;
    const { orgId, approvalRequestId, approvalKind, subjectId, status, decidedBy, role, reason } = command;
    const { outcome: effect } = outcome.answer as { outcome: string };
    const what = { orgId, approvalRequestId, kind: approvalKind, subjectId, approver: decidedBy, role, reason, effect };
    if (effect === 'refused') this.logger.warn({ msg: 'What was approved cannot be done any more', ...what });
    else this.logger.log({ msg: status === 'approved' ? 'What was approved is done' : `What was asked for was ${status}`, ...what });
  }

  /** Says at the discrepancy why nobody will decide, if it is still open: then it may be asked anew. */
  private async noteTakenBack(event: EventOf<typeof ApprovalDecided>, context: MessageContext): Promise<void> {
    const { orgid: orgId, data } = event;
    const found = await this.database.transaction([orgId], (tx) => getDiscrepancy(tx, orgId, null, data.subjectId), { readOnly: true });
    const { approvalRequestId, closeReason } = data;
    const awaited = { kind: 'await-approval' as const, orgId, ...aboutDiscrepancy(found), approvalRequestId };
    const command = { ...awaited, takenBack: closeReason ?? '', meta: metaOfEvent(event, context) };
    settleEvent(await this.batcher.submit(command, 'events'));
  }
}
