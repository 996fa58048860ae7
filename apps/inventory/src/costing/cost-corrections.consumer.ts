import { Controller } from '@nestjs/common';
import { type CostCorrectionAnswer, CostCorrectionPost } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall } from '../stock-machine/command-meta.js';

/** What receipts turned out to have cost. Nothing is decided here. */
@Controller()
export class CostCorrectionsConsumer {
  constructor(private readonly batcher: Batcher) {}

  @OnCall(CostCorrectionPost)
  post({ dryRun, commandId, ...data }: Asked<typeof CostCorrectionPost>, context: MessageContext): Promise<CostCorrectionAnswer> {
    return this.batcher.answer(
      { kind: 'correct-cost', ...data, commandId: commandId ?? context.messageId, meta: metaOfCall(context) },
      dryRun,
    );
  }
}
