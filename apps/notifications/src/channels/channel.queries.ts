import { Inject, Injectable } from '@nestjs/common';
import { type Channel, type ChannelList, Cursor, type Page, PAGE_LIMIT_DEFAULT, type RequestOf } from '#libs/contracts';
import { Database } from '#libs/persistence';
import { SENDERS, type Senders } from '../sending/sender.js';
import type { StoredChannel } from './channel.js';
import { CHANNEL_COLUMNS } from './channel.sql.js';
import { toChannel } from './channel-view.js';

// The ids are made in the order of time.
const cursor = new Cursor('uuid');

/** Channels for screens. */
@Injectable()
export class ChannelQueries {
  constructor(
    private readonly database: Database,
    @Inject(SENDERS) private readonly senders: Senders,
  ) {}

  /** Newest first. */
  async list(orgId: string, query: RequestOf<typeof ChannelList>): Promise<Page<Channel>> {
    const [after = null] = cursor.read(query.cursor);
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
    const rows = await this.database.transaction(
      [orgId],
      (tx) =>
        tx.rows<StoredChannel>(
          `select ${CHANNEL_COLUMNS} from channel where org_id = $1 and ($2::uuid is null or channel_id < $2)
            order by channel_id desc limit $3`,
          [orgId, after, limit + 1],
        ),
      { readOnly: true },
    );
    return cursor.page(
      rows,
      limit,
      (row) => [row.channelId],
      (row) => toChannel(row, this.senders),
    );
  }
}
