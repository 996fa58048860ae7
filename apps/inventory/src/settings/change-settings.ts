import {
  DEFAULT_STOCK_SETTINGS,
  makeEvent,
  type RequestOf,
  SettingsChanged,
  type SettingsUpdate,
  type StockSettings,
} from '#libs/contracts';
import { rejected, uuidv7 } from '#libs/domain';
import type { Outbox } from '#libs/messaging';
import type { Tx } from '#libs/persistence';
import { readSettings, toSettings } from './settings.queries.js';
import { SettingChangeEntity, SettingsEntity } from './settings.entity.js';
import { changedSettings, type SettingChange } from './stock-settings.js';

/** On whose behalf, and as part of which trace. */
export interface ChangedBy {
  readonly actor: string;
  readonly traceparent?: string | undefined;
}

/**
 * Changes settings of an organisation, keeps each change in the history and says so by `SettingsChanged`. What is set to the value
 * that it has counts as no change. A dry run answers the settings as they would be.
 *
 * @throws {HoldfastError} `STOCK_VALIDATION` when the currency is changed after the first receipt: the costs that are recorded are in it.
 */
export async function changeSettings(
  tx: Tx,
  outbox: Outbox,
  orgId: string,
  request: RequestOf<typeof SettingsUpdate>,
  by: ChangedBy,
): Promise<StockSettings> {
  const current = request.dryRun ? await readSettings(tx, orgId) : await lockSettings(tx, orgId);
  const { settings, changes } = changedSettings(current, request);
  if (changes.some(({ setting }) => setting === 'currency')) await refuseAfterFirstReceipt(tx, orgId, current.currency);
  if (request.dryRun) return { ...settings, dryRun: true };
  if (changes.length > 0) {
    const changedAt = await record(tx, orgId, changes, by);
    const attributes = { source: '/inventory', subject: orgId, orgid: orgId, time: changedAt.toISOString(), ...by };
    await outbox.append(tx, [makeEvent(SettingsChanged, attributes, settings as unknown as Record<string, unknown>)]);
  }
  return settings;
}

/** Makes the row if there is none, so that two changes at once wait for each other from the first one on. */
async function lockSettings(tx: Tx, orgId: string): Promise<StockSettings> {
  await tx.manager
    .createQueryBuilder()
    .insert()
    .into(SettingsEntity)
    .values({ orgId, ...DEFAULT_STOCK_SETTINGS })
    .orIgnore()
    .execute();
  const row = await tx.manager.findOneOrFail(SettingsEntity, { where: { orgId }, lock: { mode: 'pessimistic_write' } });
  return toSettings(row);
}

async function refuseAfterFirstReceipt(tx: Tx, orgId: string, currency: string): Promise<void> {
  const [row] = await tx.rows<{ received: boolean }>(
    `select exists (select from movement where org_id = $1 and movement_type = 'receipt' and ref_id is not null) as received`,
    [orgId],
  );
  if (row?.received)
    throw rejected('STOCK_VALIDATION', `Goods were received at costs in ${currency}, so the currency cannot be changed any more.`);
}

async function record(tx: Tx, orgId: string, changes: readonly SettingChange[], by: ChangedBy): Promise<Date> {
  // The time after the lock was taken, not that of the beginning of the transaction: the history is in the order of the changes.
  const [now] = await tx.rows<{ now: Date }>('select clock_timestamp() as now');
  const changedAt = now!.now;
  await tx.manager.update(SettingsEntity, { orgId }, Object.fromEntries(changes.map(({ setting, to }) => [setting, to])));
  await tx.manager.insert(
    SettingChangeEntity,
    changes.map(({ setting, from, to }) => ({
      orgId,
      changeId: uuidv7(),
      setting,
      from: from as object,
      to: to as object,
      actor: by.actor,
      changedAt,
    })),
  );
  return changedAt;
}
