import { Controller } from '@nestjs/common';
import { type Page, type ReconciliationRun, type RequestOf, RunGet, RunList, RunStart, type RunSummary } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { RunQueries } from './run.queries.js';
import { StartRun } from './start-run.js';

/** The calls about runs. */
@Controller()
export class RunsConsumer {
  constructor(
    private readonly startRun: StartRun,
    private readonly queries: RunQueries,
  ) {}

  @OnCall(RunStart)
  start({ runId }: RequestOf<typeof RunStart>, { actor }: MessageContext): Promise<ReconciliationRun> {
    return this.startRun.run(actor, runId);
  }

  @OnCall(RunList)
  list(request: RequestOf<typeof RunList>, { orgId }: MessageContext): Promise<Page<RunSummary>> {
    return this.queries.list(orgId, request);
  }

  @OnCall(RunGet)
  get(request: RequestOf<typeof RunGet>, { actor }: MessageContext): Promise<ReconciliationRun> {
    return this.queries.get(actor, request);
  }
}
