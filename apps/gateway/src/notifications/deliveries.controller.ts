import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { DeliveryList, type NotificationDelivery, type Page } from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { pageOf } from '../http/paging.js';
import { Services } from '../http/services.js';
import { DeliveryQuery } from './notification.dto.js';
import { aSentDelivery, aWaitingDelivery } from './notification.examples.js';

/** What was sent, is waiting, or failed. */
@ApiTags('Notifications')
@Controller('notifications/deliveries')
export class DeliveriesController {
  constructor(private readonly services: Services) {}

  @Get()
  @Calls(DeliveryList, { answers: pageOf(aWaitingDelivery), also: [pageOf(aSentDelivery)] })
  list(@ByCaller() caller: Caller, @Query() query: DeliveryQuery): Promise<Page<NotificationDelivery>> {
    return this.services.call(DeliveryList, caller, query);
  }
}
