import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AvailabilityProject, PROJECTION_DAYS_DEFAULT, PROJECTION_DAYS_MAX } from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { IdField, QueryInteger } from '../http/fields.js';
import { Services } from '../http/services.js';
import { aProjection } from './expected-receipt.examples.js';

class ProjectionQuery {
  @IdField({ example: 'coffee-1kg' })
  itemId: string;

  @IdField({ example: 'berlin' })
  warehouseId: string;

  @QueryInteger(1, PROJECTION_DAYS_MAX, {
    description: `How many, from today on; ${PROJECTION_DAYS_DEFAULT} unless said.`,
    example: PROJECTION_DAYS_DEFAULT,
  })
  days?: number;
}

@ApiTags('Stock')
@Controller('inventory/availability')
export class ProjectionController {
  constructor(private readonly services: Services) {}

  @Get('projection')
  @Calls(AvailabilityProject, { answers: aProjection })
  project(@ByCaller() caller: Caller, @Query() query: ProjectionQuery) {
    return this.services.call(AvailabilityProject, caller, query);
  }
}
