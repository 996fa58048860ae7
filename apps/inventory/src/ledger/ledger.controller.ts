import { Controller } from '@nestjs/common';
import { type LedgerEntry, LedgerList, type Page } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { Database } from '#libs/persistence';
import type { Asked } from '../asked.js';
import { listLedger } from './ledger.queries.js';

/** The calls about what moved. */
@Controller()
export class LedgerController {
  constructor(private readonly database: Database) {}

  @OnCall(LedgerList)
  list({ orgId, ...request }: Asked<typeof LedgerList>, { actor }: MessageContext): Promise<Page<LedgerEntry>> {
    return this.database.transaction([orgId], (tx) => listLedger(tx, orgId, actor.warehouses, request), { readOnly: true });
  }
}
