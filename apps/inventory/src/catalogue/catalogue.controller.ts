import { Controller } from '@nestjs/common';
import {
  type Item,
  ItemCreate,
  ItemGet,
  ItemList,
  ItemUpdate,
  type Location,
  LocationCreate,
  LocationList,
  type Page,
  type Warehouse,
  WarehouseCreate,
  WarehouseGet,
  WarehouseList,
  WarehouseUpdate,
} from '#libs/contracts';
import { type MessageContext, OnCall, Outbox } from '#libs/messaging';
import { Database, type TransactionOptions } from '#libs/persistence';
import type { Asked } from '../asked.js';
import { createItem } from './create-item.js';
import { createLocation } from './create-location.js';
import { createWarehouse } from './create-warehouse.js';
import { getItems, listItems } from './item.queries.js';
import { listLocations } from './location.queries.js';
import { updateItem } from './update-item.js';
import { updateWarehouse } from './update-warehouse.js';
import { getWarehouse, listWarehouses } from './warehouse.queries.js';

const read: TransactionOptions = { readOnly: true };

/** Every change of the catalogue recognises its own repeat, so it is done again when it is not known whether it was stored. */
const change = ({ dryRun = false }: { readonly dryRun?: boolean }): TransactionOptions => ({ readOnly: dryRun, repeatable: true });

/** The calls about warehouses, their bins, and items. */
@Controller()
export class CatalogueController {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  @OnCall(WarehouseCreate)
  createWarehouse({ orgId, ...request }: Asked<typeof WarehouseCreate>, { actor, traceparent }: MessageContext): Promise<Warehouse> {
    const by = { actor: actor.userId, traceparent };
    return this.database.transaction([orgId], (tx) => createWarehouse(tx, this.outbox, orgId, request, by), change(request));
  }

  @OnCall(WarehouseList)
  listWarehouses({ orgId, ...request }: Asked<typeof WarehouseList>, { actor }: MessageContext): Promise<Page<Warehouse>> {
    return this.database.transaction([orgId], (tx) => listWarehouses(tx, orgId, actor.warehouses, request), read);
  }

  @OnCall(WarehouseGet)
  getWarehouse({ orgId, warehouseId }: Asked<typeof WarehouseGet>, { actor }: MessageContext): Promise<Warehouse> {
    return this.database.transaction([orgId], (tx) => getWarehouse(tx, orgId, actor.warehouses, warehouseId), read);
  }

  @OnCall(WarehouseUpdate)
  updateWarehouse({ orgId, ...request }: Asked<typeof WarehouseUpdate>): Promise<Warehouse> {
    return this.database.transaction([orgId], (tx) => updateWarehouse(tx, orgId, request), change(request));
  }

  @OnCall(LocationCreate)
  createLocation({ orgId, ...request }: Asked<typeof LocationCreate>): Promise<Location> {
    return this.database.transaction([orgId], (tx) => createLocation(tx, orgId, request), change(request));
  }

  @OnCall(LocationList)
  listLocations({ orgId, ...request }: Asked<typeof LocationList>, { actor }: MessageContext): Promise<Page<Location>> {
    return this.database.transaction([orgId], (tx) => listLocations(tx, orgId, actor.warehouses, request), read);
  }

  @OnCall(ItemCreate)
  createItem({ orgId, ...request }: Asked<typeof ItemCreate>): Promise<Item> {
    return this.database.transaction([orgId], (tx) => createItem(tx, orgId, request), change(request));
  }

  @OnCall(ItemList)
  listItems({ orgId, ...request }: Asked<typeof ItemList>): Promise<Page<Item>> {
    return this.database.transaction([orgId], (tx) => listItems(tx, orgId, request), read);
  }

  @OnCall(ItemGet)
  async getItems({ orgId, itemIds }: Asked<typeof ItemGet>): Promise<{ items: readonly Item[] }> {
    return { items: await this.database.transaction([orgId], (tx) => getItems(tx, orgId, itemIds), { inOneGo: true }) };
  }

  @OnCall(ItemUpdate)
  updateItem({ orgId, ...request }: Asked<typeof ItemUpdate>, { actor, traceparent }: MessageContext): Promise<Item> {
    const by = { actor: actor.userId, traceparent };
    return this.database.transaction([orgId], (tx) => updateItem(tx, this.outbox, orgId, request, by), change(request));
  }
}
