import {
  Cursor,
  DEFAULT_STOCK_SETTINGS,
  PAGE_LIMIT_DEFAULT,
  type RequestOf,
  type ResponseOf,
  type SettingsHistory,
  type StockSettings,
} from '#libs/contracts';
import { shortestDecimal } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import type { SettingsEntity } from './settings.entity.js';

/** Asked for every order that is placed, hence prepared: through the entity the statement is planned anew each time. */
const read = statement<Omit<SettingsEntity, 'orgId'>>(
  'settings_read',
  `select soft_reservation_ttl_seconds as "softReservationTtlSeconds", default_reorder_point as "defaultReorderPoint",
          reservation_mode as "reservationMode", return_quarantine as "returnQuarantine", currency,
          delivery_lead_days as "deliveryLeadDays", timezone, sourcing_strategy as "sourcingStrategy",
          min_remaining_shelf_life_days as "minRemainingShelfLifeDays", enforcement_phase as "enforcementPhase",
          allow_inventory_oversell as "allowInventoryOversell", discrepancy_lock_policy as "discrepancyLockPolicy",
          soft_block_percent as "softBlockPercent", tolerance, severity_percents as "severityPercents",
          reconciliation_cron as "reconciliationCron"
     from stock_settings where org_id = $1`,
);

/** The settings of an organisation; the defaults when it has changed none. */
export async function readSettings(tx: Tx, orgId: string): Promise<StockSettings> {
  const [row] = await tx.run(read, [orgId]);
  return row === undefined ? DEFAULT_STOCK_SETTINGS : toSettings(row);
}

export function toSettings(row: Omit<SettingsEntity, 'orgId'>): StockSettings {
  return {
    softReservationTtlSeconds: row.softReservationTtlSeconds,
    defaultReorderPoint: row.defaultReorderPoint === null ? null : shortestDecimal(row.defaultReorderPoint),
    reservationMode: row.reservationMode,
    returnQuarantine: row.returnQuarantine,
    currency: row.currency,
    deliveryLeadDays: row.deliveryLeadDays,
    timezone: row.timezone,
    sourcingStrategy: row.sourcingStrategy,
    minRemainingShelfLifeDays: row.minRemainingShelfLifeDays,
    enforcementPhase: row.enforcementPhase,
    allowInventoryOversell: row.allowInventoryOversell,
    discrepancyLockPolicy: row.discrepancyLockPolicy,
    softBlockPercent: shortestDecimal(row.softBlockPercent),
    tolerance: row.tolerance,
    severityPercents: row.severityPercents,
    reconciliationCron: row.reconciliationCron,
  };
}

const cursor = new Cursor('time', 'uuid');

interface ChangeRow {
  readonly change_id: string;
  readonly setting: string;
  readonly from_value: unknown;
  readonly to_value: unknown;
  readonly actor: string | null;
  readonly changed_at: Date;
  readonly changed_at_key: string;
}

/** Who changed which setting when, newest first. */
export async function listSettingChanges(
  tx: Tx,
  orgId: string,
  request: RequestOf<typeof SettingsHistory>,
): Promise<ResponseOf<typeof SettingsHistory>> {
  const limit = request.limit ?? PAGE_LIMIT_DEFAULT;
  const [changedAt = null, changeId = null] = cursor.read(request.cursor);
  const rows = await tx.rows<ChangeRow>(
    `select change_id, setting, from_value, to_value, actor, changed_at,
            to_char(changed_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as changed_at_key
     from setting_change
     where org_id = $1 and ($2::timestamptz is null or (changed_at, change_id) < ($2::timestamptz, $3::uuid))
     order by changed_at desc, change_id desc
     limit $4`,
    [orgId, changedAt, changeId, limit + 1],
  );
  return cursor.page(
    rows,
    limit,
    (row) => [row.changed_at_key, row.change_id],
    (row) => ({
      setting: row.setting,
      from: row.from_value,
      to: row.to_value,
      actor: row.actor,
      changedAt: row.changed_at.toISOString(),
    }),
  );
}
