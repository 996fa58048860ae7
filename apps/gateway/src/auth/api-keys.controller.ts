import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ADMINISTRATORS, AUDITORS, type Page } from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Allow } from '../http/endpoint.js';
import { pageOf, PageQuery } from '../http/paging.js';
import { NewApiKey } from './access.dto.js';
import { type ApiKey, ApiKeys } from './api-keys.js';

const anApiKey: ApiKey = {
  apiKeyId: '019cb5b1-0000-7000-8000-000000000004',
  name: 'Web shop',
  roles: ['service'],
  warehouses: null,
  createdAt: '2026-03-01T08:00:00.000Z',
  createdBy: 'ann',
};

@ApiTags('Access')
@Controller('api-keys')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeys) {}

  @Post()
  @Allow(ADMINISTRATORS, {
    effect: 'change',
    status: 201,
    secret: 'key',
    summary: 'Makes a key for `X-Api-Key`. It is shown here and never again, not even to a repeat with the same Idempotency-Key.',
    answers: { ...anApiKey, key: 'hf.demo.019cb5b1-0000-7000-8000-000000000004.kZ3...' },
  })
  create(@ByCaller() { actor, madeId }: Caller, @Body() key: NewApiKey): Promise<ApiKey & { key: string }> {
    return this.keys.create(actor, madeId, key);
  }

  @Get()
  @Allow(AUDITORS, { summary: 'The keys, newest first, without the keys themselves.', answers: pageOf(anApiKey) })
  list(@ByCaller() { actor }: Caller, @Query() page: PageQuery): Promise<Page<ApiKey>> {
    return this.keys.list(actor.orgId, page);
  }

  @Delete(':apiKeyId')
  @Allow(ADMINISTRATORS, { effect: 'change', status: 204, summary: 'Ends a key within a second.', answers: undefined })
  async delete(@ByCaller() { actor }: Caller, @Param('apiKeyId') apiKeyId: string): Promise<undefined> {
    await this.keys.delete(actor, apiKeyId);
  }
}
