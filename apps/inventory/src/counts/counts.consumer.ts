import { Controller } from '@nestjs/common';
import { type CountAnswer, CountPost } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall } from '../stock-machine/command-meta.js';

/** What somebody counted. */
@Controller()
export class CountsConsumer {
  constructor(private readonly batcher: Batcher) {}

  @OnCall(CountPost)
  count({ dryRun, commandId, mode = 'cycle', ...data }: Asked<typeof CountPost>, context: MessageContext): Promise<CountAnswer> {
    const meta = metaOfCall(context);
    return this.batcher.answer({ kind: 'count-stock', ...data, mode, commandId: commandId ?? context.messageId, meta }, dryRun);
  }
}
