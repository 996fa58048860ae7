import { Controller } from '@nestjs/common';
import { ReorderPointSet, type ResponseOf, SafetyStockSet } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall } from '../stock-machine/command-meta.js';
import type { StockPolicyAnswer } from './set-stock-policy.js';

/** Safety stock and reorder points of items in warehouses. */
@Controller()
export class StockPoliciesConsumer {
  constructor(private readonly batcher: Batcher) {}

  @OnCall(SafetyStockSet)
  async setSafetyStock(request: Asked<typeof SafetyStockSet>, context: MessageContext): Promise<ResponseOf<typeof SafetyStockSet>> {
    const { dryRun, quantity: safetyQuantity, percent: safetyPercent, ...place } = request;
    const command = { kind: 'set-stock-policy', ...place, safetyQuantity, safetyPercent, meta: metaOfCall(context) } as const;
    const { warehouseId, itemId, quantity, percent } = await this.batcher.answer<StockPolicyAnswer>(command, dryRun);
    return { warehouseId, itemId, quantity, percent, ...(dryRun === true ? { dryRun } : {}) };
  }

  @OnCall(ReorderPointSet)
  async setReorderPoint(request: Asked<typeof ReorderPointSet>, context: MessageContext): Promise<ResponseOf<typeof ReorderPointSet>> {
    const { dryRun, reorderPoint, ...place } = request;
    const command = { kind: 'set-stock-policy', ...place, reorderPoint, meta: metaOfCall(context) } as const;
    const answer = await this.batcher.answer<StockPolicyAnswer>(command, dryRun);
    return {
      warehouseId: answer.warehouseId,
      itemId: answer.itemId,
      reorderPoint: answer.reorderPoint,
      ...(dryRun === true ? { dryRun } : {}),
    };
  }
}
