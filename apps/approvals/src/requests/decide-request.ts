import { Injectable } from '@nestjs/common';
import type { ApprovalRequest } from '#libs/contracts';
import { crashPoint, type MessageContext } from '#libs/messaging';
import { Database, type Tx } from '#libs/persistence';
import { Clock } from '#libs/service';
import { decide, type Verdict } from './request.rules.js';
import { lockRequest } from './request.sql.js';
import type { RequestState } from './request-state.js';
import { approvalNotFound, isRequestId, requestView } from './request-view.js';
import { SaveRequest } from './save-request.js';

/** Approves or rejects: under the lock of the request, so that of two who decide at once one is first and the other one hears of it. */
@Injectable()
export class DecideRequest {
  constructor(
    private readonly database: Database,
    private readonly saveRequest: SaveRequest,
    private readonly clock: Clock,
  ) {}

  /**
   * @throws {HoldfastError} `APPROVAL_NOT_FOUND`; what {@link decide} throws.
   */
  async run(approvalRequestId: string, verdict: Verdict, context: MessageContext): Promise<ApprovalRequest> {
    if (!isRequestId(approvalRequestId)) throw approvalNotFound(approvalRequestId);
    const { orgId } = context;
    // Run again after a lost connection, it finds its own decision.
    const work = (tx: Tx) => this.decide(tx, approvalRequestId, verdict, context);
    const request = await this.database.transaction([orgId], work, { repeatable: true });
    crashPoint('after-commit', 'approvals');
    return requestView(request);
  }

  private async decide(tx: Tx, approvalRequestId: string, verdict: Verdict, context: MessageContext): Promise<RequestState> {
    const { orgId, actor, traceparent } = context;
    const request = await lockRequest(tx, { orgId, approvalRequestId });
    if (request === null) throw approvalNotFound(approvalRequestId);
    const now = await this.clock.now(tx);
    const decided = decide(request, actor, verdict, now);
    if (decided !== request) await this.saveRequest.close(tx, decided, { now, actor: actor.userId, traceparent });
    return decided;
  }
}
