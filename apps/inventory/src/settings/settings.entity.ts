import type { StockSettings } from '#libs/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An organisation's stock settings; without a row the defaults count. */
@Entity({ name: 'stock_settings' })
export class SettingsEntity {
  @PrimaryColumn('text', { name: 'org_id' })
  orgId: string;

  @Column('integer', { name: 'soft_reservation_ttl_seconds' })
  softReservationTtlSeconds: number;

  @Column('numeric', { name: 'default_reorder_point', nullable: true })
  defaultReorderPoint: string | null;

  @Column('text', { name: 'reservation_mode' })
  reservationMode: StockSettings['reservationMode'];

  @Column('boolean', { name: 'return_quarantine' })
  returnQuarantine: boolean;

  @Column('text')
  currency: string;

  @Column('integer', { name: 'delivery_lead_days' })
  deliveryLeadDays: number;

  @Column('text')
  timezone: string;

  @Column('text', { name: 'sourcing_strategy' })
  sourcingStrategy: StockSettings['sourcingStrategy'];

  @Column('integer', { name: 'min_remaining_shelf_life_days' })
  minRemainingShelfLifeDays: number;

  @Column('text', { name: 'enforcement_phase' })
  enforcementPhase: StockSettings['enforcementPhase'];

  @Column('boolean', { name: 'allow_inventory_oversell' })
  allowInventoryOversell: boolean;

  @Column('text', { name: 'discrepancy_lock_policy' })
  discrepancyLockPolicy: StockSettings['discrepancyLockPolicy'];

  @Column('numeric', { name: 'soft_block_percent' })
  softBlockPercent: string;

  @Column('jsonb')
  tolerance: StockSettings['tolerance'];

  @Column('jsonb', { name: 'severity_percents' })
  severityPercents: StockSettings['severityPercents'];

  @Column('text', { name: 'reconciliation_cron' })
  reconciliationCron: string;
}

/** Who changed which setting when; append-only. */
@Entity({ name: 'setting_change' })
export class SettingChangeEntity {
  @PrimaryColumn('text', { name: 'org_id' })
  orgId: string;

  @PrimaryColumn('uuid', { name: 'change_id' })
  changeId: string;

  @Column('text')
  setting: string;

  @Column('jsonb', { name: 'from_value' })
  from: unknown;

  @Column('jsonb', { name: 'to_value' })
  to: unknown;

  @Column('text', { nullable: true })
  actor: string | null;

  @Column('timestamptz', { name: 'changed_at' })
  changedAt: Date;
}
