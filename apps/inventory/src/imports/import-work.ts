import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { HoldfastError, uuidv7 } from '#libs/domain';
import { classifyError, Database } from '#libs/persistence';
import { Batcher } from '../stock-machine/batcher.js';
import { applyImport } from './apply-import.js';
import { clearImport } from './clear-import.js';
import { ClaimLost, type Claim, type ImportRow } from './import.sql.js';
import * as sql from './import.sql.js';
import { validateImport } from './validate-import.js';

const LOOK_MS = 500;
/** After a crash another process goes on when so much time has passed without a step. */
const LEASE_SECONDS = 15;
/** How long one import is worked on before another has its turn. */
const TURN_MS = 1_000;
const PAUSE_SECONDS = 5;
/** An import that was taken up so often without one step done is given up: it may be what ends the processes. */
const ATTEMPTS_MAX = 10;

/**
 * Works on imports, in whichever process: they are found as keys across organisations, claimed for a while, and worked on step by step. Each
 * step is stored with how far it got, so that after a crash, or when its turn is over, any process goes on from there.
 */
@Injectable()
export class ImportWork implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Imports');
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | null = null;
  private ended = false;

  constructor(
    private readonly database: Database,
    private readonly batcher: Batcher,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.lookAtOnce(), LOOK_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    this.ended = true;
    clearInterval(this.timer);
    await this.working;
  }

  /** There is something to do, as a rule. */
  lookAtOnce(): void {
    this.working ??= this.work().finally(() => (this.working = null));
  }

  /** Works until nothing is due; imports take turns. */
  async work(): Promise<void> {
    try {
      while (!this.ended) {
        const [due] = await this.database.transaction([], (tx) => tx.run(sql.findDue, [1]));
        if (due === undefined) return;
        await this.takeTurn(due.org_id, due.import_id);
      }
    } catch (error) {
      // The next look finds the same again.
      this.logger.warn(`Imports could not be worked on: ${String(error)}`);
    }
  }

  private async takeTurn(orgId: string, importId: string): Promise<void> {
    const claim: Claim = { orgId, importId, holder: uuidv7(), leaseSeconds: LEASE_SECONDS };
    const [job] = await this.database.transaction([orgId], (tx) => tx.run(sql.claimImport, [orgId, importId, claim.holder, LEASE_SECONDS]));
    // Another process was quicker.
    if (job === undefined) return;
    let pauseSeconds = 0;
    try {
      await this.step(claim, job);
    } catch (error) {
      if (!(error instanceof ClaimLost)) pauseSeconds = PAUSE_SECONDS;
      if (error instanceof ClaimLost) this.logger.debug(`Import ${importId} of ${orgId} is not ours any more`);
      else if (isAway(error)) this.logger.warn(`Import ${importId} of ${orgId} waits: ${String(error)}`);
      else this.logger.error(`Import ${importId} of ${orgId} failed; attempt ${job.attempts} of ${ATTEMPTS_MAX}`, error);
    }
    await this.database.transaction([orgId], (tx) => tx.run(sql.releaseImport, [orgId, importId, claim.holder, pauseSeconds]));
  }

  private async step(claim: Claim, job: ImportRow): Promise<void> {
    const untilMs = performance.now() + TURN_MS;
    const isOver = () => this.ended || performance.now() >= untilMs;
    if (job.status === 'receiving') return await this.giveUp(claim, 'cancelled', 'Its sender has not sent the rest of the file.');
    if (job.status === 'validating' || job.status === 'applying') {
      if (job.attempts > ATTEMPTS_MAX)
        return await this.giveUp(claim, 'failed', 'Something went wrong on our side, which has been recorded.');
      if (job.status === 'validating') await validateImport(this.database, claim, job, isOver);
      else await applyImport(this.database, this.batcher, claim, job, isOver);
      return;
    }
    await clearImport(this.database, claim, isOver);
    this.logger.log(`Import ${job.import_id} of ${job.org_id}: ${job.kind} ${job.status}, ${job.done} of ${job.total} lines`);
  }

  private async giveUp(claim: Claim, status: 'cancelled' | 'failed', message: string): Promise<void> {
    await this.database.transaction([claim.orgId], async (tx) => {
      const job = await sql.hold(tx, claim);
      sql.keepErrors(tx, claim, job.error_count, [{ line: job.next_line, column: null, message }]);
      void tx.run(sql.endWithError, [claim.orgId, claim.importId, status]);
    });
  }
}

function isAway(error: unknown): boolean {
  return error instanceof HoldfastError ? error.kind === 'unavailable' : ['retry', 'pause'].includes(classifyError(error));
}
