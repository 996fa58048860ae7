import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Page, type ReconciliationRun, RunGet, RunList, RunStart, type RunSummary } from '#libs/contracts';
import { notFound } from '#libs/domain';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { PageQuery, pageOf } from '../http/paging.js';
import { Services } from '../http/services.js';
import { isUuid } from '../http/values.js';
import { RunsQuery } from './run.dto.js';
import { aFinishedRun, aRunWithFindings, aStartedRun } from './run.examples.js';

@ApiTags('Reconciliation')
@Controller('reconciliation/runs')
export class RunsController {
  constructor(private readonly services: Services) {}

  @Post()
  @Calls(RunStart, { status: 202, makes: 'runId', answers: aStartedRun })
  start(@ByCaller() caller: Caller): Promise<ReconciliationRun> {
    return this.services.call(RunStart, caller, { runId: caller.madeId });
  }

  @Get()
  @Calls(RunList, { answers: pageOf(aFinishedRun) })
  list(@ByCaller() caller: Caller, @Query() query: RunsQuery): Promise<Page<RunSummary>> {
    return this.services.call(RunList, caller, query);
  }

  @Get(':runId')
  @Calls(RunGet, { answers: aRunWithFindings, also: [aStartedRun] })
  get(@ByCaller() caller: Caller, @Param('runId') runId: string, @Query() query: PageQuery): Promise<ReconciliationRun> {
    if (!isUuid(runId)) throw notFound('RUN_NOT_FOUND', `There is no reconciliation run ${runId}.`);
    return this.services.call(RunGet, caller, { runId, ...query });
  }
}
