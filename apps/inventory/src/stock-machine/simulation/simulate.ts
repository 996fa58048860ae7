import { formatQuantity, parseQuantity, ZERO } from '#libs/domain';
import type { Outcome, StockCommand } from '../commands.js';
import { countOf } from '../message-order.js';
import { type Pending, withMore } from '../run-batch.js';
import { NeedsMore, type StockState } from '../stock-state.js';
import { DecisionCheck, isWaitedForInVain, termsOf } from './check-decision.js';
import { Receiver } from './check-events.js';
import { checkCosts, checkDemand, checkPieces, checkQuants, checkSums, ensure, LedgerSums, Overlay, Violation } from './check-rows.js';
import { type Decide, MemoryStock, type ReadLimits, type Watch } from './memory-stock.js';
import { type Sent, Senders } from './senders.js';
import { BINS, ITEM_KINDS, ITEMS, ORGS, type Step, WAREHOUSES } from './steps.js';

export interface SimulationOptions {
  /** A faulty decision, to see that it is noticed. */
  readonly decide?: Decide;
  /** Small by default, so that queues and holds are longer than what a batch reads. */
  readonly limits?: ReadLimits;
  /** Is shown each command as it is delivered, such as to play the same to a database. */
  readonly record?: (command: StockCommand) => void;
}

/** How often what happened: `ship done`, `set-demand failed ITEM_NOT_FOUND`, `event BackorderFilled`. */
export type Tally = Map<string, number>;

const STEP_MS = 250;
const COMMANDS_PER_BATCH_MAX = 6;
const LIMITS: ReadLimits = { filledPerBatchMax: 3, holdsPerBalance: 2, quantsPerBalance: 2, layersPerBalance: 2 };
/** Attempts of a message that comes too early; the last one decides. */
const ATTEMPTS = 3;
const RETRY_AFTER_STEPS = 4;
const FILL_AFTER_STEPS = 3;
/** More often no command may need a further batch; fewer than the batcher grants. */
const ROUNDS_MAX = 3;

interface Delivery {
  readonly atStep: number;
  readonly command: StockCommand;
  readonly attempt: number;
}

/**
 * Plays steps in a world of its own, and checks every invariant after each command.
 *
 * @throws {Violation} at the first one that does not hold.
 */
export function simulate(steps: readonly Step[], options: SimulationOptions = {}): Tally {
  return new Simulation(options).play(steps);
}

class Simulation {
  private readonly stock: MemoryStock;
  private readonly senders: Senders;
  private readonly ledger = new LedgerSums();
  private readonly receiver = new Receiver();
  private readonly tally: Tally = new Map();
  private readonly underWay: Delivery[] = [];
  private pending: Pending[] = [];
  private readonly attempts = new Map<StockCommand, number>();
  /** Second deliveries as new messages, with the first one's command. */
  private readonly repeats = new Map<StockCommand, StockCommand>();
  private readonly decided = new Map<StockCommand, Outcome>();
  private readonly rounds = new Map<StockCommand, number>();
  private decision: DecisionCheck | undefined;
  private step = 0;

  constructor(private readonly options: SimulationOptions) {
    this.stock = new MemoryStock(options.limits ?? LIMITS, options.decide);
    this.senders = new Senders(this.stock);
    makeWorld(this.stock);
  }

  play(steps: readonly Step[]): Tally {
    for (const command of openingStock()) this.deliver(command);
    this.flush();
    for (const step of steps) {
      this.step++;
      this.stock.now = new Date(this.stock.now.getTime() + STEP_MS);
      this.take(step);
      this.deliverDue();
      if (step.do === 'commit' || this.pending.length >= COMMANDS_PER_BATCH_MAX) this.flush();
    }
    this.end();
    return this.tally;
  }

  private take(step: Step): void {
    switch (step.do) {
      case 'nothing':
      case 'commit':
        return;
      case 'wait':
        this.flush();
        this.stock.now = new Date(this.stock.now.getTime() + step.seconds * 1000);
        return;
      case 'sweep':
        this.sweep(step.stale);
        return;
      default:
        for (const sent of this.senders.send(step)) this.underWay.push(...this.deliveriesOf(sent));
    }
  }

  private deliveriesOf({ command, late, again }: Sent): Delivery[] {
    const first = { atStep: this.step + late, command, attempt: 1 };
    if (again === null) return [first];
    if (again.as === 'new') this.repeats.set(again.command, command);
    return [first, { atStep: this.step + late + again.after, command: again.command, attempt: 1 }];
  }

  private deliverDue(): void {
    const due = this.underWay.filter((delivery) => delivery.atStep <= this.step);
    for (const delivery of due) {
      this.underWay.splice(this.underWay.indexOf(delivery), 1);
      this.attempts.set(delivery.command, delivery.attempt);
      this.deliver(delivery.command);
    }
  }

  private deliver(command: StockCommand): void {
    this.options.record?.(command);
    this.pending.push({ command });
  }

  /** Hands in what is due, as every replica's sweeper does; one that looked earlier hands in what is not due any more. */
  private sweep(stale: boolean): void {
    const meta = { messageId: 'sweep', mayWait: false };
    for (const { orgId, orderId, state, expiresAt } of this.stock.demands.values()) {
      const isDue = state === 'open' && expiresAt !== null && expiresAt <= this.stock.now;
      if (isDue || stale) this.deliver({ kind: 'expire-holds', orgId, orderId, meta });
    }
  }

  private flush(): void {
    const batch = this.pending;
    if (batch.length === 0) return;
    this.pending = [];
    let working: StockState | undefined;
    const watch: Watch = {
      before: (state, command) => {
        working = state;
        this.decision = new DecisionCheck(this.stock, state, command);
      },
      after: (state, command, outcome) => this.checkCommand(state, command, outcome),
    };
    const outcomes = this.stock.runBatch(batch, watch);
    outcomes.forEach((outcome, index) => this.settle(batch[index]!, outcome));
    this.checkStored(working!);
    for (const { orgId, warehouseId, itemId } of working!.unserved) {
      const command = { kind: 'fill-backorders', orgId, warehouseId, itemId, meta: { messageId: 'fill', mayWait: false } } as const;
      // In the background: others may come in between.
      this.underWay.push({ atStep: this.step + FILL_AFTER_STEPS, command, attempt: 1 });
    }
  }

  private settle(pending: Pending, outcome: Outcome | NeedsMore): void {
    if (outcome instanceof NeedsMore) {
      const rounds = (this.rounds.get(pending.command) ?? 0) + 1;
      ensure(rounds <= ROUNDS_MAX, () => `${pending.command.kind} asks for more and more: ${outcome.message}`);
      this.rounds.set(pending.command, rounds);
      this.pending.push(withMore(pending, outcome));
      return;
    }
    if (outcome.kind !== 'too-early') return;
    const { command } = pending;
    const attempt = (this.attempts.get(command) ?? 1) + 1;
    const again = attempt < ATTEMPTS ? command : { ...command, meta: { ...command.meta, mayWait: false } };
    this.underWay.push({ atStep: this.step + RETRY_AFTER_STEPS, command: again, attempt });
  }

  private checkCommand(state: StockState, command: StockCommand, outcome: Outcome | NeedsMore): void {
    const overlay = new Overlay(this.stock, state);
    while (this.seenEntries < this.stock.ledger.length + state.ledger.length) {
      this.ledger.add(state.ledger[this.seenEntries++ - this.stock.ledger.length]!);
    }
    while (this.seenEvents < this.stock.outbox.length + state.events.length) {
      const event = state.events[this.seenEvents++ - this.stock.outbox.length]!;
      this.receiver.receive(event);
      this.count(`event ${event.type}`);
    }
    for (const balance of state.changedBalances) {
      this.ledger.check(balance);
      checkSums(balance, overlay);
    }
    for (const demand of state.changedDemands) {
      checkDemand(demand, overlay, this.ledger);
      this.receiver.check(demand);
    }
    this.decision!.check(outcome, this.isRepeat(state, command));
    if (!(outcome instanceof NeedsMore)) this.decided.set(command, outcome);
    this.count(`${command.kind} ${nameOf(outcome)}`);
    this.count('commands');
  }

  private seenEntries = 0;
  private seenEvents = 0;

  /** Whether this very thing was done before, and says so by a number or an id of its own. */
  private isRepeat(state: StockState, command: StockCommand): boolean {
    const first = this.decided.get(this.repeats.get(command)!);
    if (first?.kind !== 'answer') return false;
    if (command.kind === 'set-demand') return command.meta.sequence !== undefined;
    if (nameOf(first) !== 'done') return false;
    // An inspection has no id of its own, and a sequence says which it is only when it is the order's own.
    return command.kind !== 'inspect-return' || countOf(state.demand(command.orgId, command.orderId), command.meta) !== undefined;
  }

  /** What was stored is what the working set was: no change went unrecorded. */
  private checkStored(state: StockState): void {
    const stored = new Overlay(this.stock);
    for (const [key, balance] of state.balances) {
      const row = this.stock.balances.get(key)!;
      for (const counter of ['onHand', 'blocked', 'reserved', 'backordered', 'lastEntryNo'] as const) {
        ensure(
          row[counter] === balance[counter],
          () => `${counter} of ${key} was stored as ${row[counter]}, decided as ${balance[counter]}`,
        );
      }
      checkSums(balance, stored);
      checkQuants(balance, this.stock, this.ledger);
      checkPieces(balance, this.stock);
    }
    for (const shipment of state.changedShipments) checkCosts(shipment);
    for (const [key, demand] of state.demands) {
      const { reservations: _, backorders: __, ...decided } = demand;
      const row = this.stock.demands.get(key)!;
      ensure(asText(row) === asText(decided), () => `${key} was stored as ${asText(row)}, decided as ${asText(decided)}`);
    }
  }

  /** Lets everything arrive, run out and be filled, and looks at all rows once more. */
  private end(): void {
    for (let rounds = 0; this.pending.length > 0 || this.underWay.length > 0; rounds++) {
      if (rounds > 1_000) throw new Violation('it never comes to an end');
      this.step++;
      this.deliverDue();
      this.flush();
    }
    for (const [key, row] of this.stock.balances) {
      const item = this.stock.items.get(`${row.orgId}/${row.itemId}`)!;
      // Who waits for a lot, or for what lives longer, may wait beside what is free; that was looked at command by command.
      const isDetailed = row.hasQuants || (item.tracking ?? 'none') !== 'none';
      const safetyQuantity = row.safetyQuantity ?? item.safetyStock ?? ZERO;
      const terms = termsOf({ ...row, safetyQuantity, safetyPercent: row.safetyPercent ?? ZERO });
      ensure(row.reserved <= row.onHand - row.blocked, () => `I1: ${key} is oversold at the end`);
      ensure(isDetailed || !isWaitedForInVain(terms), () => `somebody waits at ${key} at the end, though stock is free`);
    }
  }

  private count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }
}

/** Two organisations with the same ids, and different rules. */
export function makeWorld(stock: MemoryStock): void {
  for (const orgId of ORGS) {
    stock.warehouses.set(
      orgId,
      WAREHOUSES.map((warehouseId, priority) => ({ warehouseId, priority })),
    );
    for (const itemId of ITEMS) {
      const safetyStock = itemId === 'B' ? parseQuantity('1') : null;
      const reorderPoint = itemId === 'C' ? parseQuantity('3') : null;
      const life = itemId === 'D' && orgId === 'south' ? { minRemainingShelfLifeDays: 1 } : {};
      stock.items.set(`${orgId}/${itemId}`, { safetyStock, reorderPoint, ...ITEM_KINDS[itemId], ...life });
    }
    for (const warehouseId of WAREHOUSES) for (const bin of BINS) stock.locations.add(`${orgId}/${warehouseId}/${bin}`);
  }
  stock.settings.set('south', {
    softReservationTtlSeconds: 300,
    reservationMode: 'partial',
    returnQuarantine: false,
    defaultReorderPoint: parseQuantity('2'),
    sourcingStrategy: 'fewest_splits',
    minRemainingShelfLifeDays: 0,
  });
}

function openingStock(): StockCommand[] {
  return ORGS.flatMap((orgId) =>
    WAREHOUSES.slice(0, 2).map((warehouseId, index) => ({
      kind: 'receive-goods' as const,
      orgId,
      receiptId: `opening-${warehouseId}`,
      warehouseId,
      lines: ITEMS.filter((itemId) => ITEM_KINDS[itemId].tracking === 'none').map((itemId) => ({
        itemId,
        quantity: formatQuantity(parseQuantity('12') - BigInt(index) * parseQuantity('7')),
        unitCost: '1',
      })),
      meta: { messageId: 'opening', mayWait: false },
    })),
  );
}

function nameOf(outcome: Outcome | NeedsMore): string {
  if (outcome instanceof NeedsMore) return 'needs more';
  if (outcome.kind === 'error') return `error ${outcome.error.code}`;
  if (outcome.kind !== 'answer') return outcome.kind;
  const answer = outcome.answer as { status?: string; reason?: string; expired?: boolean } | null;
  if (answer?.expired !== undefined) return answer.expired ? 'expired' : 'not due';
  return answer?.reason === undefined ? (answer?.status ?? 'done') : `${answer.status} ${answer.reason}`;
}

const asText = (value: unknown) => JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? formatQuantity(part) : part));
