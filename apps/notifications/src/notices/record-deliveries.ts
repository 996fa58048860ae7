import { Injectable } from '@nestjs/common';
import type { CloudEvent } from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import { Inbox, inboxKey } from '#libs/messaging';
import { Database } from '#libs/persistence';
import { Audience } from '../channels/audience.js';
import { lockListeningChannels } from '../channels/channel.sql.js';
import { insertDeliveries, insertNotice, makeDue } from '../deliveries/delivery.sql.js';
import { SendDeliveries } from '../deliveries/send-deliveries.js';
import { noticeKindOf } from './notices.js';
import { chooseRecipients } from './recipients.js';

/** Writes down who is to be told of an event, one delivery for each channel; sending them is another matter. */
@Injectable()
export class RecordDeliveries {
  constructor(
    private readonly database: Database,
    private readonly inbox: Inbox,
    private readonly audience: Audience,
    private readonly sending: SendDeliveries,
  ) {}

  /** An event that comes again has no effect: what says that it came is written together with its deliveries. */
  async run(event: CloudEvent): Promise<void> {
    const { orgid: orgId, type } = event;
    const kind = noticeKindOf(type);
    const data = event.data as Record<string, unknown>;
    if (kind.concerns?.(data) === false || !(await this.audience.listens(orgId))) return;
    const recorded = await this.database.transaction([orgId], async (tx) => {
      if ((await this.inbox.admit(tx, [event])).size === 0) return false;
      const recipients = chooseRecipients(type, kind.roles(data), await lockListeningChannels(tx, orgId));
      if (recipients.length === 0) return false;
      const noticeId = inboxKey(event);
      const { title, lines } = kind.describe(data, event);
      if (!(await insertNotice(tx, { noticeId, event, title, lines, data: kind.payload?.(data) ?? data }))) return false;
      const deliveries = recipients.map((channel) => ({ deliveryId: uuidv7(), channel }));
      await insertDeliveries(tx, orgId, noticeId, deliveries);
      await makeDue(
        tx,
        orgId,
        recipients.map(({ channelId }) => channelId),
      );
      return true;
    });
    if (recorded) this.sending.wake();
  }
}
