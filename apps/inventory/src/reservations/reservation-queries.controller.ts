import { Controller } from '@nestjs/common';
import { type Page, PickingSuggest, type Reservation, ReservationList, type ResponseOf } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { Database } from '#libs/persistence';
import type { Asked } from '../asked.js';
import { suggestPicks } from './picking.queries.js';
import { listReservations } from './reservation.queries.js';

/** The calls that show what is held. What changes it comes in through the consumer beside this file. */
@Controller()
export class ReservationQueriesController {
  constructor(private readonly database: Database) {}

  @OnCall(ReservationList)
  list({ orgId, ...request }: Asked<typeof ReservationList>, { actor }: MessageContext): Promise<Page<Reservation>> {
    return this.database.transaction([orgId], (tx) => listReservations(tx, orgId, actor.warehouses, request), { readOnly: true });
  }

  @OnCall(PickingSuggest)
  async suggestPicks(
    { orgId, orderId }: Asked<typeof PickingSuggest>,
    { actor }: MessageContext,
  ): Promise<ResponseOf<typeof PickingSuggest>> {
    return {
      lines: await this.database.transaction([orgId], (tx) => suggestPicks(tx, orgId, actor.warehouses, orderId), { readOnly: true }),
    };
  }
}
