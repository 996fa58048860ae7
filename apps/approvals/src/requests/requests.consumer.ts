import { Controller } from '@nestjs/common';
import {
  ApprovalApprove,
  ApprovalAsk,
  ApprovalCancel,
  ApprovalGet,
  ApprovalList,
  ApprovalReject,
  type ApprovalRequest,
  type Page,
  type RequestOf,
  type ResponseOf,
} from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { CancelRequest } from './cancel-request.js';
import { DecideRequest } from './decide-request.js';
import { RequestApproval } from './request-approval.js';
import { RequestQueries } from './request.queries.js';

/** Calls about requests for approval. */
@Controller()
export class RequestsConsumer {
  constructor(
    private readonly requestApproval: RequestApproval,
    private readonly cancelRequest: CancelRequest,
    private readonly decideRequest: DecideRequest,
    private readonly queries: RequestQueries,
  ) {}

  @OnCall(ApprovalAsk)
  async ask(request: RequestOf<typeof ApprovalAsk>, context: MessageContext): Promise<ApprovalRequest> {
    return await this.requestApproval.run(request, context);
  }

  @OnCall(ApprovalCancel)
  async cancel(request: RequestOf<typeof ApprovalCancel>, context: MessageContext): Promise<ResponseOf<typeof ApprovalCancel>> {
    return await this.cancelRequest.run(request, context);
  }

  @OnCall(ApprovalGet)
  async get({ approvalRequestId }: RequestOf<typeof ApprovalGet>, { actor }: MessageContext): Promise<ApprovalRequest> {
    return await this.queries.get(actor, approvalRequestId);
  }

  @OnCall(ApprovalList)
  async list(request: RequestOf<typeof ApprovalList>, { actor }: MessageContext): Promise<Page<ApprovalRequest>> {
    return await this.queries.list(actor, request);
  }

  @OnCall(ApprovalApprove)
  async approve({ approvalRequestId, reason }: RequestOf<typeof ApprovalApprove>, context: MessageContext): Promise<ApprovalRequest> {
    return await this.decideRequest.run(approvalRequestId, { decision: 'approved', reason }, context);
  }

  @OnCall(ApprovalReject)
  async reject({ approvalRequestId, reason }: RequestOf<typeof ApprovalReject>, context: MessageContext): Promise<ApprovalRequest> {
    return await this.decideRequest.run(approvalRequestId, { decision: 'rejected', reason }, context);
  }
}
