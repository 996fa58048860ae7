import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Channel, ChannelCreate, ChannelDelete, ChannelList, ChannelUpdate, type Page } from '#libs/contracts';
import { notFound } from '#libs/domain';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { isUuid } from '../http/fields.js';
import { pageOf, PageQuery } from '../http/paging.js';
import { Services } from '../http/services.js';
import { ChannelChange, NewChannel } from './notification.dto.js';
import { aBareChannel, aChannel } from './notification.examples.js';

/** Who hears of events. */
@ApiTags('Notifications')
@Controller('notifications/channels')
export class ChannelsController {
  constructor(private readonly services: Services) {}

  @Post()
  @Calls(ChannelCreate, { status: 201, makes: 'channelId', answers: aChannel, also: [aBareChannel] })
  create(@ByCaller() caller: Caller, @Body() channel: NewChannel): Promise<Channel> {
    return this.services.call(ChannelCreate, caller, { ...channel, channelId: caller.madeId });
  }

  @Get()
  @Calls(ChannelList, { answers: pageOf(aChannel), also: [pageOf(aBareChannel)] })
  list(@ByCaller() caller: Caller, @Query() page: PageQuery): Promise<Page<Channel>> {
    return this.services.call(ChannelList, caller, page);
  }

  @Patch(':channelId')
  @Calls(ChannelUpdate, { answers: aChannel, also: [aBareChannel] })
  update(@ByCaller() caller: Caller, @Param('channelId') channelId: string, @Body() change: ChannelChange): Promise<Channel> {
    return this.services.call(ChannelUpdate, caller, { ...change, channelId: known(channelId) });
  }

  @Delete(':channelId')
  @Calls(ChannelDelete, { status: 204, answers: undefined })
  async delete(@ByCaller() caller: Caller, @Param('channelId') channelId: string): Promise<undefined> {
    await this.services.call(ChannelDelete, caller, { channelId: known(channelId) });
  }
}

/** An id that is no UUID is one that does not exist. */
function known(channelId: string): string {
  if (!isUuid(channelId)) throw notFound('NOT_FOUND', `There is no notification channel ${channelId}.`);
  return channelId;
}
