import type { Item } from '#libs/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What is stocked. Decimals come as the database writes them: `"12.5000"`. */
@Entity({ name: 'item' })
export class ItemEntity {
  @PrimaryColumn('text', { name: 'org_id' })
  orgId: string;

  @PrimaryColumn('text', { name: 'item_id' })
  itemId: string;

  @Column('text')
  name: string;

  @Column('text')
  unit: string;

  @Column('text')
  tracking: Item['tracking'];

  @Column('text')
  costing: Item['costing'];

  @Column('numeric', { name: 'unit_price', nullable: true })
  unitPrice: string | null;

  @Column('text', { nullable: true })
  currency: string | null;

  @Column('numeric', { name: 'reorder_point', nullable: true })
  reorderPoint: string | null;

  @Column('numeric', { name: 'safety_stock', nullable: true })
  safetyStock: string | null;

  @Column('integer', { name: 'min_remaining_shelf_life_days', nullable: true })
  minRemainingShelfLifeDays: number | null;

  @Column('text', { array: true })
  substitutes: string[];

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  /** Of the body that created it. */
  @Column('text', { nullable: true })
  fingerprint: string | null;
}
