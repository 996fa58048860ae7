import { Controller } from '@nestjs/common';
import { AvailabilityProject, BackorderDates, type ResponseOf, type StockProjection } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { Database } from '#libs/persistence';
import type { Asked } from '../asked.js';
import { readBackorderDates } from './backorder-dates.queries.js';
import { readProjection } from './projection.queries.js';

/** The calls about stock on the days to come. */
@Controller()
export class ProjectionController {
  constructor(private readonly database: Database) {}

  @OnCall(AvailabilityProject)
  project({ orgId, ...request }: Asked<typeof AvailabilityProject>, { actor }: MessageContext): Promise<StockProjection> {
    return this.database.transaction([orgId], (tx) => readProjection(tx, orgId, actor.warehouses, request), { inOneGo: true });
  }

  @OnCall(BackorderDates)
  backorderDates({ orgId, orderIds }: Asked<typeof BackorderDates>): Promise<ResponseOf<typeof BackorderDates>> {
    return this.database.transaction([orgId], (tx) => readBackorderDates(tx, orgId, [...new Set(orderIds)]), { readOnly: true });
  }
}
