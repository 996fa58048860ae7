import { Module } from '@nestjs/common';
import { AvailabilityController } from './availability/availability.controller.js';
import { AvailabilityReader } from './availability/availability-reader.js';
import { CatalogueController } from './catalogue/catalogue.controller.js';
import { LedgerController } from './ledger/ledger.controller.js';
import { ReservationQueriesController } from './reservations/reservation-queries.controller.js';
import { SettingsController } from './settings/settings.controller.js';

/** Inventory: the stock machine with the entries to it, and the reads beside it. */
@Module({
  controllers: [CatalogueController, SettingsController, AvailabilityController, LedgerController, ReservationQueriesController],
  providers: [AvailabilityReader],
})
export class InventoryModule {}
