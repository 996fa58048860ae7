import { Injectable } from '@nestjs/common';
import type { Availability } from '#libs/contracts';
import { unavailable } from '#libs/domain';
import { Database } from '#libs/persistence';
import { type AvailabilityAnswer, type AvailabilityQuestion, readAvailability } from './availability.queries.js';

/** Two would halve the batches, and each costs the same packets whatever is in it: 0.41 of an empty handler's rate against 0.46. */
const READS_AT_ONCE_MAX = 1;
/** Questions hold up to 1,000 items each; a batch ends with the question that takes it over this. */
const ITEMS_PER_READ_MAX = 2_000;

interface Waiting {
  readonly question: AvailabilityQuestion;
  readonly deadlineMs: number | undefined;
  resolve(items: readonly Availability[]): void;
  reject(error: unknown): void;
}

/**
 * Reads for many callers at once: what has arrived while the reads before were under way, or in the same turn of the event loop, is
 * read in one transaction, without locks and without waiting for more. A transaction per call gave 9,400 answers per second, this 35,000.
 */
@Injectable()
export class AvailabilityReader {
  #waiting: Waiting[] = [];
  #reading = 0;
  #scheduled = false;

  constructor(private readonly database: Database) {}

  /**
   * @param deadlineMs when nobody waits for the answer any more, in milliseconds since the epoch.
   * @throws {HoldfastError} `ITEM_NOT_FOUND`, `WAREHOUSE_NOT_FOUND`; kind `unavailable` after the deadline.
   */
  read(question: AvailabilityQuestion, deadlineMs?: number): Promise<readonly Availability[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, deadlineMs, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0 || this.#reading >= READS_AT_ONCE_MAX) return;
    this.#scheduled = true;
    // After this turn's messages, so that those that arrived together are read together.
    setImmediate(() => {
      this.#scheduled = false;
      this.#reading++;
      void this.#readNext().finally(() => {
        this.#reading--;
        this.#schedule();
      });
      this.#schedule();
    });
  }

  /** Never fails: what goes wrong is told to those who wait. */
  async #readNext(): Promise<void> {
    const batch = this.#nextBatch();
    if (batch.length === 0) return;
    try {
      const questions = batch.map(({ question }) => question);
      const orgIds = new Set(questions.map(({ orgId }) => orgId));
      const answers = await this.database.transaction([...orgIds], (tx) => readAvailability(tx, questions), { inOneGo: true });
      for (const [index, waiting] of batch.entries()) settle(waiting, answers[index]!);
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    }
  }

  #nextBatch(): Waiting[] {
    const nowMs = Date.now();
    const batch: Waiting[] = [];
    let items = 0;
    let taken = 0;
    for (; taken < this.#waiting.length && items < ITEMS_PER_READ_MAX; taken++) {
      const waiting = this.#waiting[taken]!;
      if (waiting.deadlineMs !== undefined && waiting.deadlineMs <= nowMs) {
        waiting.reject(unavailable('The question waited longer than its asker.'));
      } else {
        batch.push(waiting);
        items += waiting.question.items.length;
      }
    }
    this.#waiting = this.#waiting.slice(taken);
    return batch;
  }
}

function settle(waiting: Waiting, answer: AvailabilityAnswer): void {
  if ('error' in answer) waiting.reject(answer.error);
  else waiting.resolve(answer.items);
}
