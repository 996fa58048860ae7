import { makeEvent, type RequestOf, type Warehouse, type WarehouseCreate, WarehouseCreated } from '#libs/contracts';
import { conflict } from '#libs/domain';
import type { Outbox } from '#libs/messaging';
import type { Tx } from '#libs/persistence';
import { fingerprint } from '../fingerprint.js';
import { WarehouseEntity } from './warehouse.entity.js';
import { toWarehouse } from './warehouse.queries.js';

const PRIORITY_DEFAULT = 100;

/**
 * Creates a warehouse and says so. A repeat with an equal body answers the warehouse as it is now, whatever was changed since.
 *
 * @throws {HoldfastError} `ALREADY_EXISTS` when it was created with another body.
 */
export async function createWarehouse(
  tx: Tx,
  outbox: Outbox,
  orgId: string,
  request: RequestOf<typeof WarehouseCreate>,
  by: { readonly actor: string; readonly traceparent?: string | undefined },
): Promise<Warehouse> {
  const { warehouseId, name, priority = PRIORITY_DEFAULT, dryRun } = request;
  const wanted = { warehouseId, name, priority };
  const body = fingerprint(wanted);
  if (!dryRun) {
    const made = await tx.execute(
      `insert into warehouse (org_id, warehouse_id, name, priority, fingerprint) values ($1, $2, $3, $4, $5) on conflict do nothing`,
      [orgId, warehouseId, name, priority, body],
    );
    const attributes = { source: '/inventory', subject: warehouseId, orgid: orgId, time: new Date().toISOString(), ...by };
    if (made > 0) await outbox.append(tx, [makeEvent(WarehouseCreated, attributes, { warehouseId, name })]);
  }
  const row = await tx.manager.findOneBy(WarehouseEntity, { orgId, warehouseId });
  if (row !== null && row.fingerprint !== body) {
    throw conflict('ALREADY_EXISTS', `Warehouse ${warehouseId} exists and was created with another body. Change it with an update.`);
  }
  const answer = row === null ? { ...wanted, createdAt: new Date().toISOString() } : toWarehouse(row);
  return dryRun ? { ...answer, dryRun: true } : answer;
}
