import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { makeEvent, type Mismatch, ReconciliationCompleted } from '#libs/contracts';
import { HoldfastError, uuidv7 } from '#libs/domain';
import { crashPoint, Outbox } from '#libs/messaging';
import { classifyError, Database } from '#libs/persistence';
import { Clock } from '#libs/service';
import { DueSchedules } from '../schedules/due-schedules.js';
import { noteLastResult } from '../schedules/schedule.sql.js';
import { CheckPages } from './check-pages.js';
import { OpenDiscrepancies } from './open-discrepancies.js';
import { runView } from './run-view.js';
import * as sql from './run.sql.js';
import { type Claim, ClaimLost, type Found, type RunRow } from './run.sql.js';

const EVERY_MS = 1_000;
/** How many runs a process works on at once: each keeps one connection of inventory busy. */
const RUNS_MAX = 2;
/** After a crash another process goes on when so much time has passed; renewed while a page is computed. */
const LEASE_SECONDS = 30;
const RENEW_MS = 10_000;
/** When an order that was changing is compared again. After the last look it stays unsettled. */
const LOOK_AGAIN_SECONDS = [1, 2, 4, 8, 15];
const LOOKED_AT_ONCE_MAX = 200;
/** After a failure; longer the more often. */
const PAUSE_SECONDS = 3;
const PAUSE_SECONDS_MAX = 60;
/** A run that was taken up so often without one page done is given up: about ten minutes of a service that does not answer. */
const ATTEMPTS_MAX = 15;
/** Of what a run finds so many are kept. What is worse than that is not worked off one by one. */
const FINDINGS_MAX = 10_000;
/** Of its findings the event carries so many, to fit a message. */
const TOLD_MAX = 200;

/**
 * Works on runs, in whichever process: they are found as keys across organisations, and claimed for a while. Each page is stored with what
 * it found and where the next one begins, so that after a crash any process goes on from there; what a process says that has lost its claim
 * does not count.
 */
@Injectable()
export class RunWork implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Reconciliation');
  private readonly stopping = new AbortController();
  private readonly working = new Set<Promise<void>>();
  private woken = Promise.withResolvers<void>();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    private readonly pages: CheckPages,
    private readonly openDiscrepancies: OpenDiscrepancies,
    private readonly schedules: DueSchedules,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.runUntilStopped();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.running;
    await Promise.all(this.working);
  }

  /** Looks for work at once. */
  wake(): void {
    this.woken.resolve();
  }

  private async runUntilStopped(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.woken = Promise.withResolvers<void>();
      await this.look().catch((error: unknown) => this.logger.warn(`What is due could not be looked for: ${String(error)}`));
      const pause = new AbortController();
      await Promise.race([this.woken.promise, delay(EVERY_MS, undefined, { signal: pause.signal }).catch(() => {})]);
      pause.abort();
    }
  }

  private async look(): Promise<void> {
    await this.schedules.run();
    const free = RUNS_MAX - this.working.size;
    if (free === 0) return;
    const due = await this.database.transaction([], async (tx) => sql.findDueRuns(tx, await this.clock.now(tx), free));
    for (const { orgId, runId } of due) {
      const work = this.workOn({ orgId, runId, holder: uuidv7() })
        .catch((error: unknown) => this.logger.warn(`Run ${runId} of ${orgId} could not be worked on: ${String(error)}`))
        .finally(() => {
          this.working.delete(work);
          this.wake();
        });
      this.working.add(work);
    }
  }

  /** Works on a run until it has ended, waits for something, or is not ours any more. */
  private async workOn(claim: Claim): Promise<void> {
    const { orgId, runId } = claim;
    const claimed = await this.database.transaction([orgId], async (tx) =>
      sql.claimRun(tx, claim, await this.clock.now(tx), LEASE_SECONDS),
    );
    // Another process was quicker.
    if (claimed === undefined) return;
    const renewing = setInterval(() => void this.renew(claim), RENEW_MS);
    try {
      let run: RunRow | null = claimed;
      while (run !== null) {
        if (this.stopping.signal.aborted) return await this.release(claim, 0, true);
        run = await this.step(claim, run);
      }
    } catch (error) {
      if (error instanceof ClaimLost) return this.logger.debug(`Run ${runId} of ${orgId} is not ours any more`);
      await this.fail(claim, claimed, error);
    } finally {
      clearInterval(renewing);
    }
  }

  /** Does a page; answers the run as it is then, or null when there is nothing more to do now. */
  private async step(claim: Claim, run: RunRow): Promise<RunRow | null> {
    const { orgId } = claim;
    if (run.part === 'again') return await this.lookAgain(claim, run);
    const page = await this.pages.next(orgId, run);
    const found = await this.own(claim, run, page.mismatches);
    crashPoint('before-page-saved', 'reconciliation');
    const saved = await this.database.transaction([orgId], async (tx) => {
      const now = await this.clock.now(tx);
      const after = await sql.saveRun(tx, claim, page.to, page.mismatchesTotal);
      await sql.insertFoundOnes(tx, claim, found);
      await sql.addUnsettledOrders(tx, claim, page.unsettled, new Date(now.getTime() + LOOK_AGAIN_SECONDS[0]! * 1_000));
      return after;
    });
    crashPoint('after-page', 'reconciliation');
    return saved;
  }

  /** Compares orders again that were changing; ends the run when none is left, or they have been looked at often enough. */
  private async lookAgain(claim: Claim, run: RunRow): Promise<RunRow | null> {
    const { orgId } = claim;
    const looksMax = LOOK_AGAIN_SECONDS.length;
    const [orderIds, next] = await this.database.transaction([orgId], async (tx) => [
      await sql.findUnsettledOrders(tx, claim, looksMax, await this.clock.now(tx), LOOKED_AT_ONCE_MAX),
      await sql.nextUnsettledOrder(tx, claim, looksMax),
    ]);
    if (orderIds.length === 0) {
      if (next.lookAt === null) await this.end(claim, 'completed', null, next.count);
      else await this.releaseUntil(claim, next.lookAt);
      return null;
    }
    const { mismatches, unsettled } = await this.pages.again(orgId, orderIds);
    const found = await this.own(claim, run, mismatches);
    return await this.database.transaction([orgId], async (tx) => {
      const after = await sql.saveRun(tx, claim, run, mismatches.length);
      await sql.insertFoundOnes(tx, claim, found);
      await sql.removeUnsettledOrders(
        tx,
        claim,
        orderIds.filter((orderId) => !unsettled.includes(orderId)),
      );
      await sql.postponeOrders(tx, claim, unsettled, await this.clock.now(tx), LOOK_AGAIN_SECONDS);
      return after;
    });
  }

  /** The mismatches that are kept, each with the discrepancy that somebody owns. */
  private async own({ orgId, runId }: Claim, run: RunRow, mismatches: readonly Mismatch[]): Promise<Found[]> {
    return await this.openDiscrepancies.run(orgId, runId, mismatches.slice(0, Math.max(0, FINDINGS_MAX - run.findingsTotal)));
  }

  private async end(claim: Claim, how: 'completed' | 'failed', failure: string | null, unsettled: number): Promise<void> {
    const { orgId, runId } = claim;
    const run = await this.database.transaction([orgId], async (tx) => {
      const now = await this.clock.now(tx);
      const ended = await sql.finishRun(tx, claim, how, now, failure, unsettled);
      await sql.removeUnsettledOrders(tx, claim, null);
      if (how === 'completed') await noteLastResult(tx, orgId, ended.balances, ended.outOfSync);
      const findings = await sql.readFirstFindings(tx, orgId, runId, TOLD_MAX);
      const attributes = { source: '/reconciliation', subject: runId, orgid: orgId, time: now.toISOString() };
      const actor = ended.requestedBy === null ? {} : { actor: ended.requestedBy };
      await this.outbox.append(tx, [makeEvent(ReconciliationCompleted, { ...attributes, ...actor }, runView(ended, findings, null))]);
      return ended;
    });
    const { balances, outOfSync, findingsTotal, done } = run;
    this.logger.log({ msg: `Reconciliation ${how}`, orgId, runId, done, balances, outOfSync, findingsTotal, unsettled, failure });
  }

  private async fail(claim: Claim, run: RunRow, error: unknown): Promise<void> {
    const { orgId, runId } = claim;
    const current = await this.database.transaction([orgId], (tx) => sql.findRun(tx, orgId, runId), { readOnly: true });
    const attempts = current?.attempts ?? run.attempts;
    if (attempts >= ATTEMPTS_MAX) {
      this.logger.error(`Run ${runId} of ${orgId} is given up`, error);
      return await this.end(claim, 'failed', reasonOf(error), 0).catch(ignoreLostClaim);
    }
    if (isAway(error)) this.logger.warn(`Run ${runId} of ${orgId} waits: ${String(error)}`);
    else this.logger.error(`Run ${runId} of ${orgId} failed; attempt ${attempts} of ${ATTEMPTS_MAX}`, error);
    await this.release(claim, Math.min(PAUSE_SECONDS * Math.max(1, attempts), PAUSE_SECONDS_MAX), false);
  }

  private async renew(claim: Claim): Promise<void> {
    await this.database
      .transaction([claim.orgId], async (tx) => sql.renewClaim(tx, claim, await this.clock.now(tx), LEASE_SECONDS))
      // The next page is not stored then.
      .catch((error: unknown) => this.logger.debug(`The claim of run ${claim.runId} was not renewed: ${String(error)}`));
  }

  private async release(claim: Claim, pauseSeconds: number, isWaiting: boolean): Promise<void> {
    await this.database.transaction([claim.orgId], async (tx) => {
      const now = await this.clock.now(tx);
      await sql.releaseClaim(tx, claim, new Date(now.getTime() + pauseSeconds * 1_000), isWaiting);
    });
  }

  private async releaseUntil(claim: Claim, from: Date): Promise<void> {
    await this.database.transaction([claim.orgId], (tx) => sql.releaseClaim(tx, claim, from, true));
  }
}

function isAway(error: unknown): boolean {
  return error instanceof HoldfastError ? error.kind === 'unavailable' : ['retry', 'pause'].includes(classifyError(error));
}

/** For people; what is inside is for the log. */
function reasonOf(error: unknown): string {
  return isAway(error) ? 'A service that was asked did not answer.' : 'Something went wrong on our side, which has been recorded.';
}

function ignoreLostClaim(error: unknown): void {
  if (!(error instanceof ClaimLost)) throw error;
}
