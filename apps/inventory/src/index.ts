import type { Service } from '#libs/service';
import { ItemEntity } from './catalogue/item.entity.js';
import { WarehouseEntity } from './catalogue/warehouse.entity.js';
import { InventoryModule } from './inventory.module.js';
import { SettingChangeEntity, SettingsEntity } from './settings/settings.entity.js';

/** Items, warehouses, stock and what is promised of it. */
export const inventory: Service = {
  service: 'inventory',
  module: InventoryModule,
  entities: [ItemEntity, WarehouseEntity, SettingsEntity, SettingChangeEntity],
};
