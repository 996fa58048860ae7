import { formatQuantity } from '#libs/domain';
import { InProcessDelivery, Inbox, Outbox, Relay } from '#libs/messaging';
import type { Database } from '#libs/persistence';
import { createTestDatabase, type TestDatabase } from '#libs/testing';
import type { Costing } from '../../costing/cost-layers.js';
import type { Discrepancy } from '../../discrepancies/discrepancy.js';
import { type DiscrepancyRow, toDiscrepancy } from '../../discrepancies/discrepancy.sql.js';
import { Batcher } from '../batcher.js';
import type { DecisionSettings } from '../decision-settings.js';
import { DueWork } from '../due-work.js';
import { KnownBalances } from '../load-stock.js';
import type { Machine } from '../run-batch.js';
import { expectations } from './simulate.js';
import { BINS, ITEM_KINDS, ITEMS, WAREHOUSES } from './world.js';

/** One process of inventory, as far as the machine goes. */
export interface StockProcess {
  readonly database: Database;
  readonly machine: Machine;
  readonly batcher: Batcher;
  readonly dueWork: DueWork;
}

/** A real database with inventory's tables, and any number of processes that work on it. What they say stays in the outbox. */
export class StockDatabase {
  private constructor(readonly database: TestDatabase) {}

  static async create(): Promise<StockDatabase> {
    return new StockDatabase(await createTestDatabase(['inventory']));
  }

  async process(): Promise<StockProcess> {
    const database = await this.database.open('inventory', { poolSizeMax: 4 });
    const delivery = new InProcessDelivery();
    // Closed, so that there is no room for anything, as while there is no broker.
    await delivery.close();
    const relay = new Relay({ service: 'inventory', delivery, database });
    const machine = { database, inbox: new Inbox(), outbox: new Outbox(relay), known: new KnownBalances() };
    const batcher = new Batcher(database, machine.inbox, machine.outbox);
    return { database, machine, batcher, dueWork: new DueWork(database, batcher) };
  }

  /** Items and warehouses; the first warehouse comes first when a line names none. */
  async addCatalogue(
    orgId: string,
    items: readonly string[],
    warehouses: readonly string[],
    costings: Readonly<Record<string, Costing>> = {},
  ): Promise<void> {
    await this.database.rows(
      `insert into inventory.warehouse (org_id, warehouse_id, name, priority)
       select $1, warehouse_id, warehouse_id, priority from unnest($2::text[]) with ordinality as w (warehouse_id, priority)`,
      [orgId, warehouses],
    );
    await this.database.rows(
      `insert into inventory.item (org_id, item_id, name, costing)
       select $1, item_id, item_id, costing from unnest($2::text[], $3::text[]) as i (item_id, costing)`,
      [orgId, items, items.map((itemId) => costings[itemId] ?? 'fifo')],
    );
  }

  /** The catalogue of a simulated organisation: see `makeWorld`. */
  async addWorld(orgId: string): Promise<void> {
    await this.addCatalogue(orgId, ITEMS, WAREHOUSES);
    const kinds = ITEMS.map((itemId) => ITEM_KINDS[itemId]);
    await this.database.rows(
      `update inventory.item i set tracking = k.tracking, costing = k.costing,
              safety_stock = case when k.item_id = 'B' then 1 end, reorder_point = case when k.item_id = 'C' then 3 end,
              min_remaining_shelf_life_days = case when k.item_id = 'D' and $1 like 'south%' then 1 end
         from unnest($2::text[], $3::text[], $4::text[]) k (item_id, tracking, costing) where i.org_id = $1 and i.item_id = k.item_id`,
      [orgId, ITEMS, kinds.map(({ tracking }) => tracking), kinds.map(({ costing }) => costing)],
    );
    await this.database.rows(
      `insert into inventory.location (org_id, warehouse_id, location) select $1, w, l from unnest($2::text[]) w, unnest($3::text[]) l`,
      [orgId, WAREHOUSES, BINS],
    );
    const expected = expectations();
    await this.database.rows(
      `insert into inventory.expected_receipt (org_id, expected_receipt_id, warehouse_id, item_id, quantity, expected_on, status, created_at,
                                               updated_at, fingerprint)
       select $1, *, now(), now(), '' from unnest($2::text[], $3::text[], $4::text[], $5::numeric[], $6::date[], $7::text[])`,
      [
        orgId,
        expected.map((one) => one.expectedReceiptId),
        expected.map((one) => one.warehouseId),
        expected.map((one) => one.itemId),
        expected.map((one) => formatQuantity(one.quantity)),
        expected.map((one) => one.expectedOn),
        expected.map((one) => one.status),
      ],
    );
    if (!orgId.startsWith('south')) return;
    await this.database.rows(
      `insert into inventory.stock_settings
         (org_id, soft_reservation_ttl_seconds, reservation_mode, return_quarantine, default_reorder_point, sourcing_strategy, tolerance)
       values ($1, 300, 'partial', false, 2, 'fewest_splits', '{"quantity": "5", "percent": "0"}')`,
      [orgId],
    );
  }

  /** What an organisation enforces. */
  async enforce(orgId: string, phase: DecisionSettings['enforcementPhase'], allowInventoryOversell: boolean): Promise<void> {
    await this.database.rows(
      `insert into inventory.stock_settings (org_id, enforcement_phase, allow_inventory_oversell) values ($1, $2, $3)
           on conflict (org_id) do update set enforcement_phase = $2, allow_inventory_oversell = $3`,
      [orgId, phase, allowInventoryOversell],
    );
  }

  /** What is known of mismatches in an organisation. */
  async discrepancies(orgId: string): Promise<Discrepancy[]> {
    return (await this.rows<DiscrepancyRow>('select * from inventory.discrepancy where org_id = $1', [orgId])).map(toDiscrepancy);
  }

  rows<R>(text: string, values?: readonly unknown[]): Promise<R[]> {
    return this.database.rows<R>(text, values);
  }

  /** The events that were said, in the order in which they were. */
  async events<D>(
    orgId: string,
    type?: string,
  ): Promise<{ type: string; subject: string; sequence?: number; causationid?: string; data: D }[]> {
    const rows = await this.rows<{ event: Buffer }>('select event from inventory.outbox order by id');
    return rows
      .map((row) => JSON.parse(row.event.toString()) as { orgid: string; type: string; subject: string; sequence?: number; data: D })
      .filter((event) => event.orgid === orgId && (type === undefined || event.type === type));
  }

  drop(): Promise<void> {
    return this.database.drop();
  }
}
