import { Injectable, Logger } from '@nestjs/common';
import { ApprovalDecided, ApprovalEscalated, ApprovalReminded, ApprovalRequested, makeEvent } from '#libs/contracts';
import { Outbox } from '#libs/messaging';
import type { Tx } from '#libs/persistence';
import { metrics } from '#libs/service';
import type { RequestState, Step } from './request-state.js';
import { OVERRIDES } from './request.rules.js';
import { requestView } from './request-view.js';
import { insertRequest, recordDecision, recordEnd, updateRequest } from './request.sql.js';

/** When a change was made, and on whose behalf; nobody's when time made it. */
export interface MadeBy {
  readonly now: Date;
  readonly actor?: string | undefined;
  readonly traceparent?: string | undefined;
}

const RESULTS: Readonly<Record<string, string>> = {
  [ApprovalRequested.type]: 'requested',
  [ApprovalReminded.type]: 'reminded',
  [ApprovalEscalated.type]: 'escalated',
};

/** Writes what became of a request together with the events that tell it. */
@Injectable()
export class SaveRequest {
  private readonly logger = new Logger('Approvals');

  constructor(private readonly outbox: Outbox) {}

  /** Stores a new request. */
  async create(tx: Tx, request: RequestState, by: MadeBy): Promise<void> {
    await Promise.all([insertRequest(tx, request), this.tell(tx, [{ event: ApprovalRequested, request }], by)]);
  }

  /** Stores the last of these steps of one request, and tells all of them. That it ended without a decision is put on record. */
  async advance(tx: Tx, steps: readonly Step[], by: MadeBy): Promise<void> {
    const request = steps.at(-1)?.request;
    if (request === undefined) return;
    const isUndecided = request.closedAt !== null && request.decision === null;
    await Promise.all([
      updateRequest(tx, request),
      isUndecided ? recordEnd(tx, request, by.actor ?? null) : undefined,
      this.tell(tx, steps, by),
    ]);
  }

  /** Stores the end of a request: a decision, or that it was taken back. */
  async close(tx: Tx, request: RequestState, by: MadeBy): Promise<void> {
    const { decision } = request;
    await Promise.all([
      this.advance(tx, [{ event: ApprovalDecided, request }], by),
      decision === null ? undefined : recordDecision(tx, request, decision),
    ]);
  }

  private tell(tx: Tx, steps: readonly Step[], { now, actor, traceparent }: MadeBy): Promise<unknown> {
    const events = steps.map(({ event, request }) => {
      const { orgId: orgid, approvalRequestId: subject } = request;
      return makeEvent(event, { source: '/approvals', subject, orgid, time: now.toISOString(), actor, traceparent }, requestView(request));
    });
    tx.afterCommit(() => steps.forEach((step) => this.note(step)));
    return this.outbox.append(tx, events);
  }

  private note({ event, request }: Step): void {
    const { kind, orgId, approvalRequestId, subjectType, subjectId, requestedBy, requiredRole, decision } = request;
    const result = RESULTS[event.type] ?? request.status;
    metrics.approvalRequests.inc({ kind, result });
    const decided = decision === null ? {} : { by: decision.by, role: decision.role, reason: decision.reason };
    const fields = { orgId, approvalRequestId, kind, subjectType, subjectId, requestedBy, requiredRole, ...decided };
    const isOverride = event.type === ApprovalDecided.type && OVERRIDES.includes(kind);
    this.logger.log(isOverride ? `Override ${result}` : `A request for approval was ${result}`, fields);
  }
}
