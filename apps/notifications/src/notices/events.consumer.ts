import { Controller } from '@nestjs/common';
import type { CloudEvent } from '#libs/contracts';
import { OnEvent } from '#libs/messaging';
import { NOTICES } from './notices.js';
import { RecordDeliveries } from './record-deliveries.js';

/** The events that people are told of. */
@Controller()
export class EventsConsumer {
  constructor(readonly recordDeliveries: RecordDeliveries) {}
}

// A handler per entry of the table; a new one is subscribed to without a word here.
for (const { event: definition } of NOTICES) {
  const value = async function (this: EventsConsumer, event: CloudEvent): Promise<void> {
    await this.recordDeliveries.run(event);
  };
  const descriptor = { value, writable: true, configurable: true };
  OnEvent(definition)(EventsConsumer.prototype, `on${definition.type}`, descriptor);
  Object.defineProperty(EventsConsumer.prototype, `on${definition.type}`, descriptor);
}
