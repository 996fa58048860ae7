import { Controller, Module } from '@nestjs/common';
import { AvailabilityGet, type ResponseOf } from '#libs/contracts';
import { OnCall } from '#libs/messaging';
import { runService } from '#libs/service';

/** What a call costs before anything is done for it: the platform of a service as it is, and a handler that has the answer at hand. */
@Controller()
class EmptyController {
  @OnCall(AvailabilityGet)
  async get(): Promise<ResponseOf<typeof AvailabilityGet>> {
    return { items: [] };
  }
}

@Module({ controllers: [EmptyController] })
class EmptyModule {}

await runService({ service: 'inventory', module: EmptyModule });
