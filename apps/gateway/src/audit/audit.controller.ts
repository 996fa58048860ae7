import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AuditList } from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { IdField, TextField, TimestampField } from '../http/fields.js';
import { pageOf, PageQuery } from '../http/paging.js';
import { Services } from '../http/services.js';
import { anAuditEvent } from '../orders/order.examples.js';

class AuditQuery extends PageQuery {
  @IdField({ optional: true })
  orderId?: string;

  @TextField(60, { optional: true, example: 'order_created' })
  type?: string;

  @TextField(200, { optional: true, example: 'ann' })
  actor?: string;

  @TimestampField({ optional: true })
  from?: string;

  @TimestampField({ optional: true })
  to?: string;
}

@ApiTags('Audit')
@Controller('audit')
export class AuditController {
  constructor(private readonly services: Services) {}

  @Get('events')
  @Calls(AuditList, { answers: pageOf(anAuditEvent) })
  events(@ByCaller() caller: Caller, @Query() query: AuditQuery) {
    return this.services.call(AuditList, caller, query);
  }
}
