import { Controller } from '@nestjs/common';
import { type EventOf, SettingsChanged } from '#libs/contracts';
import { type MessageContext, OnEvent } from '#libs/messaging';
import { Database } from '#libs/persistence';
import { Batcher } from '../stock-machine/batcher.js';
import { balancesBelowZero } from './discrepancy.sql.js';

const BALANCES_PER_PAGE = 200;

/** What has to be looked at when an organisation begins to enforce what its books say. */
@Controller()
export class BelowZeroConsumer {
  constructor(
    private readonly database: Database,
    private readonly batcher: Batcher,
  ) {}

  /** By event, so that it is done whichever process dies meanwhile; page by page, so that others come in between. */
  @OnEvent(SettingsChanged)
  async settingsChanged({ orgid: orgId, data, id }: EventOf<typeof SettingsChanged>, context: MessageContext): Promise<void> {
    if (data['enforcementPhase'] !== 'hard') return;
    const meta = { messageId: id, causationId: id, actor: 'enforcement', traceparent: context.traceparent, mayWait: false };
    for (let after = { warehouse_id: '', item_id: '' }; ;) {
      const { warehouse_id, item_id } = after;
      const page = await this.database.transaction(
        [orgId],
        (tx) => tx.run(balancesBelowZero, [orgId, warehouse_id, item_id, BALANCES_PER_PAGE]),
        { readOnly: true },
      );
      await Promise.all(
        page.map((row) =>
          this.batcher.submit({ kind: 'note-below-zero', orgId, warehouseId: row.warehouse_id, itemId: row.item_id, meta }, 'events'),
        ),
      );
      if (page.length < BALANCES_PER_PAGE) return;
      after = page.at(-1)!;
    }
  }
}
