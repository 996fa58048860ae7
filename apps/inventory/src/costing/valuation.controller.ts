import { Controller } from '@nestjs/common';
import { type ItemValuation, type Page, ValuationList } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { Database } from '#libs/persistence';
import type { Asked } from '../asked.js';
import { listValuation } from './valuation.queries.js';

/** The calls about what the stock is worth. */
@Controller()
export class ValuationController {
  constructor(private readonly database: Database) {}

  @OnCall(ValuationList)
  list({ orgId, ...request }: Asked<typeof ValuationList>, { actor }: MessageContext): Promise<Page<ItemValuation>> {
    return this.database.transaction([orgId], (tx) => listValuation(tx, orgId, actor.warehouses, request), { readOnly: true });
  }
}
