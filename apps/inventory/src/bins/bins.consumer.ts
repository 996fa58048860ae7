import { Controller } from '@nestjs/common';
import { type BinMoveAnswer, BinMovePost } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall } from '../stock-machine/command-meta.js';

/** Goods that are carried from bin to bin. */
@Controller()
export class BinsConsumer {
  constructor(private readonly batcher: Batcher) {}

  @OnCall(BinMovePost)
  move({ dryRun, commandId, quality = 'available', ...data }: Asked<typeof BinMovePost>, context: MessageContext): Promise<BinMoveAnswer> {
    const meta = metaOfCall(context);
    return this.batcher.answer({ kind: 'move-stock', ...data, quality, commandId: commandId ?? context.messageId, meta }, dryRun);
  }
}
