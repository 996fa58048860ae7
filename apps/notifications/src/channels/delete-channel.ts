import { Injectable } from '@nestjs/common';
import { Database } from '#libs/persistence';
import { Audience } from './audience.js';
import { deleteChannel, giveUpWaiting, lockChannel } from './channel.sql.js';
import { channelNotFound } from './channel-view.js';

/** Ends a channel. Its deliveries stay to be looked at; its secret goes. */
@Injectable()
export class DeleteChannel {
  constructor(
    private readonly database: Database,
    private readonly audience: Audience,
  ) {}

  /** @throws {HoldfastError} 404 `NOT_FOUND`. */
  async run(orgId: string, channelId: string): Promise<void> {
    await this.database.transaction([orgId], async (tx) => {
      if ((await lockChannel(tx, orgId, channelId)) === undefined) throw channelNotFound(channelId);
      await giveUpWaiting(tx, orgId, channelId, 'The channel was deleted.');
      await deleteChannel(tx, orgId, channelId);
    });
    this.audience.forget(orgId);
  }
}
