import { Controller } from '@nestjs/common';
import {
  type Channel,
  ChannelCreate,
  ChannelDelete,
  ChannelList,
  ChannelUpdate,
  type Page,
  type RequestOf,
  type ResponseOf,
} from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { ChangeChannel } from './change-channel.js';
import { ChannelQueries } from './channel.queries.js';
import { CreateChannel } from './create-channel.js';
import { DeleteChannel } from './delete-channel.js';

/** What a call asks beside its organisation. */
type Asked<D extends Parameters<typeof OnCall>[0]> = RequestOf<D> & { readonly orgId: string };

/** The calls about channels. */
@Controller()
export class ChannelsConsumer {
  constructor(
    private readonly createChannel: CreateChannel,
    private readonly changeChannel: ChangeChannel,
    private readonly deleteChannel: DeleteChannel,
    private readonly queries: ChannelQueries,
  ) {}

  @OnCall(ChannelCreate)
  create({ orgId, ...request }: Asked<typeof ChannelCreate>, { actor }: MessageContext): Promise<Channel> {
    return this.createChannel.run(orgId, request, actor.userId);
  }

  @OnCall(ChannelList)
  list({ orgId, ...query }: Asked<typeof ChannelList>): Promise<Page<Channel>> {
    return this.queries.list(orgId, query);
  }

  @OnCall(ChannelUpdate)
  update({ orgId, ...request }: Asked<typeof ChannelUpdate>, { actor }: MessageContext): Promise<Channel> {
    return this.changeChannel.run(orgId, request, actor.userId);
  }

  @OnCall(ChannelDelete)
  async delete({ orgId, channelId }: Asked<typeof ChannelDelete>): Promise<ResponseOf<typeof ChannelDelete>> {
    await this.deleteChannel.run(orgId, channelId);
    return { channelId };
  }
}
