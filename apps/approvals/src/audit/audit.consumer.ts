import { Controller } from '@nestjs/common';
import { type AuditEvent, AuditLists, type Page, type RequestOf } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { AuditQueries } from './audit.queries.js';

/** The call about what was asked and decided. */
@Controller()
export class AuditConsumer {
  constructor(private readonly queries: AuditQueries) {}

  @OnCall(AuditLists.approvals)
  async list(request: RequestOf<typeof AuditLists.approvals>, { actor }: MessageContext): Promise<Page<AuditEvent>> {
    return await this.queries.list(actor, request);
  }
}
