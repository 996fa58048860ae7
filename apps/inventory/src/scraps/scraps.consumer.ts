import { Controller } from '@nestjs/common';
import { type ScrapAnswer, ScrapPost } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall } from '../stock-machine/command-meta.js';

/** Goods that are thrown away. */
@Controller()
export class ScrapsConsumer {
  constructor(private readonly batcher: Batcher) {}

  @OnCall(ScrapPost)
  scrap({ dryRun, commandId, quality = 'available', ...data }: Asked<typeof ScrapPost>, context: MessageContext): Promise<ScrapAnswer> {
    const meta = metaOfCall(context);
    return this.batcher.answer({ kind: 'scrap-stock', ...data, quality, commandId: commandId ?? context.messageId, meta }, dryRun);
  }
}
