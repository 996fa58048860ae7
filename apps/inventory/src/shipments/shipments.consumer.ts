import { Controller } from '@nestjs/common';
import { type EventOf, type MovementAnswer, ShipmentCancelled, ShipmentConfirmed, StockShip, StockUnship } from '#libs/contracts';
import { type MessageContext, OnCall, OnEvent } from '#libs/messaging';
import type { Asked } from '../asked.js';
import { Batcher } from '../stock-machine/batcher.js';
import { metaOfCall, metaOfEvent, settleEvent } from '../stock-machine/command-meta.js';

/** Shipments that happened, and those that did not happen after all. Nothing is decided here. */
@Controller()
export class ShipmentsConsumer {
  constructor(private readonly batcher: Batcher) {}

  @OnEvent(ShipmentConfirmed)
  async shipmentConfirmed(event: EventOf<typeof ShipmentConfirmed>, context: MessageContext): Promise<void> {
    const command = { kind: 'ship', orgId: event.orgid, ...event.data, meta: metaOfEvent(event, context) } as const;
    settleEvent(await this.batcher.submit(command, 'events'));
  }

  @OnEvent(ShipmentCancelled)
  async shipmentCancelled(event: EventOf<typeof ShipmentCancelled>, context: MessageContext): Promise<void> {
    const command = { kind: 'unship', orgId: event.orgid, ...event.data, meta: metaOfEvent(event, context) } as const;
    settleEvent(await this.batcher.submit(command, 'events'));
  }

  @OnCall(StockShip)
  ship({ dryRun, sequence, ...data }: Asked<typeof StockShip>, context: MessageContext): Promise<MovementAnswer> {
    return this.batcher.answer({ kind: 'ship', ...data, meta: metaOfCall(context, sequence) }, dryRun);
  }

  @OnCall(StockUnship)
  unship({ dryRun, sequence, ...data }: Asked<typeof StockUnship>, context: MessageContext): Promise<MovementAnswer> {
    return this.batcher.answer({ kind: 'unship', ...data, meta: metaOfCall(context, sequence) }, dryRun);
  }
}
