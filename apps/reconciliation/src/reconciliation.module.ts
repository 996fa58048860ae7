import { Module } from '@nestjs/common';
import { Clock, CONFIG, type Config } from '#libs/service';
import { CheckPages } from './runs/check-pages.js';
import { ForgetRuns } from './runs/forget-runs.js';
import { MeasureAccuracy } from './runs/measure-accuracy.js';
import { OpenDiscrepancies } from './runs/open-discrepancies.js';
import { RunQueries } from './runs/run.queries.js';
import { RunWork } from './runs/run-work.js';
import { RunsConsumer } from './runs/runs.consumer.js';
import { StartRun } from './runs/start-run.js';
import { DueSchedules } from './schedules/due-schedules.js';
import { KeepSchedule } from './schedules/keep-schedule.js';
import { SchedulesConsumer } from './schedules/schedules.consumer.js';

/** Reconciliation: schedules, runs, and what they found. */
@Module({
  controllers: [RunsConsumer, SchedulesConsumer],
  providers: [
    { provide: Clock, inject: [CONFIG], useFactory: ({ clockOffsetSeconds }: Config) => new Clock(clockOffsetSeconds) },
    KeepSchedule,
    DueSchedules,
    StartRun,
    CheckPages,
    OpenDiscrepancies,
    RunWork,
    RunQueries,
    MeasureAccuracy,
    ForgetRuns,
  ],
})
export class ReconciliationModule {}
