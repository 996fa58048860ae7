import { parseQuantity, ZERO } from '#libs/domain';
import type { StockCommand } from '../commands.js';
import { decide } from '../decide.js';
import { type Balance, NeedsMore, type StockState, subjectKey } from '../stock-state.js';
import type { Decide } from './memory-stock.js';

/** A machine with one fault, and what of the simulation's words it must be noticed by. */
export interface Mutant {
  readonly decide: Decide;
  readonly noticed: RegExp;
}

/** Decides, and then spoils what was decided. */
const afterwards =
  (spoil: (state: StockState, command: StockCommand) => void): Decide =>
  (state, command) => {
    const outcome = decide(state, command);
    spoil(state, command);
    return outcome;
  };

/** Decides on demand while the balances look different from what they are. */
const believing =
  (lie: (balance: Balance) => Partial<Balance>): Decide =>
  (state, command) => {
    if (command.kind !== 'set-demand') return decide(state, command);
    const lies = [...state.balances.values()].flatMap((balance) =>
      Object.entries(lie(balance)).map(([term, lied]) => ({ balance, term: term as 'onHand', lied: lied as bigint })),
    );
    const truths = lies.map(({ balance, term }) => balance[term]);
    for (const { balance, term, lied } of lies) balance[term] = lied;
    try {
      return decide(state, command);
    } finally {
      lies.forEach(({ balance, term, lied }, index) => (balance[term] = truths[index]! + balance[term] - lied));
    }
  };

/** A simulation that does not notice these proves nothing. */
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  'sells a unit twice': {
    decide: afterwards((state, { kind }) => {
      for (const balance of state.changedBalances) if (kind === 'set-demand' && balance.reserved > ZERO) balance.reserved -= 1n;
    }),
    noticed: /^I3: .* are reserved, its reservations add up to/,
  },
  'holds more than there is': {
    decide: believing(({ onHand }) => ({ onHand: onHand + parseQuantity('1') })),
    noticed: /^I1: .* holds|gained \d+ at .* could be promised/,
  },
  'moves stock past the ledger': { decide: afterwards((state) => void state.ledger.pop()), noticed: /^I2: .* its ledger says/ },
  'leaves a gap in the ledger': {
    decide: afterwards((state, { kind }) => {
      for (const balance of state.changedBalances) if (kind === 'adjust-stock') balance.lastEntryNo++;
    }),
    noticed: /^I2: .* counts \d+ entries/,
  },
  'forgets to store a reservation': { decide: afterwards((state) => state.newReservations.clear()), noticed: /^I3: / },
  'forgets that a reservation changed': { decide: afterwards((state) => state.changedReservations.clear()), noticed: /^I3: / },
  'forgets to delete a backorder': {
    decide: afterwards((state) => {
      for (const backorder of state.changedBackorders) if (backorder.quantity === ZERO) state.changedBackorders.delete(backorder);
    }),
    noticed: /^I3: .* wait, its backorders add up to/,
  },
  'forgets that a shipment was posted': {
    decide: (state, command) => {
      if (command.kind === 'ship') state.shipments.delete(subjectKey(command.orgId, command.shipmentId));
      return decide(state, command);
    },
    noticed: /^I5: its shipments say|^I6/,
  },
  'sets a demand again, however late': {
    decide: (state, command) => decide(state, { ...command, meta: { ...command.meta, sequence: undefined, time: undefined } }),
    noticed: /^I6: the repeat/,
  },
  'lets new demand jump the queue': {
    decide: believing(() => ({ backordered: ZERO })),
    noticed: /^I1: .* holds|gained \d+ at .* could be promised|lets somebody wait/,
  },
  'promises the safety stock': {
    decide: believing(() => ({ safetyQuantity: ZERO, safetyPercent: ZERO })),
    noticed: /gained \d+ at .* could be promised|safety stock/,
  },
  'serves who came last': {
    decide: (state, command) => {
      for (const queue of state.queues.values()) queue.reverse();
      return decide(state, command);
    },
    noticed: /filled .* before/,
  },
  'forgets who waits where more wait than it read': {
    decide: afterwards((state) => state.unserved.clear()),
    noticed: /lets somebody wait/,
  },
  'takes firm holds before soft ones': {
    decide: (state, command) => {
      if (command.kind !== 'adjust-stock') return decide(state, command);
      for (const demand of state.demands.values()) demand.firm = !demand.firm;
      for (const [key, last] of state.lastHoldRead)
        state.lastHoldRead.set(key, { ...last, firm: true, priority: 100, reservedAt: new Date(0) });
      try {
        return decide(state, command);
      } finally {
        for (const demand of state.demands.values()) demand.firm = !demand.firm;
      }
    },
    noticed: /^adjust-stock .* took .* before/,
  },
  'says a quantity as a number': {
    decide: afterwards((state) => {
      for (const event of state.events) {
        const data = event.data as { threshold?: unknown };
        if (data.threshold !== undefined) data.threshold = Number(data.threshold);
      }
    }),
    noticed: /breaks its schema/,
  },
  'keeps a change to itself': {
    decide: afterwards((state) => {
      if (state.events.at(-1)?.type === 'BackorderFilled') state.events.pop();
    }),
    noticed: /were told/,
  },
  'changes something, then asks for more': {
    decide: (state, command) => {
      if (command.kind !== 'receive-goods' || command.receiptId.startsWith('opening')) return decide(state, command);
      for (const balance of state.balances.values()) state.touchBalance(balance);
      throw new NeedsMore({ balances: [] });
    },
    noticed: /changed something, but is needs more/,
  },
};
