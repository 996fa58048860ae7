import { Body, Controller, Get, Headers, Param, Post, Put, Query } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import {
  OrderCancel,
  OrderConfirm,
  OrderCreate,
  OrderEventList,
  OrderGet,
  OrderList,
  OrderPack,
  OrderPick,
  OrderUpdate,
  PickListGet,
  ReturnCreate,
  ShipmentCreate,
} from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { pageOf, PageQuery } from '../http/paging.js';
import { Services } from '../http/services.js';
import { ifVersion } from './if-match.js';
import { HandledLines, NewOrder, NewShipment, OrderChange, OrdersQuery, Reason } from './order.dto.js';
import {
  aCompletedReturn,
  aCostedShipment,
  anAuditEvent,
  anOrder,
  aPickList,
  aReturn,
  aShipment,
  aShippedOrder,
} from './order.examples.js';
import { NewReturn } from './return.dto.js';

@ApiTags('Orders')
@Controller('orders')
export class OrdersController {
  constructor(private readonly services: Services) {}

  @Post()
  @Calls(OrderCreate, { status: 201, makes: 'orderId', answers: aShippedOrder, also: [anOrder] })
  create(@ByCaller() caller: Caller, @Body() order: NewOrder) {
    return this.services.call(OrderCreate, caller, order);
  }

  @Get()
  @Calls(OrderList, { answers: pageOf(aShippedOrder, anOrder) })
  list(@ByCaller() caller: Caller, @Query() query: OrdersQuery) {
    return this.services.call(OrderList, caller, query);
  }

  @Get(':orderId')
  @Calls(OrderGet, { answers: aShippedOrder, also: [anOrder] })
  get(@ByCaller() caller: Caller, @Param('orderId') orderId: string) {
    return this.services.call(OrderGet, caller, { orderId });
  }

  @Get(':orderId/events')
  @Calls(OrderEventList, { answers: pageOf(anAuditEvent) })
  events(@ByCaller() caller: Caller, @Param('orderId') orderId: string, @Query() page: PageQuery) {
    return this.services.call(OrderEventList, caller, { orderId, ...page });
  }

  @Put(':orderId')
  @ApiHeader({ name: 'If-Match', required: false, description: 'The version that you have seen; 412 when there is a newer one.' })
  @Calls(OrderUpdate, { answers: aShippedOrder, also: [anOrder] })
  update(
    @ByCaller() caller: Caller,
    @Param('orderId') orderId: string,
    @Body() change: OrderChange,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    return this.services.call(OrderUpdate, caller, { orderId, ...change, ...ifVersion(ifMatch) });
  }

  @Put(':orderId/confirm')
  @Calls(OrderConfirm, { answers: aShippedOrder, also: [anOrder] })
  confirm(@ByCaller() caller: Caller, @Param('orderId') orderId: string, @Body() reason: Reason) {
    return this.services.call(OrderConfirm, caller, { orderId, ...reason });
  }

  @Put(':orderId/cancel')
  @Calls(OrderCancel, { answers: aShippedOrder, also: [anOrder] })
  cancel(@ByCaller() caller: Caller, @Param('orderId') orderId: string, @Body() reason: Reason) {
    return this.services.call(OrderCancel, caller, { orderId, ...reason });
  }

  @Get(':orderId/pick-list')
  @Calls(PickListGet, { answers: aPickList })
  pickList(@ByCaller() caller: Caller, @Param('orderId') orderId: string) {
    return this.services.call(PickListGet, caller, { orderId });
  }

  @Put(':orderId/pick')
  @Calls(OrderPick, { answers: aShippedOrder, also: [anOrder] })
  pick(@ByCaller() caller: Caller, @Param('orderId') orderId: string, @Body() picked: HandledLines) {
    return this.services.call(OrderPick, caller, { orderId, ...picked });
  }

  @Put(':orderId/pack')
  @Calls(OrderPack, { answers: aShippedOrder, also: [anOrder] })
  pack(@ByCaller() caller: Caller, @Param('orderId') orderId: string, @Body() packed: HandledLines) {
    return this.services.call(OrderPack, caller, { orderId, ...packed });
  }

  @Post(':orderId/shipments')
  @Calls(ShipmentCreate, { status: 201, makes: 'shipmentId', answers: aCostedShipment, also: [aShipment] })
  ship(@ByCaller() caller: Caller, @Param('orderId') orderId: string, @Body() shipment: NewShipment) {
    return this.services.call(ShipmentCreate, caller, { orderId, ...shipment });
  }

  @Post(':orderId/returns')
  @Calls(ReturnCreate, { status: 201, makes: 'returnId', answers: aCompletedReturn, also: [aReturn] })
  authoriseReturn(@ByCaller() caller: Caller, @Param('orderId') orderId: string, @Body() customerReturn: NewReturn) {
    return this.services.call(ReturnCreate, caller, { orderId, ...customerReturn });
  }
}
