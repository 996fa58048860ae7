import { isDeepStrictEqual } from 'node:util';
import { Cron } from 'croner';
import { DEFAULT_STOCK_SETTINGS, type RequestOf, type SettingsUpdate, type StockSettings } from '#libs/contracts';
import { invalid, isTimeZone, parseQuantity, shortestDecimal } from '#libs/domain';

const SETTINGS = Object.keys(DEFAULT_STOCK_SETTINGS) as readonly (keyof StockSettings)[];

export interface SettingChange {
  readonly setting: keyof StockSettings;
  readonly from: unknown;
  readonly to: unknown;
}

/**
 * The settings as `request` wants them, and what that changes; a setting that is not named stays as it is.
 *
 * @throws {HoldfastError} kind `invalid` when the time zone is none, the percentages are not in order, or reconciliation would never come.
 */
export function changedSettings(
  current: StockSettings,
  request: RequestOf<typeof SettingsUpdate>,
): { readonly settings: StockSettings; readonly changes: readonly SettingChange[] } {
  const { defaultReorderPoint, timezone, softBlockPercent, tolerance, severityPercents, reconciliationCron } = request;
  if (timezone !== undefined && !isTimeZone(timezone)) {
    throw invalid('The time zone is not known.', [{ path: 'timezone', message: 'must be the name of a time zone such as Europe/Berlin' }]);
  }
  if (severityPercents !== undefined) refuseUnordered(severityPercents);
  if (reconciliationCron !== undefined) refuseNever(reconciliationCron);
  const wanted: Record<string, unknown> = {
    ...request,
    defaultReorderPoint: defaultReorderPoint && shortestDecimal(defaultReorderPoint),
    softBlockPercent: softBlockPercent && shortestDecimal(softBlockPercent),
    tolerance: tolerance && { quantity: shortestDecimal(tolerance.quantity), percent: shortestDecimal(tolerance.percent) },
    severityPercents: severityPercents?.map(shortestDecimal),
  };
  const differs = (setting: keyof StockSettings) => !isDeepStrictEqual(wanted[setting], current[setting]);
  const changes = SETTINGS.filter((setting) => wanted[setting] !== undefined && differs(setting)).map((setting) => ({
    setting,
    from: current[setting],
    to: wanted[setting],
  }));
  const settings = { ...current, ...Object.fromEntries(changes.map(({ setting, to }) => [setting, to])) };
  return { settings, changes };
}

/** What is low must be less than what is medium, and so on: else no difference would be of one of them. */
function refuseUnordered(percents: readonly string[]): void {
  const isOrdered = percents.every((percent, index) => index === 0 || parseQuantity(percents[index - 1]!) < parseQuantity(percent));
  if (isOrdered) return;
  throw invalid('The percentages are not in order.', [
    { path: 'severityPercents', message: 'must rise: up to which a difference is low, medium, high' },
  ]);
}

/** A time that is wrong, or never comes, would switch reconciliation off, and nobody would notice. */
function refuseNever(cron: string): void {
  if (comesAgain(cron)) return;
  throw invalid('Reconciliation would never come.', [{ path: 'reconciliationCron', message: `names no time that ever comes: ${cron}` }]);
}

function comesAgain(cron: string): boolean {
  try {
    return new Cron(cron).nextRun() !== null;
  } catch {
    return false;
  }
}
