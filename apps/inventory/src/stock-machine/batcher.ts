import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { HoldfastError, unavailable } from '#libs/domain';
import { Inbox, Outbox } from '#libs/messaging';
import { classifyError, Database } from '#libs/persistence';
import { metrics } from '#libs/service';
import { answerCall } from './command-meta.js';
import type { Outcome, StockCommand } from './commands.js';
import { countBatch } from './count-batch.js';
import { logHeldInDoubt, logOpened } from '../discrepancies/log-discrepancies.js';
import { KnownBalances } from './load-stock.js';
import { type Machine, type Pending, runBatch, tryOut, withMore } from './run-batch.js';
import { NeedsMore } from './needs-more.js';

/** In which order commands are taken: somebody waits for the answer of a call; background work takes one place in a batch. */
export type Lane = 'calls' | 'events' | 'background';

const COMMANDS_PER_BATCH_MAX = 250;
/** Bounds how many balances a batch locks: a command has up to 1,000 lines. */
const LINES_PER_BATCH_MAX = 3_000;
/**
 * A second batch is begun beside one that is under way only when it is full. Every batch costs the same 13 statements and one flush to disk
 * whatever is in it: at 2,500 orders a second, two small ones side by side took 108 ms for half of the orders, one at a time 23.
 */
const BATCHES_IN_FLIGHT_MAX = 2;
/** How often a command may ask for more before it is given up for now. */
const ROUNDS_MAX = 8;
const PAUSE_MS = 500;

interface Waiting extends Pending {
  readonly lane: Lane;
  readonly rounds: number;
  readonly submittedAtMs: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Takes commands one by one and runs them in batches: each batch is what arrived while the one before was being committed. No artificial
 * delay, so that a single command is not slowed down, and a flood is committed by the hundreds.
 */
@Injectable()
export class Batcher implements OnApplicationShutdown {
  private readonly machine: Machine;
  private readonly lanes: Record<Lane, FairQueue> = { calls: new FairQueue(), events: new FairQueue(), background: new FairQueue() };
  private readonly fillsUnderWay = new Set<string>();
  private inFlight = 0;
  private scheduled = false;
  private readonly whenIdle: (() => void)[] = [];

  constructor(database: Database, inbox: Inbox, outbox: Outbox) {
    this.machine = { database, inbox, outbox, known: new KnownBalances() };
  }

  /**
   * Runs a command through the machine; resolves with its outcome when it is committed.
   *
   * @throws {HoldfastError} kind `unavailable` when nobody waits for it any more, or the database does not let it through.
   */
  submit(command: StockCommand, lane: Lane): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.lanes[lane].push({ command, lane, rounds: 0, submittedAtMs: performance.now(), resolve, reject });
      this.schedule();
    });
  }

  /**
   * Answers a call: runs its command, or with `dryRun` says what it would do without doing it.
   *
   * @throws {HoldfastError} when the request makes no sense as it is.
   */
  async answer<A extends object>(command: StockCommand, dryRun = false): Promise<A> {
    if (!dryRun) return answerCall<A>(await this.submit(command, 'calls'));
    return { ...answerCall<A>(await tryOut(this.machine, command)), dryRun };
  }

  /** Finishes what was submitted. */
  async onApplicationShutdown(): Promise<void> {
    while (this.inFlight > 0 || this.waiting > 0) await new Promise<void>((resolve) => this.whenIdle.push(resolve));
  }

  private get waiting(): number {
    return this.lanes.calls.size + this.lanes.events.size + this.lanes.background.size;
  }

  private get mayBegin(): boolean {
    if (this.inFlight === 0) return this.waiting > 0;
    return this.inFlight < BATCHES_IN_FLIGHT_MAX && this.waiting >= COMMANDS_PER_BATCH_MAX;
  }

  /** At the end of this turn of the event loop, so that what arrives in one read of the socket goes together. */
  private schedule(): void {
    if (this.scheduled || !this.mayBegin) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      while (this.mayBegin) {
        const batch = this.take();
        if (batch.length === 0) continue;
        this.inFlight++;
        void this.run(batch).finally(() => {
          this.inFlight--;
          this.schedule();
          if (this.inFlight === 0 && this.waiting === 0) for (const wake of this.whenIdle.splice(0)) wake();
        });
      }
    });
  }

  /** Calls before events; of the background work one command a batch, so that it goes on however busy the others are. */
  private take(): Waiting[] {
    const batch: Waiting[] = [];
    let lines = 0;
    const takeFrom = (lane: FairQueue, most: number) => {
      for (let taken = 0; taken < most && batch.length < COMMANDS_PER_BATCH_MAX && lines < LINES_PER_BATCH_MAX;) {
        const next = lane.shift();
        if (next === undefined) return;
        if (isLate(next)) continue;
        batch.push(next);
        taken++;
        lines += 'lines' in next.command ? next.command.lines.length : 1;
      }
    };
    takeFrom(this.lanes.background, 1);
    takeFrom(this.lanes.calls, COMMANDS_PER_BATCH_MAX);
    takeFrom(this.lanes.events, COMMANDS_PER_BATCH_MAX);
    return batch;
  }

  private async run(batch: readonly Waiting[]): Promise<void> {
    for (let pauses = 0; ; pauses++) {
      try {
        const { outcomes, unserved, counts, opened, heldInDoubt } = await runBatch(this.machine, batch);
        logOpened(opened);
        logHeldInDoubt(heldInDoubt);
        countBatch(
          batch.map(({ command }) => command),
          outcomes,
          counts,
        );
        outcomes.forEach((outcome, index) => this.settle(batch[index]!, outcome));
        for (const { orgId, warehouseId, itemId } of unserved) this.goOnFilling(orgId, warehouseId, itemId);
        return;
      } catch (error) {
        const kind = classifyError(error);
        if (kind === 'split' || kind === 'bug') return this.split(batch, error, pauses);
        // The database cannot work now: what is under way waits for it, and with it, by the bounded prefetch, whoever sends.
        new Logger(Batcher.name).warn(`The database does not take a batch of ${batch.length}; trying again: ${String(error)}`);
        await delay(PAUSE_MS * Math.min(1 + pauses, 10));
        batch = batch.filter((waiting) => !isLate(waiting));
        if (batch.length === 0) return;
      }
    }
  }

  /** One command is to blame: halves the batch until it stands alone, and fails only that one. */
  private async split(batch: readonly Waiting[], error: unknown, pauses: number): Promise<void> {
    if (batch.length > 1) {
      const half = Math.ceil(batch.length / 2);
      await this.run(batch.slice(0, half));
      await this.run(batch.slice(half));
      return;
    }
    const [alone] = batch as [Waiting];
    // A key that another batch took meanwhile is found on the second try.
    if (alone.rounds === 0 && pauses === 0) return this.run([{ ...alone, rounds: 1 }]);
    alone.reject(error);
  }

  private settle(waiting: Waiting, outcome: Outcome | NeedsMore): void {
    if (!(outcome instanceof NeedsMore)) {
      metrics.reservationSeconds.observe((performance.now() - waiting.submittedAtMs) / 1000);
      waiting.resolve(outcome);
      return;
    }
    if (waiting.rounds >= ROUNDS_MAX) {
      waiting.reject(unavailable('The stock that this is about changes too fast; try again.'));
      return;
    }
    this.lanes[waiting.lane].push({ ...withMore(waiting, outcome), rounds: waiting.rounds + 1 });
    this.schedule();
  }

  /** Serves the rest of a long queue in the background, one chunk a batch. If this process ends, a sweep finds the balance again. */
  private goOnFilling(orgId: string, warehouseId: string, itemId: string): void {
    const key = `${orgId}/${warehouseId}/${itemId}`;
    if (this.fillsUnderWay.has(key)) return;
    this.fillsUnderWay.add(key);
    const command = { kind: 'fill-backorders', orgId, warehouseId, itemId, meta: { messageId: 'fill', mayWait: false } } as const;
    const done = () => this.fillsUnderWay.delete(key);
    // Taken off the list before the batch's other results are looked at, because that very batch may ask to go on.
    this.lanes.background.push({ command, lane: 'background', rounds: 0, submittedAtMs: performance.now(), resolve: done, reject: done });
    this.schedule();
  }
}

/** Whether nobody waits for the answer any more; such a command is not begun. */
function isLate(waiting: Waiting): boolean {
  const { deadlineMs } = waiting.command.meta;
  if (deadlineMs === undefined || Date.now() < deadlineMs) return false;
  waiting.reject(new HoldfastError('unavailable', 'UNAVAILABLE', 'The call was not begun in time; repeat it.'));
  return true;
}

/** First in, first out within an organisation; round robin over the organisations, so that a busy one does not hold up the others. */
class FairQueue {
  private readonly byOrg = new Map<string, Waiting[]>();
  size = 0;

  push(waiting: Waiting): void {
    const { orgId } = waiting.command;
    const queue = this.byOrg.get(orgId);
    if (queue === undefined) this.byOrg.set(orgId, [waiting]);
    else queue.push(waiting);
    this.size++;
  }

  shift(): Waiting | undefined {
    for (const [orgId, queue] of this.byOrg) {
      const next = queue.shift()!;
      this.size--;
      if (queue.length === 0) {
        this.byOrg.delete(orgId);
      } else if (this.byOrg.size > 1) {
        // The organisation goes to the end of the round.
        this.byOrg.delete(orgId);
        this.byOrg.set(orgId, queue);
      }
      return next;
    }
    return undefined;
  }
}
