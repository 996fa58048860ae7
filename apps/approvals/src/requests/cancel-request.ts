import { Injectable } from '@nestjs/common';
import type { ApprovalCancel, RequestOf, ResponseOf } from '#libs/contracts';
import { crashPoint, type MessageContext } from '#libs/messaging';
import { Database, type Tx } from '#libs/persistence';
import { Clock } from '#libs/service';
import { cancelled, isTakenBack } from './request.rules.js';
import { lockRequest, takeSubject, writeSubject } from './request.sql.js';
import type { RequestState } from './request-state.js';
import { requestView } from './request-view.js';
import { SaveRequest } from './save-request.js';

type Cancellation = RequestOf<typeof ApprovalCancel>;

/** Takes back what was asked for a subject, and what will yet come of older versions of it. */
@Injectable()
export class CancelRequest {
  constructor(
    private readonly database: Database,
    private readonly saveRequest: SaveRequest,
    private readonly clock: Clock,
  ) {}

  /** @returns the last request of the subject as it is now: cancelled, or closed before; null when there never was one. */
  async run(cancellation: Cancellation, context: MessageContext): Promise<ResponseOf<typeof ApprovalCancel>> {
    const request = await this.database.transaction([context.orgId], (tx) => this.cancel(tx, cancellation, context), { repeatable: true });
    crashPoint('after-commit', 'approvals');
    return { request: request && requestView(request) };
  }

  private async cancel(tx: Tx, cancellation: Cancellation, { orgId, actor, traceparent }: MessageContext): Promise<RequestState | null> {
    const { subjectVersion = null, reason, subjectType, subjectId } = cancellation;
    const key = { orgId, subjectType, subjectId };
    const subject = await takeSubject(tx, key);
    if (subjectVersion !== null && subjectVersion > (subject.cancelledVersion ?? -1)) {
      await writeSubject(tx, key, { ...subject, cancelledVersion: subjectVersion });
    }
    const last = subject.lastRequestId === null ? null : await lockRequest(tx, { orgId, approvalRequestId: subject.lastRequestId });
    if (last === null || !isTakenBack(last, subjectVersion)) return last;
    const now = await this.clock.now(tx);
    const request = cancelled(last, reason, now);
    await this.saveRequest.close(tx, request, { now, actor: actor.userId, traceparent });
    return request;
  }
}
