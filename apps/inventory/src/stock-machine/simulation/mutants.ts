import { parseQuantity, ZERO } from '#libs/domain';

import { decide } from '../decide.js';
import type { Quant } from '../quants.js';
import { balanceKey, subjectKey } from '../balance.js';
import { NeedsMore } from '../needs-more.js';
import { FOUND_MUTANTS } from './found-mutants.js';
import type { Decide } from './memory-stock.js';
import { afterwards, believing, type Mutant } from './mutant.js';
import { crowdedDay } from './steps.js';

/** Decides, and then keeps some of the events to itself. */
const silentAbout = (type: string): Decide =>
  afterwards((state) => {
    const told = state.events.filter((event) => event.type !== type);
    state.events.splice(0, Infinity, ...told);
  });

/** Decides on demand while lots look as if they expired at another time. */
const ageing =
  (lie: (quant: Quant, now: Date) => Date | null): Decide =>
  (state, command) => {
    if (command.kind !== 'set-demand') return decide(state, command);
    const truths: { quant: { expiresAt: Date | null }; expiresAt: Date | null }[] = [];
    for (const balance of state.balances.values()) {
      for (const quant of balance.quants.all()) {
        truths.push({ quant, expiresAt: quant.expiresAt });
        Object.assign(quant, { expiresAt: lie(quant, state.now) });
      }
    }
    try {
      return decide(state, command);
    } finally {
      for (const { quant, expiresAt } of truths) quant.expiresAt = expiresAt;
    }
  };

const DAY_MS = 86_400_000;

/** Goods come, travel, arrive and are recalled, and nothing else. */
const recalls = crowdedDay('E').map((steps) =>
  steps
    .filter((step) => ['receive', 'transfer', 'arrive', 'work', 'commit'].includes(step.do))
    .map((step) => (step.do === 'work' ? { ...step, what: 'recall' as const, nthPlace: 0 } : step)),
);

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
    day: crowdedDay('A', 'W1'),
    decide: (state, command) => {
      if (command.kind !== 'set-demand') return decide(state, command);
      const last = state.demand(command.orgId, command.orderId).incomingSequence ?? 0;
      const isLate = command.meta.sequence !== undefined && command.meta.sequence <= last;
      return decide(state, isLate ? { ...command, meta: { ...command.meta, sequence: undefined, time: undefined } } : command);
    },
    noticed: /^I6: the repeat set-demand|^set-demand .* was said before the last totals/,
  },
  'lets new demand jump the queue': {
    decide: believing(() => ({ backordered: ZERO })),
    noticed: /^I1: .* holds|gained \d+ at .* could be promised|lets somebody wait/,
  },
  'promises the safety stock': {
    decide: believing(() => ({ safetyQuantity: ZERO, safetyPercent: ZERO })),
    noticed: /gained \d+ at .* could be promised|safety stock/,
  },
  'promises what is in doubt': {
    decide: believing(() => ({ doubts: 0 })),
    noticed: /gained \d+ at .* could be promised|lets somebody wait|in doubt|safety stock/,
  },
  'confirms what is in doubt': {
    decide: (state, command) => {
      if (command.kind !== 'set-demand' || command.firm !== true) return decide(state, command);
      const demand = state.demands.get(subjectKey(command.orgId, command.orderId))!;
      const locked = demand.reservations.flatMap(
        (held) => state.balances.get(balanceKey(demand.orgId, held.warehouseId, held.itemId)) ?? [],
      );
      const truths = locked.map((balance) => ({ balance, lockPolicy: balance.lockPolicy }));
      for (const balance of locked) balance.lockPolicy = 'monitor';
      try {
        return decide(state, command);
      } finally {
        for (const { balance, lockPolicy } of truths) balance.lockPolicy = lockPolicy;
      }
    },
    noticed: /confirms what is held|could be promised|in doubt|lets somebody wait|safety stock|were picked/,
  },
  'lets everybody be short': {
    decide: (state, command) => {
      if (command.kind !== 'set-demand') return decide(state, command);
      const settings = state.settingsOf(command.orgId);
      state.settings.set(command.orgId, { ...settings, enforcementPhase: 'dark' });
      try {
        return decide(state, command);
      } finally {
        state.settings.set(command.orgId, settings);
      }
    },
    noticed: /could be promised|newly waits|confirms what is held/,
  },
  'lets everybody wait for an approval': {
    decide: (state, command) =>
      decide(state, command.kind === 'set-demand' ? { ...command, source: '/orders', pendingApproval: true } : command),
    noticed: /waits for no approval|has something unheld|^I6/,
  },
  'lets more leave than is free': {
    decide: (state, command) => {
      if (!['ship', 'transfer-stock', 'adjust-stock'].includes(command.kind)) return decide(state, command);
      const settings = state.settingsOf(command.orgId);
      state.settings.set(command.orgId, { ...settings, enforcementPhase: 'dark' });
      try {
        return decide(state, command);
      } finally {
        state.settings.set(command.orgId, settings);
      }
    },
    noticed: /beyond what is free|took from the hold/,
  },
  'lets more leave, and tells nobody': {
    decide: afterwards((state) => {
      for (const opened of state.newDiscrepancies) if (opened.severity === 'medium') state.newDiscrepancies.delete(opened);
    }),
    noticed: /not on record|^discrepancy \S+ was not stored/,
  },
  'forgets that what was missing cost something else': {
    decide: afterwards((state) => {
      const at = state.ledger.findIndex(({ movement }) => movement.reason === 'left before it came, at another cost');
      if (at >= 0) Object.assign(state.ledger[at]!, { valueDelta: ZERO });
    }),
    noticed: /^I8/,
  },
  'keeps a refusal to itself': {
    decide: afterwards((state) => void state.attempts.pop()),
    noticed: /not on record/,
  },
  'serves who came last': {
    day: crowdedDay('A', 'W1'),
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
    day: crowdedDay('A', 'W1'),
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
    day: crowdedDay('D'),
    decide: ageing(() => null),
    noticed: /which expired at|which must live longer/,
  },
  'gives first what expires last': {
    day: crowdedDay('D'),
    // Of those that live for less than a day, so that each serves whom it would.
    decide: ageing(({ expiresAt }, now) => {
      const left = expiresAt === null ? 0 : expiresAt.getTime() - now.getTime();
      return left > 0 && left < DAY_MS ? new Date(now.getTime() + DAY_MS - left) : expiresAt;
    }),
    noticed: /comes first and .* are free/,
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
    day: crowdedDay('D', 'W1'),
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
    noticed: /which wants another lot|which must live longer/,
  },
  'forgets where stock lies': {
    decide: afterwards((state) => {
      for (const balance of state.changedBalances) balance.quants.changes?.clear();
    }),
    noticed: /^I[123]/,
  },
  'values what leaves a fraction too high': {
    decide: afterwards((state, { kind }) => {
      const entry = kind === 'ship' ? state.ledger.at(-1) : undefined;
      if (entry !== undefined && entry.valueDelta !== null) Object.assign(entry, { valueDelta: entry.valueDelta - 1n });
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
    day: crowdedDay('D'),
    decide: (state, command) => {
      if (command.kind === 'receive-return') for (const [key, lot] of state.lots) state.lots.set(key, { ...lot, expiresAt: null });
      return decide(state, command);
    },
    noticed: /^its lot expires at \d{4}-\S+, and it lies there for ever: /,
  },
  'sends away what is held': {
    decide: believing(() => ({ reserved: ZERO }), 'transfer-stock'),
    noticed: /^I1/,
  },
  'lets goods travel without their cost': {
    decide: afterwards((state) => {
      for (const { lines } of state.newTransfers) for (const line of lines) line.cost = [];
    }),
    noticed: /^I2: the cost of 0 is under way/,
  },
  'forgets that a piece is under way': {
    day: crowdedDay('S'),
    decide: afterwards((state) => state.sentPieces.clear()),
    noticed: /^piece \w+ is in|more than one piece/,
  },
  'forgets what is no longer on its way': {
    decide: afterwards((state, { kind }) => {
      if (kind === 'receive-transfer') state.inTransit.clear();
    }),
    noticed: /are on their way to it, its transfers/,
  },
  'takes in more than left': {
    decide: afterwards((state) => {
      for (const { lines } of state.changedTransfers) for (const line of lines) line.received += 1n;
    }),
    noticed: /^I2: \d+ came in/,
  },
  'keeps quiet about what did not arrive': { decide: silentAbout('TransferShortage'), noticed: /^I2: 0 were told to be missing/ },
  'puts on sale what was recalled on its way': {
    day: recalls,
    decide: (state, command) => {
      if (command.kind !== 'receive-transfer') return decide(state, command);
      const lots = [...state.lots.values()].map((lot) => ({ lot, recalledAt: lot.recalledAt }));
      for (const { lot } of lots) lot.recalledAt = null;
      try {
        return decide(state, command);
      } finally {
        for (const { lot, recalledAt } of lots) lot.recalledAt = recalledAt;
      }
    },
    noticed: /^its lot was recalled/,
  },
  'does not move a hold to where it was picked': {
    decide: (state, command) => {
      if (command.kind !== 'confirm-pick' || command.lines === undefined) return decide(state, command);
      return decide(state, { ...command, lines: command.lines.map(({ lots: _, ...line }) => line) });
    },
    noticed: /were picked in .* are held there/,
  },
  'keeps quiet about what a picker did not find': { decide: silentAbout('PickShortage'), noticed: /^confirm-pick .* lets somebody wait/ },
  'counts a whole warehouse only where it was counted': {
    decide: (state, command) => decide(state, command.kind === 'count-stock' ? { ...command, mode: 'cycle' } : command),
    noticed: /^count-stock .* where 0 were counted/,
  },
  'forgets that what was announced has come': {
    decide: afterwards((state) => state.changedExpectedReceipts.clear()),
    noticed: /expected-\S+ was stored as/,
  },
  'corrects a cost again': {
    decide: (state, command) => {
      state.costCorrections.posted.clear();
      return decide(state, command);
    },
    noticed: /^I6: the repeat correct-cost/,
  },
  'corrects a cost past the ledger': {
    decide: afterwards((state, { kind }) => {
      const entry = kind === 'correct-cost' ? state.ledger.at(-1) : undefined;
      if (entry?.movement.movementType === 'cost_correction') Object.assign(entry, { valueDelta: entry.valueDelta! + 1n });
    }),
    noticed: /^I8: .* its ledger says/,
  },
  ...FOUND_MUTANTS,
  'changes something, then asks for more': {
    decide: (state, command) => {
      if (command.kind !== 'receive-goods' || command.receiptId.startsWith('opening')) return decide(state, command);
      for (const balance of state.balances.values()) state.touchBalance(balance);
      throw new NeedsMore({ balances: [] });
    },
    noticed: /changed something, but is needs more/,
  },
};
