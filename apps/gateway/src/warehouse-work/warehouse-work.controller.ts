import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { BinMovePost, CountPost, LotList, LotRecall, QualityChangePost, ScrapPost } from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { pageOf } from '../http/paging.js';
import { Services } from '../http/services.js';
import { LotsQuery, NewBinMove, NewCount, NewQualityChange, NewScrap, Recall } from './warehouse-work.dto.js';
import {
  aBinMove,
  aCount,
  aLot,
  anUntrackedCount,
  anUntrackedMove,
  anUntrackedQualityChange,
  anUntrackedScrap,
  aQualityChange,
  aRecall,
  aRecalledLot,
  aRecallOfNothing,
  aScrap,
} from './warehouse-work.examples.js';

/** What is done with goods inside a warehouse. */
@ApiTags('Warehouse work')
@Controller('inventory')
export class WarehouseWorkController {
  constructor(private readonly services: Services) {}

  @Post('moves')
  @Calls(BinMovePost, { status: 201, makes: 'commandId', answers: anUntrackedMove, also: [aBinMove] })
  move(@ByCaller() caller: Caller, @Body() move: NewBinMove) {
    return this.services.call(BinMovePost, caller, move);
  }

  @Post('quality-changes')
  @Calls(QualityChangePost, { status: 201, makes: 'commandId', answers: anUntrackedQualityChange, also: [aQualityChange] })
  changeQuality(@ByCaller() caller: Caller, @Body() change: NewQualityChange) {
    return this.services.call(QualityChangePost, caller, change);
  }

  @Post('scraps')
  @Calls(ScrapPost, { status: 201, makes: 'commandId', answers: anUntrackedScrap, also: [aScrap] })
  scrap(@ByCaller() caller: Caller, @Body() scrap: NewScrap) {
    return this.services.call(ScrapPost, caller, scrap);
  }

  @Post('counts')
  @Calls(CountPost, { status: 201, makes: 'commandId', answers: anUntrackedCount, also: [aCount] })
  count(@ByCaller() caller: Caller, @Body() count: NewCount) {
    return this.services.call(CountPost, caller, count);
  }

  @Get('lots')
  @Calls(LotList, { answers: pageOf(aRecalledLot, aLot) })
  lots(@ByCaller() caller: Caller, @Query() query: LotsQuery) {
    return this.services.call(LotList, caller, query);
  }

  @Post('lots/:itemId/:lot/recall')
  @Calls(LotRecall, { makes: 'commandId', answers: aRecallOfNothing, also: [aRecall] })
  recall(@ByCaller() caller: Caller, @Param('itemId') itemId: string, @Param('lot') lot: string, @Body() { reason }: Recall) {
    return this.services.call(LotRecall, caller, { itemId, lot, reason });
  }
}
