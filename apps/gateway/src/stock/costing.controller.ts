import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CostCorrectionPost, ValuationList } from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { pageOf } from '../http/paging.js';
import { Services } from '../http/services.js';
import { NewCostCorrection, ValuationQuery } from './costing.dto.js';
import { aCostCorrection, aValuation } from './costing.examples.js';

@ApiTags('Stock')
@Controller('inventory')
export class CostingController {
  constructor(private readonly services: Services) {}

  @Post('cost-corrections')
  @Calls(CostCorrectionPost, { status: 201, makes: 'commandId', answers: aCostCorrection })
  correctCost(@ByCaller() caller: Caller, @Body() correction: NewCostCorrection) {
    return this.services.call(CostCorrectionPost, caller, correction);
  }

  @Get('valuation')
  @Calls(ValuationList, { answers: pageOf(aValuation) })
  valuation(@ByCaller() caller: Caller, @Query() query: ValuationQuery) {
    return this.services.call(ValuationList, caller, query);
  }
}
