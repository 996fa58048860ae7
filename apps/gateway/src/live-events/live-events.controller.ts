import { Controller, type MessageEvent, Req, Sse } from '@nestjs/common';
import { ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { EVERY_ROLE } from '#libs/contracts';
import { Identities } from '../auth/identities.js';
import { ByCaller, Caller, type GatewayRequest } from '../http/caller.js';
import { Allow } from '../http/endpoint.js';
import { LiveEvents } from './live-events.js';

@ApiTags('Events')
@Controller('events')
export class LiveEventsController {
  constructor(
    private readonly events: LiveEvents,
    private readonly identities: Identities,
  ) {}

  @Sse()
  @ApiProduces('text/event-stream')
  @Allow(EVERY_ROLE, { summary: "The events of the caller's organisation from now on, as server-sent events.", answers: undefined })
  stream(@ByCaller() { actor }: Caller, @Req() { headers }: GatewayRequest): Observable<MessageEvent> {
    return this.events.stream(actor, () => this.identities.identify(headers));
  }
}
