import { Controller } from '@nestjs/common';
import { type EventOf, GoodsReceived, ReceiptPost, type ResponseOf } from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import { type MessageContext, OnCall, OnEvent } from '#libs/messaging';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall, metaOfEvent, settleEvent } from '../stock-machine/command-meta.js';

/** Goods that arrived. Nothing is decided here. */
@Controller()
export class ReceiptsConsumer {
  constructor(private readonly batcher: Batcher) {}

  @OnEvent(GoodsReceived)
  async goodsReceived(event: EventOf<typeof GoodsReceived>, context: MessageContext): Promise<void> {
    const command = { kind: 'receive-goods', orgId: event.orgid, ...event.data, meta: metaOfEvent(event, context) } as const;
    settleEvent(await this.batcher.submit(command, 'events'));
  }

  @OnCall(ReceiptPost)
  post(
    { dryRun, receiptId = uuidv7(), ...data }: Asked<typeof ReceiptPost>,
    context: MessageContext,
  ): Promise<ResponseOf<typeof ReceiptPost>> {
    return this.batcher.answer({ kind: 'receive-goods', ...data, receiptId, meta: metaOfCall(context) }, dryRun);
  }
}
