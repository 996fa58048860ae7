import { InProcessDelivery, Inbox, Outbox, Relay } from '#libs/messaging';
import type { Database } from '#libs/persistence';
import { createTestDatabase, type TestDatabase } from '#libs/testing';
import { Batcher } from '../batcher.js';
import { DueWork } from '../due-work.js';
import { KnownBalances } from '../load-stock.js';
import type { Machine } from '../run-batch.js';

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
  async addCatalogue(orgId: string, items: readonly string[], warehouses: readonly string[]): Promise<void> {
    await this.database.rows(
      `insert into inventory.warehouse (org_id, warehouse_id, name, priority)
       select $1, warehouse_id, warehouse_id, priority from unnest($2::text[]) with ordinality as w (warehouse_id, priority)`,
      [orgId, warehouses],
    );
    await this.database.rows(
      `insert into inventory.item (org_id, item_id, name) select $1, item_id, item_id from unnest($2::text[]) as i (item_id)`,
      [orgId, items],
    );
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
