import { Module } from '@nestjs/common';
import { ApprovalsConsumer } from './approvals/approvals.consumer.js';
import { AskApproval } from './approvals/ask-approval.js';
import { AdjustmentsConsumer } from './adjustments/adjustments.consumer.js';
import { AuditController } from './audit/audit.controller.js';
import { AvailabilityController } from './availability/availability.controller.js';
import { AvailabilityReader } from './availability/availability-reader.js';
import { BinsConsumer } from './bins/bins.consumer.js';
import { CatalogueController } from './catalogue/catalogue.controller.js';
import { CountsConsumer } from './counts/counts.consumer.js';
import { BelowZeroConsumer } from './discrepancies/below-zero.consumer.js';
import { DiscrepanciesConsumer } from './discrepancies/discrepancies.consumer.js';
import { MeasureDiscrepancies } from './discrepancies/measure-discrepancies.js';
import { ExpectedReceiptsController } from './expected-receipts/expected-receipts.controller.js';
import { ImportWork } from './imports/import-work.js';
import { ImportsController } from './imports/imports.controller.js';
import { CostCorrectionsConsumer } from './costing/cost-corrections.consumer.js';
import { ValuationController } from './costing/valuation.controller.js';
import { LedgerController } from './ledger/ledger.controller.js';
import { PickingConsumer } from './picking/picking.consumer.js';
import { ProjectionController } from './projection/projection.controller.js';
import { QualityConsumer } from './quality/quality.consumer.js';
import { ReceiptsConsumer } from './receipts/receipts.consumer.js';
import { ReportsController } from './reports/reports.controller.js';
import { ReconciliationController } from './reconciliation/reconciliation.controller.js';
import { ReservationQueriesController } from './reservations/reservation-queries.controller.js';
import { ReservationsConsumer } from './reservations/reservations.consumer.js';
import { ReturnsConsumer } from './returns/returns.consumer.js';
import { ScrapsConsumer } from './scraps/scraps.consumer.js';
import { SettingsController } from './settings/settings.controller.js';

import { ShipmentsConsumer } from './shipments/shipments.consumer.js';
import { Batcher } from './stock-machine/batcher.js';
import { DueWork } from './stock-machine/due-work.js';
import { StockPoliciesConsumer } from './stock-policies/stock-policies.consumer.js';
import { TransfersConsumer } from './transfers/transfers.consumer.js';

/** Inventory: the stock machine with the entries to it, and the reads beside it. */
@Module({
  controllers: [
    ReservationsConsumer,
    PickingConsumer,
    ShipmentsConsumer,
    ReturnsConsumer,
    ReceiptsConsumer,
    AdjustmentsConsumer,
    ApprovalsConsumer,
    BinsConsumer,
    QualityConsumer,
    ScrapsConsumer,
    CountsConsumer,
    BelowZeroConsumer,
    DiscrepanciesConsumer,
    TransfersConsumer,
    CostCorrectionsConsumer,
    StockPoliciesConsumer,
    CatalogueController,
    ImportsController,
    SettingsController,
    AvailabilityController,
    ExpectedReceiptsController,
    ProjectionController,
    LedgerController,
    ValuationController,
    ReservationQueriesController,
    ReportsController,
    ReconciliationController,
    AuditController,
  ],
  providers: [AskApproval, Batcher, DueWork, ImportWork, AvailabilityReader, MeasureDiscrepancies],
})
export class InventoryModule {}
