import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type AuditedService, type AuditEvent, AuditLists, Cursor, PAGE_LIMIT_DEFAULT, type Page } from '#libs/contracts';
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

/** An event, and which service recorded it. */
type MergedEvent = AuditEvent & { readonly service: AuditedService };

const cursor = new Cursor('time', 'uuid');
const keyOf = ({ occurredAt, auditEventId }: AuditEvent) => [occurredAt, auditEventId] as const;

@ApiTags('Audit')
@Controller('audit')
export class AuditController {
  constructor(private readonly services: Services) {}

  /** The trails of all services as one: a service that does not answer fails the request, because what it recorded would be missing. */
  @Get('events')
  @Calls(AuditLists.orders, { answers: pageOf<MergedEvent>({ ...anAuditEvent, service: 'orders' }) })
  async events(@ByCaller() caller: Caller, @Query() { actor, ...query }: AuditQuery): Promise<Page<MergedEvent>> {
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
    const asked = { ...query, ...(actor === undefined ? {} : { by: actor }) };
    const pages = await Promise.all(
      Object.entries(AuditLists).map(async ([service, list]) => {
        const { items, nextCursor } = await this.services.call(list, caller, asked);
        return { items: items.map((event) => ({ ...event, service: service as AuditedService })), nextCursor };
      }),
    );
    const newestFirst = pages.flatMap(({ items }) => items).sort((a, b) => (isLater(keyOf(a), keyOf(b)) ? -1 : 1));
    const { items, nextCursor } = cursor.page(newestFirst, limit, keyOf, (event) => event);
    // All came from one service that has more: where its page ends, ours does.
    return { items, nextCursor: nextCursor ?? pages.find((page) => page.nextCursor !== null)?.nextCursor ?? null };
  }
}

function isLater([time, id]: readonly [string, string], [otherTime, otherId]: readonly [string, string]): boolean {
  return time === otherTime ? id > otherId : time > otherTime;
}
