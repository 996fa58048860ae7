import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Where stock lies. */
@Entity({ name: 'warehouse' })
export class WarehouseEntity {
  @PrimaryColumn('text', { name: 'org_id' })
  orgId: string;

  @PrimaryColumn('text', { name: 'warehouse_id' })
  warehouseId: string;

  @Column('text')
  name: string;

  /** Lower comes first when a line names no warehouse. */
  @Column('integer')
  priority: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  /** Of the body that created it. */
  @Column('text', { nullable: true })
  fingerprint: string | null;
}
