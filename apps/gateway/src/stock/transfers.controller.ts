import { Body, Controller, Get, Param, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { TransferCreate, TransferGet, TransferList, TransferReceive } from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { pageOf } from '../http/paging.js';
import { Services } from '../http/services.js';
import { NewTransfer, TransferArrival, TransfersQuery } from './transfer.dto.js';
import { aCompletedTransfer, aTransfer } from './transfer.examples.js';

@ApiTags('Stock')
@Controller('inventory/transfers')
export class TransfersController {
  constructor(private readonly services: Services) {}

  @Post()
  @Calls(TransferCreate, { status: 201, makes: 'transferId', answers: aCompletedTransfer, also: [aTransfer] })
  create(@ByCaller() caller: Caller, @Body() transfer: NewTransfer) {
    return this.services.call(TransferCreate, caller, transfer);
  }

  @Get()
  @Calls(TransferList, { answers: pageOf(aCompletedTransfer, aTransfer) })
  list(@ByCaller() caller: Caller, @Query() query: TransfersQuery) {
    return this.services.call(TransferList, caller, query);
  }

  @Get(':transferId')
  @Calls(TransferGet, { answers: aTransfer, also: [aCompletedTransfer] })
  get(@ByCaller() caller: Caller, @Param('transferId') transferId: string) {
    return this.services.call(TransferGet, caller, { transferId });
  }

  @Put(':transferId/receive')
  @Calls(TransferReceive, { makes: 'commandId', answers: aTransfer, also: [aCompletedTransfer] })
  receive(@ByCaller() caller: Caller, @Param('transferId') transferId: string, @Body() arrival: TransferArrival) {
    return this.services.call(TransferReceive, caller, { transferId, ...arrival });
  }
}
