import { Injectable } from '@nestjs/common';
import type { ApprovalAsk, ApprovalRequest, RequestOf } from '#libs/contracts';
import { conflict, invalid, uuidv7 } from '#libs/domain';
import { crashPoint, type MessageContext } from '#libs/messaging';
import { Database, type Tx } from '#libs/persistence';
import { Clock } from '#libs/service';
import { matchPolicy } from '../policies/policy.rules.js';
import { readPolicies } from '../policies/policy.sql.js';
import { fingerprintOf } from './fingerprint.js';
import { cancelled, decideAnswer, termsOf } from './request.rules.js';
import { contentBytes, lockRequest, takeSubject, updateRequest, writeSubject } from './request.sql.js';
import { type Asked, isOpen, type RequestState } from './request-state.js';
import { requestView } from './request-view.js';
import { SaveRequest } from './save-request.js';

/** An event that carries the request is still well below the largest message of 1 MiB. */
const CONTENT_BYTES_MAX = 512 * 1024;
const CHANGED = 'What is to be approved has changed.';

/** Makes a request for approval, once for what is asked, however often it is asked. */
@Injectable()
export class RequestApproval {
  constructor(
    private readonly database: Database,
    private readonly saveRequest: SaveRequest,
    private readonly clock: Clock,
  ) {}

  /**
   * @returns the request that stands for what is asked, as it is now: it may have been decided.
   * @throws {HoldfastError} kind `invalid` when it is too large to be told; `INVALID_STATE` when a newer version of the subject was taken
   * back before anything was asked for it.
   */
  async run(request: RequestOf<typeof ApprovalAsk>, { orgId, traceparent }: MessageContext): Promise<ApprovalRequest> {
    const asked = toAsked(orgId, request);
    const bytes = contentBytes(asked);
    if (bytes > CONTENT_BYTES_MAX) {
      const message = `have ${bytes} bytes together, more than ${CONTENT_BYTES_MAX}`;
      throw invalid('The request is too large.', [{ path: 'lines, availabilitySnapshot, command', message }]);
    }
    const subjectVersion = request.subjectVersion ?? null;
    const made = await this.database.transaction([orgId], (tx) => this.make(tx, asked, subjectVersion, traceparent), { repeatable: true });
    crashPoint('after-commit', 'approvals');
    return requestView(made);
  }

  private async make(tx: Tx, asked: Asked, subjectVersion: number | null, traceparent: string | undefined): Promise<RequestState> {
    const { orgId, requestedBy: actor } = asked;
    const subject = await takeSubject(tx, asked);
    const last = subject.lastRequestId === null ? null : await lockRequest(tx, { orgId, approvalRequestId: subject.lastRequestId });
    const fingerprint = fingerprintOf(asked);
    const answer = decideAnswer({ fingerprint, subjectVersion }, last, subject.cancelledVersion);
    if (answer !== 'new') {
      if (last === null) throw takenBack(asked, subject.cancelledVersion);
      if (answer !== 'goes-on') return last;
      const goesOn = { ...last, subjectVersion };
      await updateRequest(tx, goesOn);
      return goesOn;
    }
    const [policies, now] = await Promise.all([readPolicies(tx, orgId), this.clock.now(tx)]);
    const by = { now, actor, traceparent };
    if (last !== null && isOpen(last)) await this.saveRequest.close(tx, cancelled(last, CHANGED, now), by);
    const made = newRequest(asked, fingerprint, subjectVersion, termsOf(matchPolicy(policies, asked.kind, asked.magnitudes), now));
    await Promise.all([
      this.saveRequest.create(tx, made, by),
      writeSubject(tx, asked, { ...subject, lastRequestId: made.approvalRequestId }),
    ]);
    return made;
  }
}

function newRequest(asked: Asked, fingerprint: string, subjectVersion: number | null, terms: ReturnType<typeof termsOf>): RequestState {
  return {
    ...asked,
    ...terms,
    approvalRequestId: uuidv7(),
    subjectVersion,
    fingerprint,
    status: 'pending',
    remindedAt: null,
    escalatedAt: null,
    closedAt: null,
    closeReason: null,
    decision: null,
  };
}

/** Without fields of the message that nobody knows. */
function toAsked(orgId: string, request: RequestOf<typeof ApprovalAsk>): Asked {
  const {
    kind,
    subjectType,
    subjectId,
    requestedBy,
    reason,
    lines,
    magnitudes,
    availabilitySnapshot,
    warehouses,
    command = null,
  } = request;
  const { quantity, percent, value } = magnitudes;
  return {
    ...{ orgId, kind, subjectType, subjectId, requestedBy, reason, lines, availabilitySnapshot, warehouses, command },
    magnitudes: { quantity, percent, value },
  };
}

function takenBack({ subjectType, subjectId }: Asked, version: number | null) {
  const message = `Nothing is asked for ${subjectType} ${subjectId} any more: it was taken back up to version ${version}.`;
  return conflict('INVALID_STATE', message, { subjectType, subjectId, cancelledVersion: version });
}
