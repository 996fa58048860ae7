import { Controller } from '@nestjs/common';
import { type AuditEvent, AuditLists, type Page } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { Database } from '#libs/persistence';
import type { Asked } from '../asked.js';
import { listAudit } from './audit.queries.js';

/** The call about what was done, and by whom. */
@Controller()
export class AuditController {
  constructor(private readonly database: Database) {}

  @OnCall(AuditLists.inventory)
  list({ orgId, ...request }: Asked<typeof AuditLists.inventory>, { actor }: MessageContext): Promise<Page<AuditEvent>> {
    return this.database.transaction([orgId], (tx) => listAudit(tx, orgId, actor.warehouses, request), { readOnly: true });
  }
}
