import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ReturnCancel, ReturnGet, ReturnInspect, ReturnList, ReturnReceive } from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { pageOf } from '../http/paging.js';
import { Services } from '../http/services.js';
import { Reason } from './order.dto.js';
import { aCompletedReturn, aReturn } from './order.examples.js';
import { Inspection, ReturnReceipt, ReturnsQuery } from './return.dto.js';

@ApiTags('Returns')
@Controller('returns')
export class ReturnsController {
  constructor(private readonly services: Services) {}

  @Get()
  @Calls(ReturnList, { answers: pageOf(aCompletedReturn, aReturn) })
  list(@ByCaller() caller: Caller, @Query() query: ReturnsQuery) {
    return this.services.call(ReturnList, caller, query);
  }

  @Get(':returnId')
  @Calls(ReturnGet, { answers: aCompletedReturn, also: [aReturn] })
  get(@ByCaller() caller: Caller, @Param('returnId') returnId: string) {
    return this.services.call(ReturnGet, caller, { returnId });
  }

  @Put(':returnId/cancel')
  @Calls(ReturnCancel, { answers: aReturn })
  cancel(@ByCaller() caller: Caller, @Param('returnId') returnId: string, @Body() reason: Reason) {
    return this.services.call(ReturnCancel, caller, { returnId, ...reason });
  }

  @Put(':returnId/receive')
  @Calls(ReturnReceive, { answers: aCompletedReturn, also: [aReturn] })
  receive(@ByCaller() caller: Caller, @Param('returnId') returnId: string, @Body() receipt: ReturnReceipt) {
    return this.services.call(ReturnReceive, caller, { returnId, ...receipt });
  }

  @Put(':returnId/inspect')
  @Calls(ReturnInspect, { answers: aCompletedReturn, also: [aReturn] })
  inspect(@ByCaller() caller: Caller, @Param('returnId') returnId: string, @Body() inspection: Inspection) {
    return this.services.call(ReturnInspect, caller, { returnId, ...inspection });
  }
}
