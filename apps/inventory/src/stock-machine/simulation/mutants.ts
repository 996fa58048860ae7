import { parseQuantity, ZERO } from '#libs/domain';
import type { StockCommand } from '../commands.js';
import { decide } from '../decide.js';
import type { Quant } from '../quants.js';
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

/** Decides on demand while lots look as if they expired at another time. */
const ageing =
  (lie: (quant: Quant) => Quant): Decide =>
  (state, command) => {
    if (command.kind !== 'set-demand') return decide(state, command);
    const truths: { quant: { expiresAt: Date | null }; expiresAt: Date | null }[] = [];
    for (const balance of state.balances.values()) {
      for (const quant of balance.quants.all()) {
        truths.push({ quant, expiresAt: quant.expiresAt });
        Object.assign(quant, { expiresAt: lie(quant).expiresAt });
      }
    }
    try {
      return decide(state, command);
    } finally {
      for (const { quant, expiresAt } of truths) quant.expiresAt = expiresAt;
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
  'holds what has expired, or lives too short': {
    decide: ageing((quant) => ({ ...quant, expiresAt: null })),
    noticed: /which expired at|which wants something else/,
  },
  'gives first what expires last': {
    decide: ageing(({ expiresAt, ...quant }) => ({
      ...quant,
      expiresAt: expiresAt === null ? null : new Date(4e12 - expiresAt.getTime()),
    })),
    noticed: /comes first and .* are free|which wants something else|which expired at/,
  },
  'forgets which lot was asked for': {
    decide: (state, command) => {
      if (command.kind !== 'set-demand') return decide(state, command);
      return decide(state, { ...command, lines: command.lines.map(({ lot: _, ...line }) => line) });
    },
    noticed: /asks for a lot or a shelf life/,
  },
  'forgets how long it must live': {
    decide: (state, command) => {
      if (command.kind !== 'set-demand') return decide(state, command);
      return decide(state, { ...command, lines: command.lines.map(({ minRemainingShelfLifeDays: _, ...line }) => line) });
    },
    noticed: /asks for a lot or a shelf life/,
  },
  'lets a piece be in two places': {
    decide: (state, command) => {
      for (const lot of state.lots.values()) lot.isStocked = false;
      return decide(state, command);
    },
    noticed: /more than one piece|^piece \w+ is in/,
  },
  'takes what others hold': {
    decide: (state, command) => {
      if (command.kind !== 'ship') return decide(state, command);
      // As if the others could do with any lot.
      const named = [...state.demands.values()]
        .filter(({ orderId }) => orderId !== command.orderId)
        .flatMap(({ lines }) => lines.map((line) => ({ line, lot: line.lot, life: line.minRemainingShelfLifeDays })));
      for (const { line } of named) Object.assign(line, { lot: null, minRemainingShelfLifeDays: 0 });
      try {
        return decide(state, command);
      } finally {
        for (const { line, lot, life } of named) Object.assign(line, { lot, minRemainingShelfLifeDays: life });
      }
    },
    noticed: /which wants something else/,
  },
  'forgets where stock lies': {
    decide: afterwards((state) => {
      for (const balance of state.changedBalances) balance.quants.changes.clear();
    }),
    noticed: /^I[123]/,
  },
  'values what leaves a fraction too high': {
    decide: afterwards((state, { kind }) => {
      const entry = kind === 'ship' ? state.ledger.at(-1) : undefined;
      if (entry !== undefined) Object.assign(entry, { valueDelta: entry.valueDelta! - 1n });
    }),
    noticed: /^I8/,
  },
  'takes goods back without their cost': {
    decide: (state, command) => {
      if (command.kind !== 'receive-return') return decide(state, command);
      for (const shipment of state.shipments.values()) for (const line of shipment.lines) (line as { cost: unknown }).cost = [];
      return decide(state, command);
    },
    noticed: /^I8/,
  },
  'forgets when the lot of a return expires': {
    decide: (state, command) => {
      if (command.kind === 'receive-return') for (const [key, lot] of state.lots) state.lots.set(key, { ...lot, expiresAt: null });
      return decide(state, command);
    },
    noticed: /its lot expires at/,
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
