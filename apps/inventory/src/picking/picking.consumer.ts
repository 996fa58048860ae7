import { Controller } from '@nestjs/common';
import { type EventOf, OrderPicked, type PickAnswer, StockPick } from '#libs/contracts';
import { type MessageContext, OnCall, OnEvent } from '#libs/messaging';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall, metaOfEvent, settleEvent } from '../stock-machine/command-meta.js';

/** What was really picked for orders. Nothing is decided here. */
@Controller()
export class PickingConsumer {
  constructor(private readonly batcher: Batcher) {}

  @OnEvent(OrderPicked)
  async orderPicked(event: EventOf<typeof OrderPicked>, context: MessageContext): Promise<void> {
    const command = { kind: 'confirm-pick', orgId: event.orgid, ...event.data, meta: metaOfEvent(event, context) } as const;
    settleEvent(await this.batcher.submit(command, 'events'));
  }

  @OnCall(StockPick)
  pick({ dryRun, sequence, ...data }: Asked<typeof StockPick>, context: MessageContext): Promise<PickAnswer> {
    return this.batcher.answer({ kind: 'confirm-pick', ...data, meta: metaOfCall(context, sequence) }, dryRun);
  }
}
