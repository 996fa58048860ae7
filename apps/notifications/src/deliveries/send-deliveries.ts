import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { uuidv7 } from '#libs/domain';
import { crashPoint } from '#libs/messaging';
import { Database, type Tx } from '#libs/persistence';
import { type Config, CONFIG, metrics } from '#libs/service';
import { NotSent, SENDERS, type Senders } from '../sending/sender.js';
import {
  expireDeliveries,
  findDueChannels,
  type HeldChannel,
  holdChannels,
  keepChannel,
  recordAttempt,
  releaseChannel,
  takeDelivery,
  type TakenDelivery,
} from './delivery.sql.js';
import { afterAttempt, ageMaxMs, type AttemptResult, restMs } from './retry.rules.js';

const POLL_MS = 1_000;
/** Longer than any attempt may take: what is not recorded by then is taken for lost. */
const LEASE_MS = 90_000;
/**
 * Channels that are sent to at once, by each process: so many because one that does not answer keeps its place for ten seconds. Those
 * that have failed before have places of their own, so that they take none of the others'.
 */
const WORKING_MAX = 200;
const FAILING_MAX = 50;
/** After so many deliveries a channel waits for its turn again. */
const SENT_PER_TURN_MAX = 50;
/** How long an attempt may go on when the service is told to stop. */
const STOPPING_MS = 5_000;

interface Attempted {
  readonly delivery: TakenDelivery;
  readonly result: AttemptResult;
}

/**
 * Sends what waits, at least once: an attempt is counted before it is made and recorded after it, and one whose record is missing is
 * made again. Each channel has a queue of its own, which one process at a time works off, so that a channel that is slow or down delays
 * no other.
 */
@Injectable()
export class SendDeliveries implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(SendDeliveries.name);
  private readonly stopping = new AbortController();
  /** Ends the attempts that are under way. */
  private readonly cutting = new AbortController();
  private readonly turns = new Set<Promise<void>>();
  private readonly busy = { working: 0, failing: 0 };
  private woken = Promise.withResolvers<void>();
  private running: Promise<void> = Promise.resolve();
  private readonly retryDelaysMs: readonly number[];

  constructor(
    private readonly database: Database,
    @Inject(SENDERS) private readonly senders: Senders,
    @Inject(CONFIG) { notifications }: Pick<Config, 'notifications'>,
  ) {
    this.retryDelaysMs = notifications.retryDelaysMs;
  }

  onApplicationBootstrap(): void {
    this.running = this.runUntilStopped();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    this.wake();
    const timer = setTimeout(() => this.cutting.abort(new Error('The service is stopping.')), STOPPING_MS);
    await this.running;
    await Promise.all(this.turns);
    clearTimeout(timer);
    for (const sender of Object.values(this.senders)) sender.close?.();
  }

  /** Looks for work at once. */
  wake(): void {
    this.woken.resolve();
  }

  private async runUntilStopped(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.woken = Promise.withResolvers<void>();
      await this.takeTurns().catch((error: unknown) => this.logger.warn(`Due notifications could not be looked for: ${String(error)}`));
      const pause = new AbortController();
      await Promise.race([this.woken.promise, delay(POLL_MS, undefined, { signal: pause.signal }).catch(() => {})]);
      pause.abort();
    }
  }

  /** Begins to send to as many due channels as there are places for. */
  private async takeTurns(): Promise<void> {
    const free = { working: WORKING_MAX - this.busy.working, failing: FAILING_MAX - this.busy.failing };
    if (free.working + free.failing === 0) return;
    const due = await this.database.transaction([], (tx) => findDueChannels(tx, free.working, free.failing), { inOneGo: true });
    if (due.length === 0) return;
    const wanted = due.map(({ orgId, channelId }) => ({ orgId, channelId, holder: uuidv7() }));
    const orgs = [...new Set(wanted.map(({ orgId }) => orgId))];
    const held = await this.database.transaction(orgs, (tx) => holdChannels(tx, wanted, LEASE_MS));
    for (const { failing, ...channel } of held) this.begin(channel, failing ? 'failing' : 'working');
  }

  private begin(channel: HeldChannel, place: 'working' | 'failing'): void {
    this.busy[place]++;
    const turn = this.turn(channel)
      // The lease ends, and somebody takes it up again.
      .catch((error: unknown) => this.logger.warn(`Channel ${channel.channelId} is taken up again later: ${String(error)}`))
      .finally(() => {
        this.busy[place]--;
        this.turns.delete(turn);
        // Others may have waited for the place.
        this.wake();
      });
    this.turns.add(turn);
  }

  /** One delivery after the other, until nothing is due, one fails, or others have to have their turn. */
  private async turn(channel: HeldChannel): Promise<void> {
    let last: Attempted | undefined;
    for (let count = 0; ; count++) {
      const mayGoOn = count < SENT_PER_TURN_MAX && !this.stopping.signal.aborted;
      const delivery = await this.database.transaction([channel.orgId], (tx) => this.step(tx, channel, last, mayGoOn));
      if (delivery === undefined) return;
      last = { delivery, result: await this.attempt(delivery) };
      crashPoint('after-send', 'notifications');
    }
  }

  /** Records the last attempt and takes the next delivery, in one transaction; undefined: the turn is over and the channel released. */
  private async step(tx: Tx, channel: HeldChannel, last: Attempted | undefined, mayGoOn: boolean): Promise<TakenDelivery | undefined> {
    let failures = await keepChannel(tx, channel, LEASE_MS);
    if (last !== undefined) await this.record(tx, last);
    if (failures === undefined) return undefined;
    if (last !== undefined) {
      const { result } = last;
      failures = result.kind === 'sent' ? 0 : failures + (result.isFinal ? 0 : 1);
      const rest = restMs(failures, result, this.retryDelaysMs);
      if (result.kind === 'notSent') return await this.release(tx, channel, rest, failures);
    }
    if (last === undefined) await this.giveUpOld(tx, channel);
    return (mayGoOn ? await takeDelivery(tx, channel, LEASE_MS) : undefined) ?? (await this.release(tx, channel, 0, failures));
  }

  private async release(tx: Tx, channel: HeldChannel, restMs: number, failures: number): Promise<undefined> {
    await releaseChannel(tx, channel, restMs, failures);
  }

  /** At the beginning of a turn, so that a channel that is down for days loses what is old before more is tried. */
  private async giveUpOld(tx: Tx, channel: HeldChannel): Promise<void> {
    const kinds = await expireDeliveries(tx, channel, ageMaxMs(this.retryDelaysMs));
    if (kinds.length === 0) return;
    tx.afterCommit(() => {
      for (const kind of kinds) metrics.notificationDeliveries.inc({ kind, result: 'failed' });
      this.logger.warn(`${kinds.length} notifications to channel ${channel.channelId} were given up, because they are too old`);
    });
  }

  private async record(tx: Tx, { delivery, result }: Attempted): Promise<void> {
    const after = afterAttempt(delivery.attempt, result, this.retryDelaysMs, Math.random());
    const status = after.kind === 'retried' ? 'waiting' : after.kind;
    const error = after.kind === 'sent' ? null : after.reason;
    await recordAttempt(tx, delivery, { status, error, delayMs: after.kind === 'retried' ? after.delayMs : 0 });
    tx.afterCommit(() => {
      metrics.notificationDeliveries.inc({ kind: delivery.kind, result: after.kind });
      if (after.kind === 'failed')
        this.logger.warn(
          `Notification ${delivery.deliveryId} of ${delivery.orgId} was given up after ${delivery.attempt} attempt(s): ${error}`,
        );
    });
  }

  private async attempt(delivery: TakenDelivery): Promise<AttemptResult> {
    try {
      await this.senders[delivery.kind].send(delivery, this.cutting.signal);
      return { kind: 'sent' };
    } catch (error) {
      if (this.cutting.signal.aborted)
        return { kind: 'notSent', reason: 'The service was stopped before the receiver answered.', isFinal: false, retryAfterMs: 0 };
      if (error instanceof NotSent) {
        const { isFinal, retryAfterMs } = error;
        return { kind: 'notSent', reason: withoutSecret(error.message, delivery.secret), isFinal, retryAfterMs };
      }
      this.logger.error(error);
      return { kind: 'notSent', reason: 'Something went wrong on our side.', isFinal: false, retryAfterMs: 0 };
    }
  }
}

/** A receiver may repeat in its answer what it was sent. */
function withoutSecret(text: string, secret: string | null): string {
  return secret === null ? text : text.replaceAll(secret, '***');
}
