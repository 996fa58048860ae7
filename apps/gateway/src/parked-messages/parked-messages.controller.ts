import { Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Page, ParkedCalls, type ParkedMessage } from '#libs/contracts';
import { HoldfastError, invalid, notFound } from '#libs/domain';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { PageQuery, PAGE_LIMIT_DEFAULT, pageOf } from '../http/paging.js';
import { Services } from '../http/services.js';
import { isUuid } from '../http/values.js';

type ParkingService = keyof typeof ParkedCalls;

/** Lists are of one service after the other, in this order. */
const SERVICES = Object.keys(ParkedCalls) as ParkingService[];
const FIRST = SERVICES[0]!;

const aParkedMessage: ParkedMessage = {
  messageId: '019cb5b1-0000-7000-8000-000000000005',
  service: 'inventory',
  routingKey: 'OrderConfirmed.demo',
  type: 'OrderConfirmed',
  reason: 'INVALID_DATA',
  detail: 'lines.0.quantity must match the pattern of a decimal',
  attempts: 1,
  parkedAt: '2026-03-01T10:00:00.000Z',
  body: '{"specversion":"1.0"}',
  bodyEncoding: 'utf8',
  bodyTruncated: false,
};

@ApiTags('Operations')
@Controller('parked-messages')
export class ParkedMessagesController {
  constructor(private readonly services: Services) {}

  @Get()
  @Calls(ParkedCalls.inventory.list, { answers: pageOf(aParkedMessage) })
  async list(@ByCaller() caller: Caller, @Query() query: PageQuery): Promise<Page<ParkedMessage>> {
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
    const items: ParkedMessage[] = [];
    let { service, cursor } = readCursor(query.cursor);
    for (;;) {
      const page = await this.services.call(ParkedCalls[service].list, caller, {
        limit: limit - items.length,
        ...(cursor ? { cursor } : {}),
      });
      items.push(...page.items);
      const next = SERVICES[SERVICES.indexOf(service) + 1];
      if (page.nextCursor !== null) return { items, nextCursor: `${service}.${page.nextCursor}` };
      if (next === undefined) return { items, nextCursor: null };
      if (items.length === limit) return { items, nextCursor: `${next}.` };
      service = next;
      cursor = '';
    }
  }

  @Post(':messageId/replay')
  @Calls(ParkedCalls.inventory.replay, { answers: { messageId: aParkedMessage.messageId, outcome: 'handled' as const, reason: null } })
  replay(@ByCaller() caller: Caller, @Param('messageId') messageId: string) {
    return this.#whoever(messageId, (service) => this.services.call(ParkedCalls[service].replay, caller, { messageId }));
  }

  @Delete(':messageId')
  @Calls(ParkedCalls.inventory.discard, { status: 204, answers: undefined })
  async discard(@ByCaller() caller: Caller, @Param('messageId') messageId: string): Promise<undefined> {
    await this.#whoever(messageId, (service) => this.services.call(ParkedCalls[service].discard, caller, { messageId }));
  }

  /** The answer of the one service that has the message. */
  async #whoever<T>(messageId: string, ask: (service: ParkingService) => Promise<T>): Promise<T> {
    if (!isUuid(messageId)) throw unknown(messageId);
    const answers = await Promise.allSettled(SERVICES.map(ask));
    const failures: Error[] = [];
    for (const answer of answers) {
      if (answer.status === 'fulfilled') return answer.value;
      if (!(answer.reason instanceof HoldfastError && answer.reason.kind === 'not_found')) failures.push(answer.reason as Error);
    }
    // One that did not answer may be the one that has it.
    throw failures[0] ?? unknown(messageId);
  }
}

const unknown = (messageId: string) => notFound('MESSAGE_NOT_FOUND', `There is no parked message ${messageId}.`);

/** `<service>.<cursor of that service>` */
function readCursor(text = `${FIRST}.`): { service: ParkingService; cursor: string } {
  const dot = text.indexOf('.');
  const service = SERVICES.find((name) => name === text.slice(0, dot));
  if (service === undefined)
    throw invalid('The cursor is not one of this list.', [{ path: 'cursor', message: 'is not a cursor of this list' }]);
  return { service, cursor: text.slice(dot + 1) };
}
