import { Body, Controller, Get, Patch, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { SettingsGet, SettingsHistory, SettingsUpdate, type StockSettings } from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { BooleanField, ChoiceField, CurrencyField, DecimalField, IntegerField, TimeZoneField } from '../http/fields.js';
import { pageOf, PageQuery } from '../http/paging.js';
import { Services } from '../http/services.js';

const RESERVATION_MODES = ['all_or_nothing', 'partial'] as const;
const YEAR_SECONDS = 31_536_000;

class SettingsChange {
  @IntegerField(1, YEAR_SECONDS, { optional: true, description: 'How long an unconfirmed order holds its stock.', example: 1800 })
  softReservationTtlSeconds?: number;

  @DecimalField('zero or more', { optional: true, nullable: true, example: '10' })
  defaultReorderPoint?: string | null;

  @ChoiceField(RESERVATION_MODES, { optional: true, example: 'all_or_nothing' })
  reservationMode?: (typeof RESERVATION_MODES)[number];

  @BooleanField({ optional: true, description: 'Returned goods wait for inspection.', example: true })
  returnQuarantine?: boolean;

  @CurrencyField({ optional: true, description: 'Fixed after the first receipt.' })
  currency?: string;

  @IntegerField(0, 365, { optional: true, description: 'From leaving the warehouse to the customer.', example: 2 })
  deliveryLeadDays?: number;

  @TimeZoneField({ optional: true, description: 'In which days begin and end.' })
  timezone?: string;

  @ChoiceField(['priority', 'most_stock', 'fewest_splits'], {
    optional: true,
    description: 'In which order warehouses serve a line that names none.',
  })
  sourcingStrategy?: 'priority' | 'most_stock' | 'fewest_splits';

  @IntegerField(0, 36_500, {
    optional: true,
    description: 'A lot that expires sooner is not promised, unless item or order say otherwise.',
  })
  minRemainingShelfLifeDays?: number;
}

const someSettings: StockSettings = {
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
const aChange = { setting: 'softReservationTtlSeconds', from: 900, to: 1800, actor: 'ann', changedAt: '2026-03-01T08:00:00.000Z' };

@ApiTags('Settings')
@Controller('settings')
export class SettingsController {
  constructor(private readonly services: Services) {}

  @Get()
  @Calls(SettingsGet, { answers: { ...someSettings, defaultReorderPoint: '10' }, also: [someSettings] })
  get(@ByCaller() caller: Caller) {
    return this.services.call(SettingsGet, caller, {});
  }

  @Patch()
  @Calls(SettingsUpdate, { answers: { ...someSettings, defaultReorderPoint: '10' }, also: [someSettings] })
  update(@ByCaller() caller: Caller, @Body() change: SettingsChange) {
    return this.services.call(SettingsUpdate, caller, change);
  }

  @Get('history')
  @Calls(SettingsHistory, { answers: pageOf(aChange) })
  history(@ByCaller() caller: Caller, @Query() page: PageQuery) {
    return this.services.call(SettingsHistory, caller, page);
  }
}
