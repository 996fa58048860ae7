import { Controller } from '@nestjs/common';
import { ApprovalDecided, type EventOf } from '#libs/contracts';
import { OnEvent } from '#libs/messaging';
import { HearApprovals } from './hear-approvals.js';

/** What approvals says, by event. */
@Controller()
export class ApprovalsConsumer {
  constructor(private readonly hearApprovals: HearApprovals) {}

  @OnEvent(ApprovalDecided)
  async approvalDecided(event: EventOf<typeof ApprovalDecided>): Promise<void> {
    await this.hearApprovals.run(event);
  }
}
