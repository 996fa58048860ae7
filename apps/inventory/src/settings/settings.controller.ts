import { Controller } from '@nestjs/common';
import { SettingsGet, SettingsHistory, SettingsUpdate, type ResponseOf, type StockSettings } from '#libs/contracts';
import { type MessageContext, OnCall, Outbox } from '#libs/messaging';
import { Database } from '#libs/persistence';
import type { Asked } from '../asked.js';
import { changeSettings } from './change-settings.js';
import { listSettingChanges, readSettings } from './settings.queries.js';

/** The calls about an organisation's settings. */
@Controller()
export class SettingsController {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  @OnCall(SettingsGet)
  get({ orgId }: Asked<typeof SettingsGet>): Promise<StockSettings> {
    return this.database.transaction([orgId], (tx) => readSettings(tx, orgId), { inOneGo: true });
  }

  @OnCall(SettingsUpdate)
  update({ orgId, ...request }: Asked<typeof SettingsUpdate>, { actor, traceparent }: MessageContext): Promise<StockSettings> {
    return this.database.transaction(
      [orgId],
      (tx) => changeSettings(tx, this.outbox, orgId, request, { actor: actor.userId, traceparent }),
      {
        readOnly: request.dryRun ?? false,
        repeatable: true,
      },
    );
  }

  @OnCall(SettingsHistory)
  history({ orgId, ...request }: Asked<typeof SettingsHistory>): Promise<ResponseOf<typeof SettingsHistory>> {
    return this.database.transaction([orgId], (tx) => listSettingChanges(tx, orgId, request), { readOnly: true });
  }
}
