import { Controller } from '@nestjs/common';
import { type AuditEvent, AuditLists, OrderEventList, type Page, type RequestOf } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { AuditQueries } from './audit.queries.js';

/** Calls about the record. */
@Controller()
export class AuditConsumer {
  constructor(private readonly queries: AuditQueries) {}

  @OnCall(AuditLists.orders)
  async list(request: RequestOf<typeof AuditLists.orders>, { orgId, actor }: MessageContext): Promise<Page<AuditEvent>> {
    return await this.queries.list(orgId, actor.warehouses, request);
  }

  @OnCall(OrderEventList)
  async listOfOrder({ orderId, ...page }: RequestOf<typeof OrderEventList>, { orgId, actor }: MessageContext): Promise<Page<AuditEvent>> {
    return await this.queries.listOfOrder(orgId, actor.warehouses, orderId, page);
  }
}
