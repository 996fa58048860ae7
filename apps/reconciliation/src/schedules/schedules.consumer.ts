import { Controller } from '@nestjs/common';
import { type EventOf, SettingsChanged, WarehouseCreated } from '#libs/contracts';
import { OnEvent } from '#libs/messaging';
import { KeepSchedule } from './keep-schedule.js';

/** The events by which organisations and their schedules are heard of: nothing can be in stock before there is a warehouse. */
@Controller()
export class SchedulesConsumer {
  constructor(private readonly schedule: KeepSchedule) {}

  @OnEvent(WarehouseCreated)
  async warehouseCreated({ orgid }: EventOf<typeof WarehouseCreated>): Promise<void> {
    await this.schedule.learn(orgid);
  }

  @OnEvent(SettingsChanged)
  async settingsChanged({ orgid, data, time }: EventOf<typeof SettingsChanged>): Promise<void> {
    await this.schedule.change(orgid, data, time);
  }
}
