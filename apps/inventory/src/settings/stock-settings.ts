import type { RequestOf, SettingsUpdate, StockSettings } from '#libs/contracts';
import { invalid, isTimeZone, shortestDecimal } from '#libs/domain';

/** What counts while an organisation has said nothing else. */
export const DEFAULT_SETTINGS: StockSettings = {
  softReservationTtlSeconds: 1800,
  defaultReorderPoint: null,
  reservationMode: 'all_or_nothing',
  returnQuarantine: true,
  currency: 'EUR',
  deliveryLeadDays: 0,
  timezone: 'UTC',
  sourcingStrategy: 'priority',
  minRemainingShelfLifeDays: 0,
};

const SETTINGS = Object.keys(DEFAULT_SETTINGS) as readonly (keyof StockSettings)[];

export interface SettingChange {
  readonly setting: keyof StockSettings;
  readonly from: unknown;
  readonly to: unknown;
}

/**
 * The settings as `request` wants them, and what that changes; a setting that is not named stays as it is.
 *
 * @throws {HoldfastError} kind `invalid` when the time zone is none.
 */
export function changedSettings(
  current: StockSettings,
  request: RequestOf<typeof SettingsUpdate>,
): { readonly settings: StockSettings; readonly changes: readonly SettingChange[] } {
  const { defaultReorderPoint, timezone } = request;
  if (timezone !== undefined && !isTimeZone(timezone)) {
    throw invalid('The time zone is not known.', [{ path: 'timezone', message: 'must be the name of a time zone such as Europe/Berlin' }]);
  }
  const wanted: Record<string, unknown> = { ...request, defaultReorderPoint: defaultReorderPoint && shortestDecimal(defaultReorderPoint) };
  const changes = SETTINGS.filter((setting) => wanted[setting] !== undefined && wanted[setting] !== current[setting]).map((setting) => ({
    setting,
    from: current[setting],
    to: wanted[setting],
  }));
  const settings = { ...current, ...Object.fromEntries(changes.map(({ setting, to }) => [setting, to])) };
  return { settings, changes };
}
