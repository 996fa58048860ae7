import type { DiscrepancyFindings, ResponseOf } from '#libs/contracts';
import { ZERO } from '#libs/domain';
import { differenceOf, type Discrepancy, raisesDoubt } from '../../discrepancies/discrepancy.js';
import { closeDiscrepancy } from '../../discrepancies/open-discrepancy.js';
import type { CloseDiscrepancy } from '../commands.js';
import { decide } from '../decide.js';
import { subjectKey } from '../balance.js';
import type { StockState } from '../stock-state.js';
import { actOf } from './acts.js';
import type { Decide } from './memory-stock.js';
import { afterwards, believing, type Mutant } from './mutant.js';
import { crowdedDay } from './steps.js';

/** Decides while what discrepancies say looks different. */
const seeing =
  (lie: (found: Discrepancy, command: CloseDiscrepancy, state: StockState) => Partial<Discrepancy>): Decide =>
  (state, command) => {
    const act = actOf(command);
    if (act.command.kind !== 'close-discrepancy' || act.override !== null) return decide(state, command);
    const found = state.discrepancies.get(subjectKey(command.orgId, act.command.discrepancyId));
    if (found === undefined) return decide(state, command);
    const truth = { ...found };
    const lied = lie(found, act.command, state);
    const isTruth = (part: string) => found[part as 'status'] === lied[part as 'status'];
    Object.assign(found, lied);
    try {
      return decide(state, command);
    } finally {
      for (const part of Object.keys(lied)) if (isTruth(part)) Object.assign(found, { [part]: truth[part as 'status'] });
    }
  };

/** Machines that forget a rule about discrepancies, or about what was approved. */
export const FOUND_MUTANTS: Readonly<Record<string, Mutant>> = {
  'forgets that somebody doubts something': {
    decide: afterwards((state, { kind }) => {
      for (const balance of state.changedBalances) if (kind === 'report-discrepancy' && balance.doubts > 0) balance.doubts--;
    }),
    noticed: /doubts of .* its discrepancies say/,
  },
  'keeps back what nobody doubts any more': {
    decide: (state, command) => {
      const doubts = new Map([...state.balances.values()].map((balance) => [balance, balance.doubts]));
      const outcome = decide(state, command);
      if (command.kind === 'close-discrepancy') for (const [balance, was] of doubts) balance.doubts = was;
      return outcome;
    },
    noticed: /doubts of .* its discrepancies say/,
  },
  'keeps back what was only refused': {
    decide: afterwards((state) => {
      for (const found of state.newDiscrepancies) {
        if (found.source === 'blocked_transaction' && found.severity === 'medium')
          state.existingBalance(found.orgId, found.warehouseId!, found.itemId).doubts++;
      }
    }),
    noticed: /doubts of .* its discrepancies say/,
  },
  'leaves whoever waits waiting when nobody doubts any more': {
    day: crowdedDay('A', 'W1'),
    decide: believing(() => ({ backordered: ZERO }), 'close-discrepancy'),
    noticed: /^close-discrepancy .* lets somebody wait/,
  },
  'forgets that refused orders join what is over': {
    decide: (state, command) => {
      const joined = new Map([...state.balances.values()].map((balance) => [balance, balance.attemptsDiscrepancyId]));
      const outcome = decide(state, command);
      if (command.kind === 'close-discrepancy') for (const [balance, was] of joined) balance.attemptsDiscrepancyId = was;
      return outcome;
    },
    noticed: /^refused orders at .* join/,
  },
  'resolves again what is over': {
    decide: seeing(() => ({ status: 'new' })),
    noticed: /and that is final|posts what was posted before|has -1 doubts/,
  },
  'posts what is missing now, and not what was when it was seen': {
    decide: seeing(({ orgId, warehouseId, itemId }, { adjust }, state) =>
      warehouseId === null || !adjust ? {} : { ledgerQuantity: state.existingBalance(orgId, warehouseId, itemId).onHand },
    ),
    noticed: /posts -?\d+ for discrepancy .* which says/,
  },
  'posts a difference wherever it lies': {
    day: crowdedDay('A', 'W1'),
    decide: seeing(() => ({ location: null })),
    noticed: /posts elsewhere than it was seen/,
  },
  'forgets what became of a discrepancy': {
    decide: afterwards((state) => state.changedDiscrepancies.clear()),
    noticed: /discrepancy \S+ was stored as/,
  },
  'reports again': {
    decide: (state, command) => {
      if (command.kind === 'report-discrepancy') state.discrepancies.delete(subjectKey(command.orgId, command.discrepancyId));
      return decide(state, command);
    },
    noticed: /^I6: the repeat report-discrepancy|^report-discrepancy .* changes detectedAt of discrepancy/,
  },
  'finds again what is open': {
    decide: (state, command) => {
      if (command.kind !== 'record-findings') return decide(state, command);
      const found = [...state.discrepancies].filter(([, { findingKey }]) => findingKey !== null);
      for (const [key] of found) state.discrepancies.delete(key);
      const outcome = decide(state, command);
      for (const [key, before] of found) state.discrepancies.set(key, before);
      return outcome;
    },
    noticed: /is open 2 times after record-findings/,
  },
  'doubts again what is found again': {
    decide: (state, command) => {
      const outcome = decide(state, command);
      if (command.kind !== 'record-findings' || outcome.kind !== 'answer') return outcome;
      const { findings } = outcome.answer as ResponseOf<typeof DiscrepancyFindings>;
      for (const { discrepancyId } of findings.filter(({ isNew }) => !isNew)) {
        const found = state.discrepancies.get(subjectKey(command.orgId, discrepancyId))!;
        if (found.warehouseId === null || !raisesDoubt(found)) continue;
        const balance = state.existingBalance(found.orgId, found.warehouseId, found.itemId);
        balance.doubtful += differenceOf(found);
        state.touchBalance(balance);
      }
      return outcome;
    },
    noticed: /doubts of .* its discrepancies say .* after record-findings/,
  },
  'promises what reconciliation doubts': {
    decide: (state, command) => {
      if (command.kind !== 'record-findings') return decide(state, command);
      const terms = [...state.balances.values()].map((balance) => ({ balance, doubts: balance.doubts, doubtful: balance.doubtful }));
      const outcome = decide(state, command);
      for (const { balance, doubts, doubtful } of terms) Object.assign(balance, { doubts, doubtful });
      return outcome;
    },
    noticed: /has \d+ doubts of .* its discrepancies say .* after record-findings/,
  },
  'keeps stock back for what is wrong about money': {
    decide: (state, command) => {
      if (command.kind !== 'record-findings') return decide(state, command);
      return decide(state, { ...command, findings: command.findings.map((finding) => ({ ...finding, kind: 'on_hand' })) });
    },
    noticed: /^record-findings .* finds \w+ \S+ of \S+ (low|high|critical), which is medium/,
  },
  'posts what nobody saw to be missing': {
    decide: seeing(({ source }) => (source === 'reconciliation_job' ? { source: 'count' } : {})),
    noticed: /posts -?\d+ for discrepancy \S+, which says 0/,
  },
  'hears again what was decided': {
    decide: (state, command) => {
      state.approvalEffects.clear();
      return decide(state, command);
    },
    noticed: /has 1 effects, \S+ was heard before/,
  },
  'does what nobody approved': {
    decide: (state, command) => decide(state, command.kind === 'carry-out-approval' ? { ...command, status: 'approved' } : command),
    noticed: /moved stock, though it was|does what was|posts a difference that nobody resolves/,
  },
  'lets through more than was approved': {
    decide: (state, command) => {
      if (command.kind !== 'carry-out-approval' || command.work.kind !== 'run-override') return decide(state, command);
      const shortfalls = command.work.shortfalls.map((one) => ({ ...one, quantity: '1000' }));
      return decide(state, { ...command, work: { ...command.work, shortfalls } });
    },
    noticed: /no more than \S+ were approved/,
  },
  'takes what others hold for what was approved': {
    decide: (state, command) => {
      const { command: kept, override } = actOf(command);
      if (override === null || command.kind !== 'carry-out-approval') return decide(state, command);
      const { orgId, meta } = command;
      const settings = state.settingsOf(orgId);
      state.settings.set(orgId, { ...settings, enforcementPhase: 'dark' });
      const again = { ...kept, orgId, meta: { ...meta, messageId: kept.meta.messageId, sequence: undefined } };
      const outcome = state.approvalEffects.has(subjectKey(orgId, command.approvalRequestId)) ? null : decide(state, again);
      state.settings.set(orgId, settings);
      if (outcome?.kind !== 'answer' || state.newMovements.length === 0) return decide(state, command);
      for (const { discrepancyId } of override.shortfalls) {
        const found = state.discrepancies.get(subjectKey(orgId, discrepancyId))!;
        closeDiscrepancy(state, null, found, { status: 'resolved', note: '', by: null }, meta);
      }
      state.approvalEffects.set(subjectKey(orgId, command.approvalRequestId), 'done');
      state.newApprovalEffects.push({ ...command, kind: command.approvalKind, outcome: 'done', detail: null });
      return { kind: 'answer', answer: { outcome: 'done' } };
    },
    noticed: /took from the hold of|beyond what is free|flags what was approved/,
  },
  'leaves open what was let through': {
    decide: afterwards((state, command) => {
      if (command.kind !== 'carry-out-approval' || command.work.kind !== 'run-override') return;
      for (const found of state.changedDiscrepancies) if (found.status === 'resolved') found.status = 'new';
    }),
    noticed: /carry-out-approval .* leaves discrepancy \S+ new/,
  },
};
