import { Inject, Injectable } from '@nestjs/common';
import { type Channel, type ChannelUpdate, notifiedEventTypes, type RequestOf } from '#libs/contracts';
import { invalid } from '#libs/domain';
import { Database, type Tx } from '#libs/persistence';
import { SendDeliveries } from '../deliveries/send-deliveries.js';
import { Reachable } from '../sending/reachable.js';
import { SENDERS, type Senders } from '../sending/sender.js';
import { Audience } from './audience.js';
import type { StoredChannel } from './channel.js';
import { checkEvents, checkSecret, checkTarget } from './channel.rules.js';
import { endRest, findChannel, giveUpWaiting, lockChannel, updateChannel } from './channel.sql.js';
import { channelNotFound, toChannel } from './channel-view.js';

/** Changes a channel. */
@Injectable()
export class ChangeChannel {
  constructor(
    private readonly database: Database,
    private readonly audience: Audience,
    private readonly reachable: Reachable,
    private readonly sending: SendDeliveries,
    @Inject(SENDERS) private readonly senders: Senders,
  ) {}

  /**
   * What is left out stays. What waits for the channel is sent to where it then is, at once; when it is switched off, it is given up.
   *
   * @throws {HoldfastError} 404 `NOT_FOUND`; `VALIDATION_FAILED` for what does not fit the kind of the channel.
   */
  async run(orgId: string, { channelId, ...change }: RequestOf<typeof ChannelUpdate>, by: string): Promise<Channel> {
    const changed = await this.database.transaction(
      [orgId],
      async (tx) => {
        const channel = await lockChannel(tx, orgId, channelId);
        if (channel === undefined) throw channelNotFound(channelId);
        this.#check(channel, change);
        await updateChannel(tx, orgId, { ...channel, ...change, updatedBy: by }, change.secret);
        await this.#afterChange(tx, orgId, channel, change);
        return (await findChannel(tx, orgId, channelId))!;
      },
      { repeatable: true },
    );
    this.audience.forget(orgId);
    this.sending.wake();
    return toChannel(changed, this.senders);
  }

  #check({ kind }: StoredChannel, { target, secret, events }: Omit<RequestOf<typeof ChannelUpdate>, 'channelId'>): void {
    const errors = [
      ...(target === undefined ? [] : checkTarget(kind, target, this.reachable)),
      ...(secret === undefined ? [] : checkSecret(kind, secret)),
      ...checkEvents(events, notifiedEventTypes()),
    ];
    if (errors.length > 0) throw invalid('The change of the channel is not valid.', errors);
  }

  async #afterChange(
    tx: Tx,
    orgId: string,
    { channelId }: StoredChannel,
    { enabled, target, secret }: Omit<RequestOf<typeof ChannelUpdate>, 'channelId'>,
  ): Promise<void> {
    if (enabled === false) await giveUpWaiting(tx, orgId, channelId, 'The channel was switched off.');
    if (target !== undefined || secret !== undefined || enabled === true) await endRest(tx, orgId, channelId);
  }
}
