import { Controller } from '@nestjs/common';
import { AdjustmentPost, type ResponseOf } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall } from '../stock-machine/command-meta.js';

/** Corrections of stock by hand. */
@Controller()
export class AdjustmentsConsumer {
  constructor(private readonly batcher: Batcher) {}

  @OnCall(AdjustmentPost)
  post(request: Asked<typeof AdjustmentPost>, context: MessageContext): Promise<ResponseOf<typeof AdjustmentPost>> {
    const { dryRun, commandId = context.messageId, reasonCode = 'correction', ...data } = request;
    return this.batcher.answer({ kind: 'adjust-stock', ...data, commandId, reasonCode, meta: metaOfCall(context) }, dryRun);
  }
}
