import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  ExpectedReceiptCancel,
  ExpectedReceiptCreate,
  ExpectedReceiptGet,
  ExpectedReceiptList,
  ExpectedReceiptUpdate,
} from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { pageOf } from '../http/paging.js';
import { Services } from '../http/services.js';
import { ExpectedReceiptChange, ExpectedReceiptsQuery, NewExpectedReceipt } from './expected-receipt.dto.js';
import { aCancelledOne, anExpectedReceipt, aPartlyReceivedOne } from './expected-receipt.examples.js';

@ApiTags('Stock')
@Controller('inventory/expected-receipts')
export class ExpectedReceiptsController {
  constructor(private readonly services: Services) {}

  @Post()
  @Calls(ExpectedReceiptCreate, { status: 201, makes: 'expectedReceiptId', answers: aPartlyReceivedOne, also: [anExpectedReceipt] })
  create(@ByCaller() caller: Caller, @Body() expected: NewExpectedReceipt) {
    return this.services.call(ExpectedReceiptCreate, caller, expected);
  }

  @Get()
  @Calls(ExpectedReceiptList, { answers: pageOf(aPartlyReceivedOne, anExpectedReceipt) })
  list(@ByCaller() caller: Caller, @Query() query: ExpectedReceiptsQuery) {
    return this.services.call(ExpectedReceiptList, caller, query);
  }

  @Get(':expectedReceiptId')
  @Calls(ExpectedReceiptGet, { answers: anExpectedReceipt, also: [aPartlyReceivedOne] })
  get(@ByCaller() caller: Caller, @Param('expectedReceiptId') expectedReceiptId: string) {
    return this.services.call(ExpectedReceiptGet, caller, { expectedReceiptId });
  }

  @Patch(':expectedReceiptId')
  @Calls(ExpectedReceiptUpdate, { answers: anExpectedReceipt, also: [aPartlyReceivedOne] })
  update(@ByCaller() caller: Caller, @Param('expectedReceiptId') expectedReceiptId: string, @Body() change: ExpectedReceiptChange) {
    return this.services.call(ExpectedReceiptUpdate, caller, { expectedReceiptId, ...change });
  }

  @Delete(':expectedReceiptId')
  @Calls(ExpectedReceiptCancel, { answers: anExpectedReceipt, also: [aCancelledOne] })
  cancel(@ByCaller() caller: Caller, @Param('expectedReceiptId') expectedReceiptId: string) {
    return this.services.call(ExpectedReceiptCancel, caller, { expectedReceiptId });
  }
}
