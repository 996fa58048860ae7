import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
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
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { pageOf, PageQuery } from '../http/paging.js';
import { Services } from '../http/services.js';
import { NewWarehouse, WarehouseChange } from './catalogue.dto.js';
import { aLocation, theDefaultLocation } from '../warehouse-work/warehouse-work.examples.js';
import { NewLocation } from '../warehouse-work/warehouse-work.dto.js';
import { aWarehouse } from './catalogue.examples.js';

@ApiTags('Catalogue')
@Controller('warehouses')
export class WarehousesController {
  constructor(private readonly services: Services) {}

  @Post()
  @Calls(WarehouseCreate, { status: 201, answers: aWarehouse })
  create(@ByCaller() caller: Caller, @Body() warehouse: NewWarehouse): Promise<Warehouse> {
    return this.services.call(WarehouseCreate, caller, warehouse);
  }

  @Get()
  @Calls(WarehouseList, { answers: pageOf(aWarehouse) })
  list(@ByCaller() caller: Caller, @Query() page: PageQuery): Promise<Page<Warehouse>> {
    return this.services.call(WarehouseList, caller, page);
  }

  @Get(':warehouseId')
  @Calls(WarehouseGet, { answers: aWarehouse })
  get(@ByCaller() caller: Caller, @Param('warehouseId') warehouseId: string): Promise<Warehouse> {
    return this.services.call(WarehouseGet, caller, { warehouseId });
  }

  @Post(':warehouseId/locations')
  @Calls(LocationCreate, { status: 201, answers: aLocation })
  createLocation(
    @ByCaller() caller: Caller,
    @Param('warehouseId') warehouseId: string,
    @Body() { location }: NewLocation,
  ): Promise<Location> {
    return this.services.call(LocationCreate, caller, { warehouseId, location });
  }

  @Get(':warehouseId/locations')
  @Calls(LocationList, { answers: pageOf(aLocation, theDefaultLocation) })
  locations(@ByCaller() caller: Caller, @Param('warehouseId') warehouseId: string, @Query() page: PageQuery): Promise<Page<Location>> {
    return this.services.call(LocationList, caller, { warehouseId, ...page });
  }

  @Patch(':warehouseId')
  @Calls(WarehouseUpdate, { answers: aWarehouse })
  update(@ByCaller() caller: Caller, @Param('warehouseId') warehouseId: string, @Body() change: WarehouseChange): Promise<Warehouse> {
    return this.services.call(WarehouseUpdate, caller, { warehouseId, ...change });
  }
}
