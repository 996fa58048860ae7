import { Injectable } from '@nestjs/common';
import {
  ApprovalAsk,
  ApprovalCancel,
  type ApprovalForeseen,
  type ApprovalLine,
  type ApprovalNeeded,
  ApprovalPolicyMatch,
  type ApprovalRequest,
  type Magnitudes,
  type RequestOf,
} from '#libs/contracts';
import {
  absolute,
  firstCharacters,
  formatQuantity,
  isQuantity,
  maxQuantity,
  parseQuantity,
  type Quantity,
  SCALE,
  sumQuantities,
  unitCostOf,
  valueOf,
  ZERO,
} from '#libs/domain';
import { crashPoint, type MessageContext, RpcClient } from '#libs/messaging';
import { Database, statement } from '#libs/persistence';
import { Batcher } from '../stock-machine/batcher.js';
import type { AdjustStock, CarryOutApproval, CloseDiscrepancy } from '../stock-machine/commands.js';
import type { Discrepancy } from '../discrepancies/discrepancy.js';
import { carryOutOf } from './approved-work.js';

/** A change of stock that may need an approval. */
export interface Proposal extends Pick<RequestOf<typeof ApprovalAsk>, 'kind' | 'subjectType' | 'subjectId' | 'reason'> {
  readonly warehouseId: string;
  readonly itemId: string;
  readonly lot: string | null;
  readonly location: string | null;
  readonly delta: Quantity;
  /** What it is a part of, for the percentage; null = of what is on hand. */
  readonly of: Quantity | null;
  /** What one costs as its author says, who cannot make it cheaper than it is; null = nothing said. */
  readonly unitCost: Quantity | null;
  readonly work: AdjustStock | CloseDiscrepancy;
}

/** What is at stake of one item in one warehouse. */
export type Part = Pick<Proposal, 'warehouseId' | 'itemId' | 'lot' | 'location' | 'delta' | 'of' | 'unitCost'>;

/** What always needs an approval, whoever asks. */
export interface Exception extends Pick<RequestOf<typeof ApprovalAsk>, 'kind' | 'subjectType' | 'subjectId' | 'reason' | 'subjectVersion'> {
  /** At least one; measured together. */
  readonly parts: readonly Part[];
  readonly work: CarryOutApproval['work'];
}

/** A discrepancy that is over, and how it came to be. */
type Over = Pick<Discrepancy, 'orgId' | 'discrepancyId' | 'status' | 'resolutionNote' | 'closedBy'>;

const REASON_MAX = 500;

const readWorth = statement<{ on_hand: string; reserved: string; blocked: string; value: string; last_unit_cost: string | null }>(
  'approval_read_worth',
  `select b.on_hand, b.reserved, b.blocked, b.value, b.last_unit_cost from stock_balance b
    where b.org_id = $1 and b.warehouse_id = $2 and b.item_id = $3`,
);
/** The caller waits; approvals answers in milliseconds. */
const PATIENCE_MS = 2_000;
const PERCENT = 100n;

/**
 * Lays a change of stock that is larger than its author may make alone before somebody who may approve it. By the organisation's policies:
 * who has the role that would have to approve it, or is `admin`, needs nobody.
 */
@Injectable()
export class AskApproval {
  constructor(
    private readonly rpc: RpcClient,
    private readonly database: Database,
    private readonly batcher: Batcher,
  ) {}

  /**
   * @returns the request for approval; null when none is needed.
   * @throws {HoldfastError} kind `unavailable` when approvals does not answer.
   */
  async run(proposal: Proposal, context: MessageContext): Promise<ApprovalNeeded | null> {
    const { actor } = context;
    if (actor.roles.includes('admin')) return null;
    const { kind, subjectType, subjectId, reason, work } = proposal;
    const { magnitudes, snapshots } = await this.weigh([proposal], context);
    if (actor.roles.includes(await this.requiredRoleOf(kind, magnitudes, context))) return null;
    return this.ask({ kind, subjectType, subjectId, reason, parts: [proposal], work }, magnitudes, snapshots, context);
  }

  /** What {@link run} would answer; asks nobody. */
  async foresee(proposal: Proposal, context: MessageContext): Promise<ApprovalForeseen | null> {
    const { roles } = context.actor;
    if (roles.includes('admin')) return null;
    const foreseen = await this.foreseeException({ kind: proposal.kind, parts: [proposal] }, context);
    return roles.includes(foreseen.requiredRole) ? null : foreseen;
  }

  /**
   * Lays what nobody may do alone before somebody else, whatever roles the actor has. A repeat answers the same request.
   *
   * @throws {HoldfastError} kind `unavailable` when approvals does not answer.
   */
  async except(exception: Exception, context: MessageContext): Promise<ApprovalNeeded> {
    const { magnitudes, snapshots } = await this.weigh(exception.parts, context);
    return this.ask(exception, magnitudes, snapshots, context);
  }

  /** What {@link except} would answer; asks nobody. */
  async foreseeException({ kind, parts }: Pick<Exception, 'kind' | 'parts'>, context: MessageContext): Promise<ApprovalForeseen> {
    const { magnitudes } = await this.weigh(parts, context);
    const requiredRole = await this.requiredRoleOf(kind, magnitudes, context);
    return { approvalRequestId: null, status: 'pending', requiredRole, dryRun: true };
  }

  /**
   * Takes back what was asked about a discrepancy that is over, as often as that is said: whoever asked hears that nobody has to decide any more.
   *
   * @param asked what is taken back, if it was asked about another discrepancy of the same movement: no newer version of it than this.
   * @returns the last request about it as it is then: it may have been decided before; null when there never was one.
   * @throws {HoldfastError} kind `unavailable` when approvals does not answer.
   */
  async withdraw(
    { orgId, discrepancyId, status, resolutionNote, closedBy }: Over,
    traceparent?: string,
    asked?: { readonly discrepancyId: string; readonly subjectVersion: number },
  ): Promise<ApprovalRequest | null> {
    const which = asked === undefined ? 'The discrepancy' : `Discrepancy ${discrepancyId} of the same movement`;
    const reason = firstCharacters(`${which} is ${status}: ${resolutionNote ?? ''}`, REASON_MAX);
    const { discrepancyId: subjectId, ...version } = asked ?? { discrepancyId };
    const options = { timeoutMs: PATIENCE_MS, traceparent, onBehalfOf: closedBy ?? undefined };
    crashPoint('before-withdrawal', 'inventory');
    const { request } = await this.rpc.call(ApprovalCancel, { orgId, subjectType: 'discrepancy', subjectId, ...version, reason }, options);
    crashPoint('after-withdrawal', 'inventory');
    return request;
  }

  /** By the policies of the organisation. */
  private async requiredRoleOf(kind: Exception['kind'], magnitudes: Magnitudes, { orgId, actor, traceparent }: MessageContext) {
    const options = { timeoutMs: PATIENCE_MS, traceparent, onBehalfOf: actor.userId };
    return (await this.rpc.call(ApprovalPolicyMatch, { orgId, kind, magnitudes }, options)).requiredRole;
  }

  /** What is at stake together, and what there is of each. */
  private async weigh(parts: readonly Part[], { orgId }: MessageContext) {
    const measured = await Promise.all(parts.map((part) => this.measure(orgId, part)));
    return { magnitudes: together(measured.map((one) => one.magnitudes)), snapshots: measured.map(({ snapshot }) => snapshot) };
  }

  private async ask(
    { kind, subjectType, subjectId, subjectVersion, reason, parts, work }: Exception,
    magnitudes: Magnitudes,
    availabilitySnapshot: unknown,
    { orgId, actor, traceparent }: MessageContext,
  ): Promise<ApprovalNeeded> {
    const lines = parts.map(({ itemId, warehouseId, lot, location, delta }): ApprovalLine => {
      return { itemId, warehouseId, lot, location, quantity: formatQuantity(delta) };
    });
    const warehouses = [...new Set(parts.map(({ warehouseId }) => warehouseId))];
    const { meta: _, ...command } = work;
    crashPoint('before-approval', 'inventory');
    const request = await this.rpc.call(
      ApprovalAsk,
      {
        ...{ orgId, kind, subjectType, subjectId, reason, requestedBy: actor.userId, lines, magnitudes, warehouses },
        ...{ availabilitySnapshot, command, ...(subjectVersion === undefined ? {} : { subjectVersion }) },
      },
      { timeoutMs: PATIENCE_MS, traceparent, onBehalfOf: actor.userId },
    );
    crashPoint('after-approval', 'inventory');
    // When an earlier answer was lost, it may have been decided meanwhile.
    await this.hear(orgId, request);
    return { approvalRequestId: request.approvalRequestId, status: request.status, requiredRole: request.requiredRole };
  }

  private async hear(orgId: string, request: ApprovalRequest): Promise<void> {
    const command = carryOutOf(orgId, request, { messageId: request.approvalRequestId, mayWait: false });
    if (command !== null) await this.batcher.submit(command, 'calls');
  }

  /** How much is at stake: at what one costs now, or what was paid last, or at the cost that is said if that is more. */
  private async measure(orgId: string, { warehouseId, itemId, delta, of, unitCost }: Part) {
    const [row] = await this.database.transaction([orgId], (tx) => tx.run(readWorth, [orgId, warehouseId, itemId]), { readOnly: true });
    const onHand = parseQuantity(row?.on_hand ?? '0');
    const lastUnitCost = row === undefined || row.last_unit_cost === null ? null : parseQuantity(row.last_unit_cost);
    const current = row !== undefined && onHand > ZERO ? unitCostOf(parseQuantity(row.value), onHand) : lastUnitCost;
    const quantity = absolute(delta);
    const base = absolute(of ?? onHand);
    const cost = current === null || unitCost === null ? (unitCost ?? current) : maxQuantity(unitCost, current);
    const magnitudes: Magnitudes = {
      quantity: formatQuantity(quantity),
      // Rounded up: what is beyond a limit by little is beyond it.
      percent: base === ZERO ? null : told((quantity * PERCENT * SCALE + base - 1n) / base),
      value: cost === null ? null : told(absolute(valueOf(cost, quantity))),
    };
    const { reserved = '0', blocked = '0' } = row ?? {};
    const terms = { onHand, reserved: parseQuantity(reserved), blocked: parseQuantity(blocked) };
    const snapshot = Object.fromEntries(Object.entries(terms).map(([term, value]) => [term, formatQuantity(value)]));
    return { magnitudes, snapshot: { itemId, warehouseId, ...snapshot } };
  }
}

/** The sum of quantities and values, which is unknown when one is, and the worst percentage. */
function together(all: readonly Magnitudes[]): Magnitudes {
  const known = (size: 'percent' | 'value') => {
    const sizes = all.flatMap((one) => one[size] ?? []);
    return sizes.length < all.length ? null : sizes.map((one) => parseQuantity(one));
  };
  const value = known('value');
  const percents = known('percent');
  return {
    quantity: told(sumQuantities(all, (one) => parseQuantity(one.quantity!)))!,
    percent: percents && told(percents.reduce(maxQuantity)),
    value: value && told(sumQuantities(value, (one) => one)),
  };
}

const told = (size: bigint): string | null => (isQuantity(size) ? formatQuantity(size) : null);
