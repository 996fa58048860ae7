import { Module } from '@nestjs/common';
import { ApprovalsConsumer } from './approvals/approvals.consumer.js';
import { CarryOn } from './approvals/carry-on.js';
import { HearApprovals } from './approvals/hear-approvals.js';
import { TellApprovals } from './approvals/tell-approvals.js';
import { AuditConsumer } from './audit/audit.consumer.js';
import { AuditQueries } from './audit/audit.queries.js';
import { AmendOrder } from './orders/amend-order.js';
import { CancelOrder } from './orders/cancel-order.js';
import { ChangeOrder } from './orders/change-order.js';
import { ConfirmOrder } from './orders/confirm-order.js';
import { OrderQueries } from './orders/order.queries.js';
import { OrdersConsumer } from './orders/orders.consumer.js';
import { OrganisationSettings } from './orders/organisation-settings.js';
import { PlaceOrder } from './orders/place-order.js';
import { ReadCatalogue } from './orders/read-catalogue.js';
import { RecordHandling } from './orders/record-handling.js';
import { SaveOrder } from './orders/save-order.js';
import { ShowOrders } from './orders/show-orders.js';
import { StockWarnings } from './orders/stock-warnings.js';
import { ReconciliationConsumer } from './reconciliation/reconciliation.consumer.js';
import { AuthoriseReturn } from './returns/authorise-return.js';
import { ChangeReturn } from './returns/change-return.js';
import { ReturnQueries } from './returns/return.queries.js';
import { ReturnsConsumer } from './returns/returns.consumer.js';
import { CancelShipment } from './shipments/cancel-shipment.js';
import { ShipOrder } from './shipments/ship-order.js';
import { ShipmentQueries } from './shipments/shipment.queries.js';
import { ShipmentsConsumer } from './shipments/shipments.consumer.js';
import { AskAgain } from './stock/ask-again.js';
import { AskInventory } from './stock/ask-inventory.js';
import { HearInventory } from './stock/hear-inventory.js';
import { StockReportsConsumer } from './stock/stock-reports.consumer.js';

/** Orders, shipments, returns and the record of what happened to them. */
@Module({
  controllers: [
    OrdersConsumer,
    ShipmentsConsumer,
    ReturnsConsumer,
    AuditConsumer,
    StockReportsConsumer,
    ApprovalsConsumer,
    ReconciliationConsumer,
  ],
  providers: [
    SaveOrder,
    AskInventory,
    TellApprovals,
    CarryOn,
    AskAgain,
    HearInventory,
    HearApprovals,
    ChangeOrder,
    OrganisationSettings,
    ReadCatalogue,
    StockWarnings,
    ShowOrders,
    PlaceOrder,
    AmendOrder,
    ConfirmOrder,
    CancelOrder,
    RecordHandling,
    OrderQueries,
    ShipOrder,
    CancelShipment,
    ShipmentQueries,
    AuthoriseReturn,
    ChangeReturn,
    ReturnQueries,
    AuditQueries,
  ],
})
export class OrdersModule {}
