import type { EventDefinition, EventOf, PickShortage } from '#libs/contracts';
import { formatQuantity, maxQuantity, parseQuantity, ZERO } from '#libs/domain';
import type { Expectation } from '../../expected-receipts/expected-receipt.js';
import type { Outcome, StockCommand } from '../commands.js';
import { countOf } from '../message-order.js';
import { type Pending, withMore } from '../run-batch.js';
import { DEFAULT_SETTINGS } from '../decision-settings.js';
import { type Balance, balanceKey, subjectKey } from '../balance.js';
import { NeedsMore } from '../needs-more.js';
import type { StockState } from '../stock-state.js';
import { DecisionCheck, isWaitedForInVain, termsOf } from './check-decision.js';
import { checkDoubts, DiscrepanciesCheck } from './check-discrepancies.js';
import { Receiver } from './check-events.js';
import { checkCosts, checkDemand, checkPieces, checkQuants, checkSums, ensure, LedgerSums, Overlay, Violation } from './check-rows.js';
import { type Decide, MemoryStock, type ReadLimits, type Watch } from './memory-stock.js';
import { checkInTransit, TransferSums } from './check-transfers.js';
import { type Sent, Senders } from './senders.js';
import type { Step } from './steps.js';
import { BINS, EXPECTED, expectedReceiptId, ITEM_KINDS, ITEMS, ORGS, WAREHOUSES } from './world.js';

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
const ROUNDS_MAX = 6;

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
  private readonly transfers = new TransferSums();
  /** Where a pick left free stock beside whoever waits. */
  private readonly leftByPicks = new Map<string, Pick<Balance, 'orgId' | 'warehouseId' | 'itemId'>>();
  private readonly receiver = new Receiver();
  private readonly tally: Tally = new Map();
  private readonly underWay: Delivery[] = [];
  private pending: Pending[] = [];
  private readonly attempts = new Map<StockCommand, number>();
  /** Second deliveries as new messages, with the first one's command. */
  private readonly repeats = new Map<StockCommand, StockCommand>();
  private readonly decided = new Map<StockCommand, Outcome>();
  private readonly asked = new Map<StockCommand, readonly string[]>();
  private decision: DecisionCheck | undefined;
  private found: DiscrepanciesCheck | undefined;
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
      case 'settings': {
        const { do: _, org, ...enforcement } = step;
        this.flush();
        this.stock.settings.set(org, { ...(this.stock.settings.get(org) ?? DEFAULT_SETTINGS), ...enforcement });
        this.fillWhereSomebodyWaits(org);
        for (const { orgId, warehouseId, itemId, mayBeNegative } of this.stock.balances.values()) {
          const meta = { messageId: 'enforcement', mayWait: false };
          if (orgId === org && mayBeNegative) this.deliver({ kind: 'note-below-zero', orgId, warehouseId, itemId, meta });
        }
        return;
      }
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

  /** What was kept back may be free now, as the sweep finds. */
  private fillWhereSomebodyWaits(org: string): void {
    for (const { orgId, warehouseId, itemId, backordered } of this.stock.balances.values()) {
      if (orgId !== org || backordered === ZERO) continue;
      this.deliver({ kind: 'fill-backorders', orgId, warehouseId, itemId, meta: { messageId: 'sweep', mayWait: false } });
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
        this.found = new DiscrepanciesCheck(this.stock, state, command);
      },
      after: (state, command, outcome) => this.checkCommand(state, command, outcome),
    };
    const outcomes = this.stock.runBatch(batch, watch);
    outcomes.forEach((outcome, index) => this.settle(batch[index]!, outcome));
    this.checkStored(working!);
    for (const balance of working!.unserved) {
      // In the background: others may come in between.
      this.underWay.push({ atStep: this.step + FILL_AFTER_STEPS, command: fillOf(balance), attempt: 1 });
    }
  }

  private settle(pending: Pending, outcome: Outcome | NeedsMore): void {
    if (outcome instanceof NeedsMore) {
      const asked = [...(this.asked.get(pending.command) ?? []), outcome.message];
      ensure(asked.length <= ROUNDS_MAX, () => `${pending.command.kind} asks for more and more: ${asked.join(', then ')}`);
      this.asked.set(pending.command, asked);
      this.pending.push(withMore(pending, outcome));
      return;
    }
    this.asked.delete(pending.command);
    if (outcome.kind !== 'too-early') return;
    const { command } = pending;
    const attempt = (this.attempts.get(command) ?? 1) + 1;
    const again = attempt < ATTEMPTS ? command : { ...command, meta: { ...command.meta, mayWait: false } };
    this.underWay.push({ atStep: this.step + RETRY_AFTER_STEPS, command: again, attempt });
  }

  private checkCommand(state: StockState, command: StockCommand, outcome: Outcome | NeedsMore): void {
    const overlay = new Overlay(this.stock, state);
    while (this.seenEntries < this.stock.ledger.length + state.ledger.length) {
      const entry = state.ledger[this.seenEntries++ - this.stock.ledger.length]!;
      this.ledger.add(entry);
      this.transfers.addEntry(entry);
    }
    while (this.seenEvents < this.stock.outbox.length + state.events.length) {
      const event = state.events[this.seenEvents++ - this.stock.outbox.length]!;
      this.receiver.receive(event);
      this.transfers.addEvent(event);
      this.notePickShortage(event);
      this.count(`event ${event.type}`);
    }
    for (const balance of state.changedBalances) {
      this.ledger.check(balance);
      if (balance.onHand < ZERO) this.count('below zero');
      checkSums(balance, overlay);
    }
    for (const transfer of [...state.newTransfers, ...state.changedTransfers]) this.transfers.check(transfer);
    for (const demand of state.changedDemands) {
      checkDemand(demand, overlay, this.ledger);
      this.receiver.check(demand);
    }
    const isRepeat = this.isRepeat(state, command);
    this.found!.check(outcome, isRepeat);
    this.decision!.check(outcome, isRepeat);
    this.found!.checkEffect(outcome);
    if (!(outcome instanceof NeedsMore)) this.decided.set(command, outcome);
    this.count(`${kindOf(command)} ${nameOf(outcome)}`);
    this.count('commands');
  }

  private seenEntries = 0;
  private seenEvents = 0;

  /** Whether this very thing was done before, and says so by a number or an id of its own. */
  private isRepeat(state: StockState, command: StockCommand): boolean {
    const first = this.decided.get(this.repeats.get(command)!);
    if (first?.kind !== 'answer') return false;
    if (command.kind === 'set-demand') return command.meta.sequence !== undefined;
    if (REPEATED.has(command.kind)) return true;
    if (nameOf(first) !== 'done') return false;
    // A recall that found nothing, and a sweep, are said again to take what is there by then.
    if ((first.answer as { movementId?: string | null }).movementId === null) return false;
    // An inspection or a pick has no id of its own, and a sequence says which it is only when it is the order's own.
    const hasId = command.kind !== 'inspect-return' && command.kind !== 'confirm-pick';
    return hasId || countOf(state.demand(command.orgId, command.orderId), command.meta) !== undefined;
  }

  private notePickShortage(event: EventOf<EventDefinition>): void {
    if (event.type !== 'PickShortage') return;
    const { warehouseId, itemId } = (event as EventOf<typeof PickShortage>).data;
    this.leftByPicks.set(balanceKey(event.orgid, warehouseId, itemId), { orgId: event.orgid, warehouseId, itemId });
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
      checkInTransit(balance, this.stock);
    }
    for (const [key, expectation] of state.expectedReceipts) {
      const row = this.stock.expectedReceipts.get(key);
      ensure(asText(row) === asText(expectation), () => `${key} was stored as ${asText(row)}, decided as ${asText(expectation)}`);
    }
    for (const transfer of [...state.newTransfers, ...state.changedTransfers]) {
      this.transfers.check(this.stock.transfers.get(subjectKey(transfer.orgId, transfer.transferId))!);
    }
    for (const shipment of state.changedShipments) checkCosts(shipment);
    for (const [key, found] of state.discrepancies) {
      const stored = this.stock.discrepancies.get(key);
      ensure(stored !== undefined, () => `discrepancy ${key} was not stored`);
      const { occurrences: _, ...row } = stored;
      const { occurrences: __, ...decided } = found;
      ensure(asText(row) === asText(decided), () => `discrepancy ${key} was stored as ${asText(row)}, decided as ${asText(decided)}`);
    }
    for (const [key, demand] of state.demands) {
      const { reservations: _, backorders: __, ...decided } = demand;
      const row = this.stock.demands.get(key)!;
      ensure(asText(row) === asText(decided), () => `${key} was stored as ${asText(row)}, decided as ${asText(decided)}`);
    }
  }

  /** Lets everything arrive, run out and be filled, and looks at all rows once more. */
  private end(): void {
    this.letArrive();
    // What a picker did not find is given to the next in turn by whatever comes next.
    for (const place of this.leftByPicks.values()) this.deliver(fillOf(place));
    this.letArrive();
    const found = [...this.stock.discrepancies.values()];
    for (const [key, row] of this.stock.balances) {
      checkDoubts(row, found, 'at the end');
      const item = this.stock.items.get(`${row.orgId}/${row.itemId}`)!;
      // Who waits for a lot, or for what lives longer, may wait beside what is free; that was looked at command by command.
      const isDetailed = row.hasQuants || (item.tracking ?? 'none') !== 'none';
      const safetyQuantity = row.safetyQuantity ?? item.safetyStock ?? ZERO;
      const lockPolicy = (this.stock.settings.get(row.orgId) ?? DEFAULT_SETTINGS).discrepancyLockPolicy;
      const terms = termsOf({ ...row, safetyQuantity, safetyPercent: row.safetyPercent ?? ZERO, lockPolicy });
      ensure(row.reserved <= maxQuantity(row.onHand - row.blocked, ZERO), () => `I1: ${key} is oversold at the end`);
      ensure(isDetailed || !isWaitedForInVain(terms), () => `somebody waits at ${key} at the end, though stock is free`);
    }
  }

  private letArrive(): void {
    for (let rounds = 0; this.pending.length > 0 || this.underWay.length > 0; rounds++) {
      if (rounds > 1_000) throw new Violation('it never comes to an end');
      this.step++;
      this.deliverDue();
      this.flush();
    }
  }

  private count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }
}

function fillOf({ orgId, warehouseId, itemId }: Pick<Balance, 'orgId' | 'warehouseId' | 'itemId'>): StockCommand {
  return { kind: 'fill-backorders', orgId, warehouseId, itemId, meta: { messageId: 'fill', mayWait: false } };
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
    for (const expectation of expectations()) stock.expectedReceipts.set(subjectKey(orgId, expectation.expectedReceiptId), expectation);
  }
  stock.settings.set('south', {
    ...DEFAULT_SETTINGS,
    softReservationTtlSeconds: 300,
    reservationMode: 'partial',
    returnQuarantine: false,
    defaultReorderPoint: parseQuantity('2'),
    sourcingStrategy: 'fewest_splits',
    minRemainingShelfLifeDays: 0,
    tolerance: { quantity: parseQuantity('5'), percent: ZERO },
  });
}

/** What is announced in every simulated organisation. */
export function expectations(): Expectation[] {
  return WAREHOUSES.flatMap((warehouseId) =>
    ITEMS.map((itemId) => ({
      expectedReceiptId: expectedReceiptId(warehouseId, itemId),
      warehouseId,
      itemId,
      quantity: parseQuantity(EXPECTED[warehouseId].quantity),
      received: ZERO,
      expectedOn: '2026-02-01',
      reference: null,
      status: EXPECTED[warehouseId].status,
    })),
  );
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

/** Commands that have an id of their own, whatever they are answered. */
const REPEATED: ReadonlySet<StockCommand['kind']> = new Set([
  'transfer-stock',
  'receive-transfer',
  'report-discrepancy',
  'review-discrepancy',
  'close-discrepancy',
  'carry-out-approval',
]);

/** The kind of a command, and of the work of what was approved. */
function kindOf(command: StockCommand): string {
  return command.kind === 'carry-out-approval' ? `${command.kind} of ${command.work.kind}` : command.kind;
}

function nameOf(outcome: Outcome | NeedsMore): string {
  if (outcome instanceof NeedsMore) return 'needs more';
  if (outcome.kind === 'error') return `error ${outcome.error.code}`;
  if (outcome.kind !== 'answer') return outcome.kind;
  const answer = outcome.answer as {
    status?: string;
    reason?: string;
    expired?: boolean;
    outcome?: string;
    findings?: readonly { isNew: boolean }[];
  } | null;
  if (answer?.findings !== undefined) return answer.findings.some(({ isNew }) => isNew) ? 'new' : 'known';
  if (answer?.outcome !== undefined) return answer.outcome;
  if (answer?.expired !== undefined) return answer.expired ? 'expired' : 'not due';
  return answer?.reason === undefined ? (answer?.status ?? 'done') : `${answer.status} ${answer.reason}`;
}

const asText = (value: unknown) => JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? formatQuantity(part) : part));
