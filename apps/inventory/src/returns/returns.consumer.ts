import { Controller } from '@nestjs/common';
import { type EventOf, type MovementAnswer, ReturnInspected, ReturnReceived, StockInspect, StockReturn } from '#libs/contracts';
import { type MessageContext, OnCall, OnEvent } from '#libs/messaging';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall, metaOfEvent, settleEvent } from '../stock-machine/command-meta.js';

/** Goods that customers sent back, and what they are good for. Nothing is decided here. */
@Controller()
export class ReturnsConsumer {
  constructor(private readonly batcher: Batcher) {}

  @OnEvent(ReturnReceived)
  async returnReceived(event: EventOf<typeof ReturnReceived>, context: MessageContext): Promise<void> {
    const command = { kind: 'receive-return', orgId: event.orgid, ...event.data, meta: metaOfEvent(event, context) } as const;
    settleEvent(await this.batcher.submit(command, 'events'));
  }

  @OnEvent(ReturnInspected)
  async returnInspected(event: EventOf<typeof ReturnInspected>, context: MessageContext): Promise<void> {
    const command = { kind: 'inspect-return', orgId: event.orgid, ...event.data, meta: metaOfEvent(event, context) } as const;
    settleEvent(await this.batcher.submit(command, 'events'));
  }

  @OnCall(StockReturn)
  receive({ dryRun, sequence, ...data }: Asked<typeof StockReturn>, context: MessageContext): Promise<MovementAnswer> {
    return this.batcher.answer({ kind: 'receive-return', ...data, meta: metaOfCall(context, sequence) }, dryRun);
  }

  @OnCall(StockInspect)
  inspect({ dryRun, sequence, ...data }: Asked<typeof StockInspect>, context: MessageContext): Promise<MovementAnswer> {
    return this.batcher.answer({ kind: 'inspect-return', ...data, meta: metaOfCall(context, sequence) }, dryRun);
  }
}
