import { Body, Controller, Get, Put, Query } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { ApprovalPoliciesGet, ApprovalPoliciesHistory, ApprovalPoliciesSet, type ApprovalPolicy, POLICIES_MAX } from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { pageOf, PageQuery } from '../http/paging.js';
import { Services } from '../http/services.js';
import { shapedList } from '../http/shape.pipe.js';
import { PolicyEntry } from './approval.dto.js';
import { aPolicy } from './approval.examples.js';

const aChange = { from: [aPolicy], to: [aPolicy], actor: 'ann', changedAt: '2026-03-01T08:00:00.000Z' };

@ApiTags('Approvals')
@Controller('approvals/policies')
export class ApprovalPoliciesController {
  constructor(private readonly services: Services) {}

  @Get()
  @Calls(ApprovalPoliciesGet, { answers: [aPolicy] })
  get(@ByCaller() caller: Caller) {
    return this.services.call(ApprovalPoliciesGet, caller, {});
  }

  @Put()
  @ApiBody({ type: PolicyEntry, isArray: true })
  @Calls(ApprovalPoliciesSet, { answers: [aPolicy] })
  set(@ByCaller() caller: Caller, @Body() list: unknown) {
    const policies = shapedList(PolicyEntry, list, POLICIES_MAX).map(toPolicy);
    return this.services.call(ApprovalPoliciesSet, caller, { policies });
  }

  @Get('history')
  @Calls(ApprovalPoliciesHistory, { answers: pageOf(aChange) })
  history(@ByCaller() caller: Caller, @Query() page: PageQuery) {
    return this.services.call(ApprovalPoliciesHistory, caller, page);
  }
}

/** That there is no limit may be said by null as well. */
function toPolicy({ maxQuantity, maxPercent, maxValue, ...policy }: PolicyEntry): ApprovalPolicy {
  return {
    ...policy,
    ...(maxQuantity ? { maxQuantity } : {}),
    ...(maxPercent ? { maxPercent } : {}),
    ...(maxValue ? { maxValue } : {}),
  };
}
