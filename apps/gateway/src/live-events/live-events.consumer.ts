import { Controller } from '@nestjs/common';
import { allEvents, type CloudEvent } from '#libs/contracts';
import { OnLiveEvent } from '#libs/messaging';
import { LiveEvents } from './live-events.js';

/** Takes every event that Holdfast publishes, in every process of the gateway: each has watchers of its own. */
@Controller()
export class LiveEventsConsumer {
  constructor(readonly events: LiveEvents) {}
}

// A handler per kind of event; a new kind is watched without a word here.
for (const definition of allEvents().filter(({ direction }) => direction === 'out')) {
  const value = function (this: LiveEventsConsumer, event: CloudEvent): Promise<void> {
    this.events.publish(event);
    return Promise.resolve();
  };
  const descriptor = { value, writable: true, configurable: true };
  OnLiveEvent(definition)(LiveEventsConsumer.prototype, `on${definition.type}`, descriptor);
  Object.defineProperty(LiveEventsConsumer.prototype, `on${definition.type}`, descriptor);
}
