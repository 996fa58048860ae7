import { Body, Controller, Get, Patch, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  DEFAULT_STOCK_SETTINGS,
  DISCREPANCY_LOCK_POLICIES,
  type DiscrepancyLockPolicy,
  ENFORCEMENT_PHASES,
  type EnforcementPhase,
  SettingsGet,
  SettingsHistory,
  SettingsUpdate,
} from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import {
  BooleanField,
  ChoiceField,
  CronField,
  CurrencyField,
  DecimalField,
  DecimalListField,
  IntegerField,
  ObjectField,
  TimeZoneField,
} from '../http/fields.js';
import { pageOf, PageQuery } from '../http/paging.js';
import { Services } from '../http/services.js';

const RESERVATION_MODES = ['all_or_nothing', 'partial'] as const;
const YEAR_SECONDS = 31_536_000;

class Difference {
  @DecimalField('zero or more', { description: 'Differences of counts and receipts up to so much open no discrepancy;', example: '0' })
  quantity: string;

  @DecimalField('zero or more', { description: 'nor up to so many percent of what the books say.', example: '0' })
  percent: string;
}

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

  @ChoiceField(ENFORCEMENT_PHASES, {
    optional: true,
    description: 'What becomes of what is short: recorded, laid before an approver, refused.',
  })
  enforcementPhase?: EnforcementPhase;

  @BooleanField({
    optional: true,
    description: 'Lays every order that is short before an approver instead of refusing it.',
    example: false,
  })
  allowInventoryOversell?: boolean;

  @ChoiceField(DISCREPANCY_LOCK_POLICIES, {
    optional: true,
    description: 'What an open discrepancy of high severity keeps from being promised: all, the difference, nothing.',
  })
  discrepancyLockPolicy?: DiscrepancyLockPolicy;

  @DecimalField('zero or more', { optional: true, description: 'Up to which shortage the phase soft does not refuse.', example: '20' })
  softBlockPercent?: string;

  @ObjectField(() => Difference, { optional: true })
  tolerance?: Difference;

  @DecimalListField(3, {
    optional: true,
    description: 'Up to which difference a discrepancy is low, medium, high.',
    example: ['2', '5', '20'],
  })
  severityPercents?: [string, string, string];

  @CronField({ optional: true, description: 'When reconciliation runs: minute, hour, day of month, month, day of week.' })
  reconciliationCron?: string;
}

const aChange = { setting: 'softReservationTtlSeconds', from: 900, to: 1800, actor: 'ann', changedAt: '2026-03-01T08:00:00.000Z' };

@ApiTags('Settings')
@Controller('settings')
export class SettingsController {
  constructor(private readonly services: Services) {}

  @Get()
  @Calls(SettingsGet, { answers: { ...DEFAULT_STOCK_SETTINGS, defaultReorderPoint: '10' }, also: [DEFAULT_STOCK_SETTINGS] })
  get(@ByCaller() caller: Caller) {
    return this.services.call(SettingsGet, caller, {});
  }

  @Patch()
  @Calls(SettingsUpdate, { answers: { ...DEFAULT_STOCK_SETTINGS, defaultReorderPoint: '10' }, also: [DEFAULT_STOCK_SETTINGS] })
  update(@ByCaller() caller: Caller, @Body() change: SettingsChange) {
    return this.services.call(SettingsUpdate, caller, change);
  }

  @Get('history')
  @Calls(SettingsHistory, { answers: pageOf(aChange) })
  history(@ByCaller() caller: Caller, @Query() page: PageQuery) {
    return this.services.call(SettingsHistory, caller, page);
  }
}
