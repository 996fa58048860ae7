import { Controller } from '@nestjs/common';
import { ApprovedOrders, OverridesReport, type RequestOf, type ResponseOf } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { ReportQueries } from './report.queries.js';

/** Calls about what was decided in a period. */
@Controller()
export class ReportsConsumer {
  constructor(private readonly queries: ReportQueries) {}

  @OnCall(OverridesReport)
  async overrides(request: RequestOf<typeof OverridesReport>, { actor }: MessageContext): Promise<ResponseOf<typeof OverridesReport>> {
    return await this.queries.overrides(actor, request);
  }

  @OnCall(ApprovedOrders)
  async approvedOrders(request: RequestOf<typeof ApprovedOrders>, { actor }: MessageContext): Promise<ResponseOf<typeof ApprovedOrders>> {
    return await this.queries.approvedOrders(actor, request);
  }
}
