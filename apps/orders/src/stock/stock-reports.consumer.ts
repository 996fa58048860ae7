import { Controller } from '@nestjs/common';
import {
  BackorderFilled,
  type EventOf,
  ReservationExpired,
  ReservationShorted,
  ShipmentReversalFailed,
  ShipmentReversed,
  StockDepleted,
  StockDepletionFailed,
  StockPartiallyReserved,
  StockPicked,
  StockPickFailed,
  StockReleased,
  StockReservationFailed,
  StockReserved,
  StockReturned,
  StockReturnFailed,
} from '#libs/contracts';
import { OnEvent } from '#libs/messaging';
import { HearInventory } from './hear-inventory.js';
import { holdsChanged, moved, movementFailed, picked, released, reservationFailed, reserved, returned } from './stock-report.js';

/** What inventory says about orders, by event. */
@Controller()
export class StockReportsConsumer {
  constructor(private readonly hearInventory: HearInventory) {}

  @OnEvent(StockReserved)
  async stockReserved(event: EventOf<typeof StockReserved>): Promise<void> {
    await this.hearInventory.run(event, reserved(event.data));
  }

  @OnEvent(StockPartiallyReserved)
  async stockPartiallyReserved(event: EventOf<typeof StockPartiallyReserved>): Promise<void> {
    await this.hearInventory.run(event, reserved(event.data));
  }

  @OnEvent(StockReservationFailed)
  async stockReservationFailed(event: EventOf<typeof StockReservationFailed>): Promise<void> {
    await this.hearInventory.run(event, reservationFailed(event.data));
  }

  @OnEvent(StockReleased)
  async stockReleased(event: EventOf<typeof StockReleased>): Promise<void> {
    await this.hearInventory.run(event, released(event.data));
  }

  @OnEvent(ReservationExpired)
  async reservationExpired(event: EventOf<typeof ReservationExpired>): Promise<void> {
    await this.hearInventory.run(event, holdsChanged(event.data, -1n));
  }

  @OnEvent(BackorderFilled)
  async backorderFilled(event: EventOf<typeof BackorderFilled>): Promise<void> {
    await this.hearInventory.run(event, holdsChanged(event.data, 1n));
  }

  @OnEvent(ReservationShorted)
  async reservationShorted(event: EventOf<typeof ReservationShorted>): Promise<void> {
    await this.hearInventory.run(event, holdsChanged(event.data, -1n));
  }

  @OnEvent(StockPicked)
  async stockPicked(event: EventOf<typeof StockPicked>): Promise<void> {
    await this.hearInventory.run(event, picked(event.data));
  }

  @OnEvent(StockPickFailed)
  async stockPickFailed(event: EventOf<typeof StockPickFailed>): Promise<void> {
    await this.hearInventory.run(event, movementFailed(['pick'], null, event.data));
  }

  @OnEvent(StockDepleted)
  async stockDepleted(event: EventOf<typeof StockDepleted>): Promise<void> {
    await this.hearInventory.run(event, moved('ship', event.data));
  }

  @OnEvent(StockDepletionFailed)
  async stockDepletionFailed(event: EventOf<typeof StockDepletionFailed>): Promise<void> {
    await this.hearInventory.run(event, movementFailed(['ship'], event.data.shipmentId, event.data));
  }

  @OnEvent(ShipmentReversed)
  async shipmentReversed(event: EventOf<typeof ShipmentReversed>): Promise<void> {
    await this.hearInventory.run(event, moved('unship', event.data));
  }

  @OnEvent(ShipmentReversalFailed)
  async shipmentReversalFailed(event: EventOf<typeof ShipmentReversalFailed>): Promise<void> {
    await this.hearInventory.run(event, movementFailed(['unship'], event.data.shipmentId, event.data));
  }

  @OnEvent(StockReturned)
  async stockReturned(event: EventOf<typeof StockReturned>): Promise<void> {
    await this.hearInventory.run(event, returned(event.data));
  }

  @OnEvent(StockReturnFailed)
  async stockReturnFailed(event: EventOf<typeof StockReturnFailed>): Promise<void> {
    await this.hearInventory.run(event, movementFailed(['receive', 'inspect'], event.data.returnId, event.data));
  }
}
