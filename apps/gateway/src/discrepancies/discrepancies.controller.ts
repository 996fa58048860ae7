import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  DiscrepancyDismiss,
  DiscrepancyGet,
  DiscrepancyList,
  DiscrepancyReport,
  DiscrepancyRequestOverride,
  DiscrepancyResolve,
  DiscrepancyReview,
} from '#libs/contracts';
import { aNeededApproval } from '../approvals/approval.examples.js';
import { statusOfApproval } from '../http/awaits-approval.js';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { pageOf } from '../http/paging.js';
import { Services } from '../http/services.js';
import { DiscrepanciesQuery, Dismissal, NewDiscrepancy, OverrideRequest, Resolution, Review } from './discrepancy.dto.js';
import { anOpenDiscrepancy, aResolvedDiscrepancy } from './discrepancy.examples.js';

const answers = { answers: aResolvedDiscrepancy, also: [anOpenDiscrepancy] };

/** Mismatches between what the books say and what was seen. */
@ApiTags('Discrepancies')
@Controller('inventory/discrepancies')
export class DiscrepanciesController {
  constructor(private readonly services: Services) {}

  @Post()
  @Calls(DiscrepancyReport, { status: 201, makes: 'discrepancyId', ...answers })
  report(@ByCaller() caller: Caller, @Body() discrepancy: NewDiscrepancy) {
    return this.services.call(DiscrepancyReport, caller, discrepancy);
  }

  @Get()
  @Calls(DiscrepancyList, { answers: pageOf(aResolvedDiscrepancy, anOpenDiscrepancy) })
  list(@ByCaller() caller: Caller, @Query() query: DiscrepanciesQuery) {
    return this.services.call(DiscrepancyList, caller, query);
  }

  @Get(':discrepancyId')
  @Calls(DiscrepancyGet, answers)
  get(@ByCaller() caller: Caller, @Param('discrepancyId') discrepancyId: string) {
    return this.services.call(DiscrepancyGet, caller, { discrepancyId });
  }

  @Post(':discrepancyId/review')
  @Calls(DiscrepancyReview, answers)
  review(@ByCaller() caller: Caller, @Param('discrepancyId') discrepancyId: string, @Body() review: Review) {
    return this.services.call(DiscrepancyReview, caller, { discrepancyId, ...review });
  }

  @Post(':discrepancyId/resolve')
  @ApiResponse({ status: 202, description: 'Nothing is posted before somebody has approved it.', example: aNeededApproval })
  @Calls(DiscrepancyResolve, answers)
  async resolve(
    @ByCaller() caller: Caller,
    @Param('discrepancyId') discrepancyId: string,
    @Body() resolution: Resolution,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return statusOfApproval(await this.services.call(DiscrepancyResolve, caller, { discrepancyId, ...resolution }), reply);
  }

  @Post(':discrepancyId/request-override')
  @Calls(DiscrepancyRequestOverride, { status: 202, answers: aNeededApproval })
  requestOverride(@ByCaller() caller: Caller, @Param('discrepancyId') discrepancyId: string, @Body() request: OverrideRequest) {
    return this.services.call(DiscrepancyRequestOverride, caller, { discrepancyId, ...request });
  }

  @Post(':discrepancyId/dismiss')
  @Calls(DiscrepancyDismiss, answers)
  dismiss(@ByCaller() caller: Caller, @Param('discrepancyId') discrepancyId: string, @Body() dismissal: Dismissal) {
    return this.services.call(DiscrepancyDismiss, caller, { discrepancyId, ...dismissal });
  }
}
