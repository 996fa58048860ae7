import { Injectable } from '@nestjs/common';
import { unavailable } from '#libs/domain';
import { crashPoint, type MessageContext } from '#libs/messaging';
import { Database, type Tx } from '#libs/persistence';
import { approvable } from '../approvals/approval.rules.js';
import { CarryOn } from '../approvals/carry-on.js';
import { AskInventory } from '../stock/ask-inventory.js';
import type { Settled } from '../stock/apply-stock-report.js';
import type { Ask } from '../stock/outstanding.js';
import { refusalError } from '../stock/settlement-note.js';
import { checkSayable } from '../stock/stock-command.js';
import type { Decision } from './decision.js';
import { lockOrder, readOrders } from './order.sql.js';
import { isWaiting, type OrderKey, type OrderState, saying, type Waiting } from './order-state.js';
import { orderNotFound } from './order-status.js';
import { SaveOrder, withVersion } from './save-order.js';

/** The request that a decision serves. */
export interface Change extends OrderKey {
  /** Recognises the same request made again while the first is outstanding. */
  readonly digest: string;
  readonly dryRun: boolean;
  /** The id was made for this request: nobody else has it. */
  readonly isNew?: boolean;
  readonly context: MessageContext;
}

/** So long are somebody else's changes of the same order waited for. */
const PATIENCE_MS = 4_000;

/**
 * How every change of an order runs, whatever it is (docs/adr/0010):
 *
 * 1. what is outstanding from before is settled first, so that there is never more than one thing to answer;
 * 2. the change is decided under the lock of the order, checked that it can be said at all, and committed with its event;
 * 3. no transaction is open while inventory is asked about it;
 * 4. its answer is applied, if the answer by event was not quicker; what follows from it is said and answered in the same way;
 * 5. who may approve what was refused is asked. If they cannot be reached now, they will be.
 *
 * @returns the changed order.
 * @throws {HoldfastError} what `decide` throws; the refusal of inventory; `unavailable` when inventory does not answer: the change is
 * committed then, is answered by event, and the same request made again goes on where it stopped.
 */
@Injectable()
export class ChangeOrder {
  constructor(
    private readonly database: Database,
    private readonly saveOrder: SaveOrder,
    private readonly inventory: AskInventory,
    private readonly carryOn: CarryOn,
  ) {}

  /** Changes an order that may not exist yet. */
  async run(change: Change, decide: (order: OrderState | null, now: Date) => Decision): Promise<OrderState> {
    if (change.dryRun) return await this.rehearse(change, decide);
    const giveUpMs = Math.min(Date.now() + PATIENCE_MS, change.context.deadlineMs ?? Infinity);
    let isNew = change.isNew ?? false;
    while (Date.now() < giveUpMs) {
      const decided = await this.decide(change, decide, isNew);
      isNew = false;
      if (decided === null) continue;
      if (!isWaiting(decided)) return await this.carryOn.run(decided, change.context);
      const { order, settled } = await this.inventory.settle(decided, change.context);
      // It was something else, and this request's turn is now; or it was refused so that something follows, which is next.
      if (settled.outstanding.digest !== change.digest || isFollowed(settled)) continue;
      // It was this request, now or when it was made before.
      return await this.carryOn.run(answer(order, settled), change.context);
    }
    throw unavailable(`Order ${change.orderId} is being changed by others all the time.`, { orderId: change.orderId });
  }

  /** Changes an order that exists. @throws {HoldfastError} 404 `ORDER_NOT_FOUND`. */
  async runExisting(change: Change, decide: (order: OrderState, now: Date) => Decision): Promise<OrderState> {
    return await this.run(change, (order, now) => {
      if (order === null || order.status === 'refused') throw orderNotFound(change.orderId);
      return decide(order, now);
    });
  }

  /** The order with the decision, or with what was outstanding before; null when somebody has just made one with the same id. */
  private async decide(
    change: Change,
    decide: (order: OrderState | null, now: Date) => Decision,
    isNew: boolean,
  ): Promise<OrderState | null> {
    const { context } = change;
    const work = async (tx: Tx) => {
      const before = isNew ? null : await lockOrder(tx, change);
      if (before !== null && before.outstanding !== null) return before;
      const now = new Date();
      const decision = decide(before, now);
      const notes = decision.audit === undefined ? [] : [decision.audit];
      const after = decision.ask === undefined ? decision.order : asking(decision.order, decision.ask, by(change), now);
      return await this.saveOrder.run(tx, before, after, {
        now,
        actor: context.actor.userId,
        traceparent: context.traceparent,
        notes,
      });
    };
    // Run again after a lost connection, it finds what it has stored.
    const decided = await this.database.transaction([change.orgId], work, { repeatable: true });
    crashPoint('after-commit', 'orders');
    return decided;
  }

  /** The same decision on what is visible now, with inventory's answer to a dry run; nothing is changed or recorded. */
  private async rehearse(change: Change, decide: (order: OrderState | null, now: Date) => Decision): Promise<OrderState> {
    const [before = null] = await this.database.transaction([change.orgId], (tx) => readOrders(tx, change.orgId, [change.orderId]), {
      readOnly: true,
    });
    const now = new Date();
    const { order, ask } = decide(before, now);
    if (ask === undefined) return before === order ? order : withVersion(before, order, now);
    let waiting = asking({ ...order, outstanding: null }, ask, by(change), now);
    for (;;) {
      const applied = await this.inventory.rehearse(waiting, change.context, now);
      if (applied.settled?.refusal && !isFollowed(applied.settled)) {
        throw refusalError(order.orderId, applied.settled.outstanding, applied.settled.refusal);
      }
      if (!isWaiting(applied.order)) return withVersion(before ?? waiting, applied.order, now);
      waiting = applied.order;
    }
  }
}

/** It was refused so that it is said again, to wait for an approval. */
function isFollowed({ outstanding, refusal }: Settled): boolean {
  return refusal !== null && approvable(outstanding, refusal) !== null;
}

/** The order as it is when this is asked; nothing is committed that could never be said. */
function asking(order: OrderState, ask: Ask, who: ReturnType<typeof by>, now: Date): Waiting {
  checkSayable(ask);
  return saying(order, ask, who, now);
}

function by({ digest, context }: Change): { digest: string; actor: string } {
  return { digest, actor: context.actor.userId };
}

function answer(order: OrderState, { outstanding, refusal }: Settled): OrderState {
  if (refusal !== null) throw refusalError(order.orderId, outstanding, refusal);
  return order;
}
