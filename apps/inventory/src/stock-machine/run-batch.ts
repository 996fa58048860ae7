import type { Database, Tx } from '#libs/persistence';
import { crashPoint, type Inbox, inboxKey, type Outbox } from '#libs/messaging';
import type { Discrepancy } from '../discrepancies/discrepancy.js';
import type { HeldInDoubt } from '../discrepancies/log-discrepancies.js';
import type { Outcome, StockCommand } from './commands.js';
import { type BatchCounts, countsOf } from './count-batch.js';
import { decide } from './decide.js';
import type { KnownBalances } from './load-stock.js';
import { loadStock } from './load-stock.js';
import type { Balance } from './balance.js';
import { bothOf, NeedsMore } from './needs-more.js';
import type { StockState } from './stock-state.js';
import { type Needs, touches } from './touches.js';
import { countersOf, type Counters, writeStock } from './write-stock.js';

/** A command on its way through the machine. */
export interface Pending {
  readonly command: StockCommand;
  /** What an earlier decision asked for in addition. */
  readonly more?: NeedsMore['more'];
}

/** What a batch made of each command, in their order. */
export interface BatchResult {
  /** The outcome; or what the command needs in addition, in the next batch. */
  readonly outcomes: readonly (Outcome | NeedsMore)[];
  /** Where more wait for free stock than this batch could serve. */
  readonly unserved: readonly Pick<Balance, 'orgId' | 'warehouseId' | 'itemId'>[];
  readonly counts: BatchCounts;
  /** The discrepancies that were opened. */
  readonly opened: readonly Discrepancy[];
  readonly heldInDoubt: readonly HeldInDoubt[];
}

/** What the machine works with. */
export interface Machine {
  readonly database: Database;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly known: KnownBalances;
}

/**
 * The only transaction that writes stock: admits the messages, locks and reads what they touch, decides command by command, writes set-based,
 * commits once. Whatever fails, nothing of the batch has happened.
 *
 * @throws what the database throws; the caller decides whether to repeat or to split the batch.
 */
export async function runBatch(machine: Machine, pending: readonly Pending[]): Promise<BatchResult> {
  const needs = pending.map(needsOf);
  const orgs = [...new Set(pending.map(({ command }) => command.orgId))];
  const { result, firstMet } = await machine.database.transaction(
    orgs,
    async (tx) => {
      const keys = pending.map(({ command }) => (command.meta.event === undefined ? null : inboxKey(command.meta.event)));
      const admitted = machine.inbox.admitKeys(
        tx,
        keys.filter((key) => key !== null),
      );
      const state = await loadStock(tx, needs, machine.known, false);
      const before = new Map<Balance, Counters>(
        [...state.balances.values()].map((balance) => [balance, countersOf(balance, state.costs.get(balance))]),
      );
      const isNew = await admitted;
      crashPoint('mid-batch', 'inventory');
      const outcomes = pending.map(({ command }, index) => decideOnce(state, command, keys[index]!, isNew));
      forgetUndecided(machine, tx, keys, outcomes);
      writeStock(tx, state, before);
      void machine.outbox.append(tx, state.events);
      crashPoint('before-commit', 'inventory');
      const opened = [...state.newDiscrepancies];
      const { heldInDoubt } = state;
      const result = { outcomes, unserved: [...state.unserved], counts: countsOf(state), opened, heldInDoubt };
      return { result, firstMet: state.firstMet };
    },
    { repeatable: true },
  );
  machine.known.add(firstMet);
  crashPoint('after-commit', 'inventory');
  return result;
}

/**
 * What a command would do, without locks and without doing it: the same reads and the same decision in a read-only transaction of its
 * own, never in a batch, so that nothing of it can be written.
 */
export async function tryOut(machine: Machine, command: StockCommand): Promise<Outcome> {
  let pending: Pending = { command };
  // Each round adds what the decision asked for; without locks more than one may be needed.
  for (let round = 0; round < 5; round++) {
    const needs = [needsOf(pending)];
    const outcome = await machine.database.transaction(
      [command.orgId],
      async (tx) => decideOnce(await loadStock(tx, needs, machine.known, true), command, null, new Set()),
      { readOnly: true },
    );
    if (!(outcome instanceof NeedsMore)) return outcome;
    pending = withMore(pending, outcome);
  }
  throw new Error(`${command.kind} asked for more again and again`);
}

/** The command again, with what its decision asked for in addition to what it was given before. */
export function withMore<P extends Pending>(pending: P, { more }: NeedsMore): P {
  return { ...pending, more: bothOf(pending.more ?? {}, more) };
}

/** What a command touches, in all. */
export function needsOf({ command, more }: Pending): Needs {
  const needs = touches(command);
  if (more === undefined) return needs;
  const { balances = [], lots = [], lotHolds = [], ...rest } = more;
  return {
    ...needs,
    ...rest,
    balances: [...needs.balances, ...balances],
    lots: [...needs.lots, ...lots],
    lotHolds: [...needs.lotHolds, ...lotHolds],
  };
}

/**
 * Decides a command, unless it is an event that was handled before, in an earlier batch or in this one.
 *
 * @param key under which the inbox knows the event; null for a call.
 */
function decideOnce(state: StockState, command: StockCommand, key: string | null, isNew: ReadonlySet<string>): Outcome | NeedsMore {
  if (key !== null) {
    if (!isNew.has(key) || state.decided.has(key)) return { kind: 'duplicate' };
    state.decided.add(key);
  }
  try {
    return decide(state, command);
  } catch (error) {
    if (error instanceof NeedsMore) return error;
    throw error;
  }
}

/** A message that comes again, because it was too early or needs more, must not be taken for a repeat then. */
function forgetUndecided(machine: Machine, tx: Tx, keys: readonly (string | null)[], outcomes: readonly (Outcome | NeedsMore)[]): void {
  const undecided = keys.filter((key, index) => {
    const outcome = outcomes[index]!;
    return key !== null && (outcome instanceof NeedsMore || outcome.kind === 'too-early');
  });
  if (undecided.length > 0) void machine.inbox.forgetKeys(tx, undecided as string[]);
}
