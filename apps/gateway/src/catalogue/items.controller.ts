import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Item, ItemCreate, ItemGet, ItemList, ItemUpdate, type Page } from '#libs/contracts';
import { notFound } from '#libs/domain';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { pageOf, PageQuery } from '../http/paging.js';
import { Services } from '../http/services.js';
import { ItemChange, NewItem } from './catalogue.dto.js';
import { aBareItem, anItem } from './catalogue.examples.js';

@ApiTags('Catalogue')
@Controller('items')
export class ItemsController {
  constructor(private readonly services: Services) {}

  @Post()
  @Calls(ItemCreate, { status: 201, answers: aBareItem, also: [anItem] })
  create(@ByCaller() caller: Caller, @Body() item: NewItem): Promise<Item> {
    return this.services.call(ItemCreate, caller, item);
  }

  @Get()
  @Calls(ItemList, { answers: pageOf(anItem, aBareItem) })
  list(@ByCaller() caller: Caller, @Query() page: PageQuery): Promise<Page<Item>> {
    return this.services.call(ItemList, caller, page);
  }

  @Get(':itemId')
  @Calls(ItemGet, { answers: aBareItem, also: [anItem] })
  async get(@ByCaller() caller: Caller, @Param('itemId') itemId: string): Promise<Item> {
    const { items } = await this.services.call(ItemGet, caller, { itemIds: [itemId] });
    if (!items[0]) throw notFound('ITEM_NOT_FOUND', `There is no item ${itemId}.`);
    return items[0];
  }

  @Patch(':itemId')
  @Calls(ItemUpdate, { answers: aBareItem, also: [anItem] })
  update(@ByCaller() caller: Caller, @Param('itemId') itemId: string, @Body() change: ItemChange): Promise<Item> {
    return this.services.call(ItemUpdate, caller, { itemId, ...change });
  }
}
