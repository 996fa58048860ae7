import { Controller } from '@nestjs/common';
import { type AdjustmentAnswer, AdjustmentPost, type ResponseOf } from '#libs/contracts';
import { parseMoney, parseQuantity } from '#libs/domain';
import { type MessageContext, OnCall } from '#libs/messaging';
import { Database } from '#libs/persistence';
import { AskApproval, type Proposal } from '../approvals/ask-approval.js';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall } from '../stock-machine/command-meta.js';
import type { AdjustStock } from '../stock-machine/commands.js';
import { readMovements } from '../stock-machine/stock.sql.js';

/** Corrections of stock by hand. */
@Controller()
export class AdjustmentsConsumer {
  constructor(
    private readonly batcher: Batcher,
    private readonly database: Database,
    private readonly askApproval: AskApproval,
  ) {}

  /** What is more than its author may post alone is tried out, so that nobody is asked about what cannot be, and waits for an approval. */
  @OnCall(AdjustmentPost)
  async post(request: Asked<typeof AdjustmentPost>, context: MessageContext): Promise<ResponseOf<typeof AdjustmentPost>> {
    const { dryRun = false, commandId = context.messageId, reasonCode = 'correction', ...data } = request;
    const command: AdjustStock = { kind: 'adjust-stock', ...data, commandId, reasonCode, meta: metaOfCall(context) };
    if (context.actor.roles.includes('admin') || (await this.isPosted(command))) return this.batcher.answer(command, dryRun);
    if (dryRun) {
      const answer = await this.batcher.answer<AdjustmentAnswer>(command, true);
      return (await this.askApproval.foresee(proposalOf(command), context)) ?? answer;
    }
    await this.batcher.answer({ ...command, isTrial: true });
    return (await this.askApproval.run(proposalOf(command), context)) ?? this.batcher.answer(command);
  }

  private async isPosted({ orgId, commandId }: AdjustStock): Promise<boolean> {
    const read = { readOnly: true } as const;
    return (
      (await this.database.transaction([orgId], (tx) => tx.run(readMovements, [[orgId], ['adjustment'], [commandId]]), read)).length > 0
    );
  }
}

function proposalOf(work: AdjustStock): Proposal {
  const { commandId, reason, warehouseId, itemId, lot = null, location = null, quantityDelta, unitCost } = work;
  const delta = parseQuantity(quantityDelta);
  const about = { kind: 'adjustment' as const, subjectType: 'adjustment', subjectId: commandId, reason };
  const place = { warehouseId, itemId, lot, location };
  return { ...about, ...place, delta, of: null, unitCost: unitCost === undefined ? null : parseMoney(unitCost), work };
}
