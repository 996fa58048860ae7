import { Inject, Injectable } from '@nestjs/common';
import { type Channel, type ChannelCreate, notifiedEventTypes, type RequestOf } from '#libs/contracts';
import { conflict, invalid } from '#libs/domain';
import { Database } from '#libs/persistence';
import { Reachable } from '../sending/reachable.js';
import { SENDERS, type Senders } from '../sending/sender.js';
import { Audience } from './audience.js';
import { CHANNELS_MAX, checkEvents, checkSecret, checkTarget } from './channel.rules.js';
import { countChannels, findChannel, insertChannel } from './channel.sql.js';
import { toChannel } from './channel-view.js';

/** Makes a channel. */
@Injectable()
export class CreateChannel {
  constructor(
    private readonly database: Database,
    private readonly audience: Audience,
    private readonly reachable: Reachable,
    @Inject(SENDERS) private readonly senders: Senders,
  ) {}

  /**
   * One that has the id already is answered as it is: the gateway gives a repeat of the same request the same id.
   *
   * @throws {HoldfastError} `VALIDATION_FAILED` for a target, secret or event that does not fit; 409 `INVALID_STATE` when there are too
   * many channels.
   */
  async run(orgId: string, request: RequestOf<typeof ChannelCreate>, by: string): Promise<Channel> {
    const { channelId, kind, name, target, events = null, roles = null, enabled = true, secret } = request;
    const errors = [
      ...checkTarget(kind, target, this.reachable),
      ...checkSecret(kind, secret),
      ...checkEvents(events, notifiedEventTypes()),
    ];
    if (errors.length > 0) throw invalid('The channel is not valid.', errors);
    const made = await this.database.transaction(
      [orgId],
      async (tx) => {
        const known = await findChannel(tx, orgId, channelId);
        if (known !== undefined) return known;
        if ((await countChannels(tx, orgId)) >= CHANNELS_MAX)
          throw conflict('INVALID_STATE', `There are ${CHANNELS_MAX} channels already; delete one, or let one serve several events.`);
        const channel = { channelId, kind, name, target, events, roles, enabled, secret: secret ?? null, createdBy: by };
        await insertChannel(tx, orgId, channel);
        return (await findChannel(tx, orgId, channelId))!;
      },
      { repeatable: true },
    );
    this.audience.forget(orgId);
    return toChannel(made, this.senders);
  }
}
