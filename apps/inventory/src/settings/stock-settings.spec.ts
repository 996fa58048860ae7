import { DEFAULT_STOCK_SETTINGS } from '#libs/contracts';
import { changedSettings } from './stock-settings.js';

describe('stock settings', () => {
  it('changes what is named and says from what to what', () => {
    const { settings, changes } = changedSettings(DEFAULT_STOCK_SETTINGS, { returnQuarantine: false, defaultReorderPoint: '5' });
    expect(settings).toEqual({ ...DEFAULT_STOCK_SETTINGS, returnQuarantine: false, defaultReorderPoint: '5' });
    expect(changes).toEqual([
      { setting: 'defaultReorderPoint', from: null, to: '5' },
      { setting: 'returnQuarantine', from: true, to: false },
    ]);
  });

  it('changes nothing when the values are the same, however they are written', () => {
    const current = { ...DEFAULT_STOCK_SETTINGS, defaultReorderPoint: '2.5' };
    expect(changedSettings(current, { defaultReorderPoint: '2.500', currency: 'EUR' })).toEqual({ settings: current, changes: [] });
  });

  it('takes the name of any time zone, and refuses what is none', () => {
    expect(changedSettings(DEFAULT_STOCK_SETTINGS, { timezone: 'Europe/Berlin', deliveryLeadDays: 2 }).changes).toEqual([
      { setting: 'deliveryLeadDays', from: 0, to: 2 },
      { setting: 'timezone', from: 'UTC', to: 'Europe/Berlin' },
    ]);
    const errors = [{ path: 'timezone', message: 'must be the name of a time zone such as Europe/Berlin' }];
    expect(() => changedSettings(DEFAULT_STOCK_SETTINGS, { timezone: '+01:00' })).toThrow(expect.objectContaining({ details: { errors } }));
  });

  it.each(['0 2 30 2 *', '99 2 * * *', '0 2 * * FUN', 'every night'])('refuses %j, by which reconciliation would never come', (cron) => {
    const errors = [{ path: 'reconciliationCron', message: `names no time that ever comes: ${cron}` }];
    expect(() => changedSettings(DEFAULT_STOCK_SETTINGS, { reconciliationCron: cron })).toThrow(
      expect.objectContaining({ details: { errors } }),
    );
  });

  it.each(['0 2 29 2 *', '*/15 0-6 * * 1-5', '30 3 L * *', '0 4 * * MON'])('takes %j for the time of reconciliation', (cron) => {
    expect(changedSettings(DEFAULT_STOCK_SETTINGS, { reconciliationCron: cron }).settings.reconciliationCron).toBe(cron);
  });

  it.each([
    ['2', '2', '2'],
    ['2', '5', '4'],
    ['2', '2.0', '20'],
  ])('refuses percentages that do not rise: %s, %s, %s', (...severityPercents) => {
    const errors = [{ path: 'severityPercents', message: 'must rise: up to which a difference is low, medium, high' }];
    expect(() => changedSettings(DEFAULT_STOCK_SETTINGS, { severityPercents })).toThrow(expect.objectContaining({ details: { errors } }));
  });

  it('clears what is null', () => {
    const { settings } = changedSettings({ ...DEFAULT_STOCK_SETTINGS, defaultReorderPoint: '2.5' }, { defaultReorderPoint: null });
    expect(settings.defaultReorderPoint).toBeNull();
  });
});
