import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ShipmentCancel, ShipmentGet } from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { Services } from '../http/services.js';
import { RequiredReason } from './order.dto.js';
import { aCostedShipment, aShipment } from './order.examples.js';

@ApiTags('Orders')
@Controller('shipments')
export class ShipmentsController {
  constructor(private readonly services: Services) {}

  @Get(':shipmentId')
  @Calls(ShipmentGet, { answers: aCostedShipment, also: [aShipment] })
  get(@ByCaller() caller: Caller, @Param('shipmentId') shipmentId: string) {
    return this.services.call(ShipmentGet, caller, { shipmentId });
  }

  @Put(':shipmentId/cancel')
  @Calls(ShipmentCancel, { answers: aCostedShipment, also: [aShipment] })
  cancel(@ByCaller() caller: Caller, @Param('shipmentId') shipmentId: string, @Body() reason: RequiredReason) {
    return this.services.call(ShipmentCancel, caller, { shipmentId, ...reason });
  }
}
