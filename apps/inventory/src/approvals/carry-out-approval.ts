import { firstCharacters } from '#libs/domain';
import { adjustStock } from '../adjustments/adjust-stock.js';
import { runOverride } from '../discrepancies/run-override.js';
import { closeFound } from '../discrepancies/close-discrepancy.js';
import { type Discrepancy, isOpen } from '../discrepancies/discrepancy.js';
import { changeDiscrepancy } from '../discrepancies/open-discrepancy.js';
import { answered, type CarryOutApproval, type Outcome } from '../stock-machine/commands.js';
import { subjectKey } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';
import type { ApprovalEffect } from './approval-effect.js';

/**
 * What somebody decided comes into effect, once for ever, whoever hears it how often: what was approved is checked again and done; that it
 * was rejected, or that nobody decided in time, is noted on its discrepancy, which stays open (docs/rules.md, "discrepancies").
 */
export function carryOutApproval(state: StockState, command: CarryOutApproval): Outcome<{ outcome: ApprovalEffect['outcome'] }> {
  const { orgId, approvalRequestId, subjectType, subjectId, status } = command;
  const key = subjectKey(orgId, approvalRequestId);
  const known = state.approvalEffects.get(key);
  if (known !== undefined) return answered({ outcome: known });
  const found = subjectType === 'discrepancy' ? state.discrepancies.get(subjectKey(orgId, subjectId)) : undefined;
  // Ids of requests grow: a newer one than the one that is awaited is one of which the answer was lost.
  const awaited = found?.approvalRequestId ?? null;
  if (awaited !== null && approvalRequestId < awaited) return record(state, command, 'outdated', null);
  if (status === 'approved') {
    const done = carryOut(state, command);
    if (done.kind === 'answer') return record(state, command, 'done', done.answer);
    const error = done.kind === 'error' ? done.error : null;
    goesOn(state, found, command, `Approved by ${command.decidedBy}, but not possible: ${error?.message ?? ''}`);
    return record(state, command, 'refused', error);
  }
  goesOn(
    state,
    found,
    command,
    command.decidedBy === null ? 'Nobody decided in time' : `Rejected by ${command.decidedBy}: ${command.reason ?? ''}`,
  );
  return record(state, command, 'noted', null);
}

/** A discrepancy about which nothing was done stays open, and says why; an override can be asked for anew. */
function goesOn(state: StockState, found: Discrepancy | undefined, { approvalKind, meta }: CarryOutApproval, note: string): void {
  if (found === undefined || !isOpen(found)) return;
  found.resolutionNote = firstCharacters(note, NOTE_MAX);
  if (approvalKind === 'movement_override') found.approvalRequestId = null;
  changeDiscrepancy(state, found, 'discrepancy_approval_ended', meta);
}

const NOTE_MAX = 500;

function carryOut(state: StockState, { work }: CarryOutApproval): Outcome {
  if (work.kind === 'run-override') return runOverride(state, work);
  return work.kind === 'adjust-stock' ? adjustStock(state, work) : closeFound(state, work);
}

function record(state: StockState, command: CarryOutApproval, outcome: ApprovalEffect['outcome'], detail: unknown) {
  const { kind: _, meta: __, work: ___, approvalKind, ...request } = command;
  state.approvalEffects.set(subjectKey(command.orgId, command.approvalRequestId), outcome);
  state.newApprovalEffects.push({ ...request, kind: approvalKind, outcome, detail });
  state.revision++;
  return answered({ outcome });
}
