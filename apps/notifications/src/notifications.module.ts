import { Module } from '@nestjs/common';
import { type Config, CONFIG } from '#libs/service';
import { Audience } from './channels/audience.js';
import { ChangeChannel } from './channels/change-channel.js';
import { ChannelQueries } from './channels/channel.queries.js';
import { ChannelsConsumer } from './channels/channels.consumer.js';
import { CreateChannel } from './channels/create-channel.js';
import { DeleteChannel } from './channels/delete-channel.js';
import { DeliveriesConsumer } from './deliveries/deliveries.consumer.js';
import { DeliveryQueries } from './deliveries/delivery.queries.js';
import { ForgetDeliveries } from './deliveries/forget-deliveries.js';
import { MeasureDeliveries } from './deliveries/measure-deliveries.js';
import { SendDeliveries } from './deliveries/send-deliveries.js';
import { EventsConsumer } from './notices/events.consumer.js';
import { RecordDeliveries } from './notices/record-deliveries.js';
import { EmailSender } from './sending/email-sender.js';
import { Reachable } from './sending/reachable.js';
import { SENDERS, type Senders } from './sending/sender.js';
import { TelegramSender } from './sending/telegram-sender.js';
import { nameServers, WebhookSender } from './sending/webhook-sender.js';

/** Channels, what they are told, and how it gets there. */
@Module({
  controllers: [ChannelsConsumer, DeliveriesConsumer, EventsConsumer],
  providers: [
    { provide: Reachable, inject: [CONFIG], useFactory: ({ notifications }: Config) => new Reachable(notifications.webhookAllow) },
    {
      provide: SENDERS,
      inject: [CONFIG, Reachable],
      useFactory: ({ notifications }: Config, reachable: Reachable): Senders => ({
        email: new EmailSender(notifications),
        telegram: new TelegramSender(notifications.telegramApiUrl),
        webhook: new WebhookSender({ reachable, resolve: nameServers(reachable.allowsAny) }),
      }),
    },
    Audience,
    CreateChannel,
    ChangeChannel,
    DeleteChannel,
    ChannelQueries,
    RecordDeliveries,
    SendDeliveries,
    ForgetDeliveries,
    MeasureDeliveries,
    DeliveryQueries,
  ],
})
export class NotificationsModule {}
