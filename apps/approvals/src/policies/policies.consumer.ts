import { Controller } from '@nestjs/common';
import {
  ApprovalPoliciesGet,
  ApprovalPoliciesHistory,
  ApprovalPoliciesSet,
  type ApprovalPolicy,
  ApprovalPolicyMatch,
  type RequestOf,
  type ResponseOf,
} from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { ChangePolicies } from './change-policies.js';
import { PolicyQueries } from './policy.queries.js';

/** Calls about who may approve what. */
@Controller()
export class PoliciesConsumer {
  constructor(
    private readonly changePolicies: ChangePolicies,
    private readonly queries: PolicyQueries,
  ) {}

  @OnCall(ApprovalPoliciesGet)
  async get(_request: RequestOf<typeof ApprovalPoliciesGet>, { orgId }: MessageContext): Promise<ApprovalPolicy[]> {
    return await this.queries.get(orgId);
  }

  @OnCall(ApprovalPoliciesSet)
  async set({ policies }: RequestOf<typeof ApprovalPoliciesSet>, { orgId, actor }: MessageContext): Promise<ApprovalPolicy[]> {
    return await this.changePolicies.run(orgId, policies, actor.userId);
  }

  @OnCall(ApprovalPoliciesHistory)
  async history(
    request: RequestOf<typeof ApprovalPoliciesHistory>,
    { orgId }: MessageContext,
  ): Promise<ResponseOf<typeof ApprovalPoliciesHistory>> {
    return await this.queries.history(orgId, request);
  }

  @OnCall(ApprovalPolicyMatch)
  async match(request: RequestOf<typeof ApprovalPolicyMatch>, { orgId }: MessageContext): Promise<ApprovalPolicy> {
    return await this.queries.match(orgId, request);
  }
}
