import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ApprovalApprove, ApprovalGet, ApprovalList, ApprovalReject } from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { pageOf } from '../http/paging.js';
import { Services } from '../http/services.js';
import { ApprovalsQuery, Decision } from './approval.dto.js';
import { aCancelledApproval, aDecidedApproval, anApproval } from './approval.examples.js';

const answers = { answers: aDecidedApproval, also: [aCancelledApproval, anApproval] };

@ApiTags('Approvals')
@Controller('approvals')
export class ApprovalsController {
  constructor(private readonly services: Services) {}

  @Get()
  @Calls(ApprovalList, { answers: pageOf(aDecidedApproval, aCancelledApproval, anApproval) })
  list(@ByCaller() caller: Caller, @Query() query: ApprovalsQuery) {
    return this.services.call(ApprovalList, caller, query);
  }

  @Get(':approvalRequestId')
  @Calls(ApprovalGet, answers)
  get(@ByCaller() caller: Caller, @Param('approvalRequestId') approvalRequestId: string) {
    return this.services.call(ApprovalGet, caller, { approvalRequestId });
  }

  @Put(':approvalRequestId/approve')
  @Calls(ApprovalApprove, answers)
  approve(@ByCaller() caller: Caller, @Param('approvalRequestId') approvalRequestId: string, @Body() { reason }: Decision) {
    return this.services.call(ApprovalApprove, caller, { approvalRequestId, reason });
  }

  @Put(':approvalRequestId/reject')
  @Calls(ApprovalReject, answers)
  reject(@ByCaller() caller: Caller, @Param('approvalRequestId') approvalRequestId: string, @Body() { reason }: Decision) {
    return this.services.call(ApprovalReject, caller, { approvalRequestId, reason });
  }
}
