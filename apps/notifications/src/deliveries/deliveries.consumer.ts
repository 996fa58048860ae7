import { Controller } from '@nestjs/common';
import { DeliveryList, type NotificationDelivery, type Page, type RequestOf } from '#libs/contracts';
import { OnCall } from '#libs/messaging';
import { DeliveryQueries } from './delivery.queries.js';

/** The calls about deliveries. */
@Controller()
export class DeliveriesConsumer {
  constructor(private readonly queries: DeliveryQueries) {}

  @OnCall(DeliveryList)
  list({ orgId, ...query }: RequestOf<typeof DeliveryList> & { readonly orgId: string }): Promise<Page<NotificationDelivery>> {
    return this.queries.list(orgId, query);
  }
}
