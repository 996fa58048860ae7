import { Controller, Logger } from '@nestjs/common';
import { ApprovalDecided, DiscrepancyResolved, type EventOf } from '#libs/contracts';
import { type MessageContext, OnEvent } from '#libs/messaging';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfEvent, settleEvent } from '../stock-machine/command-meta.js';
import { AskApproval } from './ask-approval.js';
import { carryOutOf } from './approved-work.js';

/** What approvals says about changes of stock that needed one. */
@Controller()
export class ApprovalsConsumer {
  private readonly logger = new Logger('Approvals');

  constructor(
    private readonly batcher: Batcher,
    private readonly askApproval: AskApproval,
  ) {}

  /**
   * What was asked about a discrepancy is asked no more when it is over. By event, so that it is done whichever process dies meanwhile. Of one
   * that was dismissed it is not sure that no request is open when none is known: who asked may have died before it was noted.
   */
  @OnEvent(DiscrepancyResolved)
  async discrepancyResolved({ orgid: orgId, data }: EventOf<typeof DiscrepancyResolved>, context: MessageContext): Promise<void> {
    if (data.approvalRequestId === null && data.status !== 'dismissed') return;
    await this.askApproval.withdraw({ orgId, ...data, closedBy: data.resolvedBy }, context.traceparent);
  }

  @OnEvent(ApprovalDecided)
  async approvalDecided(event: EventOf<typeof ApprovalDecided>, context: MessageContext): Promise<void> {
    const command = carryOutOf(event.orgid, event.data, metaOfEvent(event, context));
    if (command === null) return;
    const outcome = await this.batcher.submit(command, 'events');
    settleEvent(outcome);
    if (outcome.kind !== 'answer') return;
    const { orgId, approvalRequestId, approvalKind, subjectId, status, decidedBy, role, reason } = command;
    const { outcome: effect } = outcome.answer as { outcome: string };
    const what = { orgId, approvalRequestId, kind: approvalKind, subjectId, approver: decidedBy, role, reason, effect };
    if (effect === 'refused') this.logger.warn({ msg: 'What was approved cannot be done any more', ...what });
    else this.logger.log({ msg: status === 'approved' ? 'Override approved' : `Override ${status}`, ...what });
  }
}
