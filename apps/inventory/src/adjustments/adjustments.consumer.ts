import { Controller } from '@nestjs/common';
import { AdjustmentPost, type ResponseOf } from '#libs/contracts';
import { notFound, rejected } from '#libs/domain';
import { type MessageContext, OnCall } from '#libs/messaging';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall } from '../stock-machine/command-meta.js';
import { DEFAULT_LOCATION } from '../stock-machine/stock-state.js';

/** Corrections of stock by hand. */
@Controller()
export class AdjustmentsConsumer {
  constructor(private readonly batcher: Batcher) {}

  @OnCall(AdjustmentPost)
  post(request: Asked<typeof AdjustmentPost>, context: MessageContext): Promise<ResponseOf<typeof AdjustmentPost>> {
    const { dryRun, commandId = context.messageId, reasonCode = 'correction', lot, location, ...data } = request;
    // Lots and bins are not kept yet: what names one is refused, not silently dropped.
    if (lot !== undefined) throw rejected('STOCK_VALIDATION', `item ${data.itemId} is not tracked by lot; adjust it without one`);
    if (location !== undefined && location !== DEFAULT_LOCATION) {
      throw notFound('LOCATION_NOT_FOUND', `location ${location} does not exist in ${data.warehouseId}`);
    }
    return this.batcher.answer({ kind: 'adjust-stock', ...data, commandId, reasonCode, meta: metaOfCall(context) }, dryRun);
  }
}
