import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { ApprovalPoliciesController } from './approvals/approval-policies.controller.js';
import { ApprovalsController } from './approvals/approvals.controller.js';
import { AuditController } from './audit/audit.controller.js';
import { AccessTokens } from './auth/access-tokens.js';
import { ApiKeysController } from './auth/api-keys.controller.js';
import { ApiKeys } from './auth/api-keys.js';
import { AuthenticateGuard } from './auth/authenticate.guard.js';
import { AuthoriseGuard } from './auth/authorise.guard.js';
import { DevelopmentTokenController } from './auth/development-token.controller.js';
import { Identities } from './auth/identities.js';
import { MembersController } from './auth/members.controller.js';
import { Members } from './auth/members.js';
import { ItemsController } from './catalogue/items.controller.js';
import { WarehousesController } from './catalogue/warehouses.controller.js';
import { DiscrepanciesController } from './discrepancies/discrepancies.controller.js';
import { AnswerInterceptor } from './http/answer.interceptor.js';
import { LogContextInterceptor } from './http/observe-requests.js';
import { ProblemFilter } from './http/problem.filter.js';
import { RateLimitGuard } from './http/rate-limit.guard.js';
import { Services } from './http/services.js';
import { ShapePipe } from './http/shape.pipe.js';
import { IdempotencyInterceptor } from './idempotency/idempotency.interceptor.js';
import { IdempotencyRecords } from './idempotency/idempotency-records.js';
import { ImportsController } from './imports/imports.controller.js';
import { LiveEventsConsumer } from './live-events/live-events.consumer.js';
import { LiveEventsController } from './live-events/live-events.controller.js';
import { LiveEvents } from './live-events/live-events.js';
import { ChannelsController } from './notifications/channels.controller.js';
import { DeliveriesController } from './notifications/deliveries.controller.js';
import { OrdersController } from './orders/orders.controller.js';
import { ReturnsController } from './orders/returns.controller.js';
import { ShipmentsController } from './orders/shipments.controller.js';
import { ParkedMessagesController } from './parked-messages/parked-messages.controller.js';
import { ReportsController } from './reports/reports.controller.js';
import { RunsController } from './reconciliation/runs.controller.js';
import { SettingsController } from './settings/settings.controller.js';
import { ExpectedReceiptsController } from './stock/expected-receipts.controller.js';
import { TransfersController } from './stock/transfers.controller.js';
import { ProjectionController } from './stock/projection.controller.js';
import { CostingController } from './stock/costing.controller.js';
import { StockController } from './stock/stock.controller.js';
import { WarehouseWorkController } from './warehouse-work/warehouse-work.controller.js';

/** The HTTP API. Every request goes through the guards, interceptors and pipe below in the order in which they stand here. */
@Module({
  controllers: [
    WarehousesController,
    ItemsController,
    ImportsController,
    StockController,
    ExpectedReceiptsController,
    TransfersController,
    ProjectionController,
    WarehouseWorkController,
    CostingController,
    DiscrepanciesController,
    OrdersController,
    ShipmentsController,
    ReturnsController,
    ApprovalPoliciesController,
    ApprovalsController,
    RunsController,
    SettingsController,
    AuditController,
    ReportsController,
    ChannelsController,
    DeliveriesController,
    MembersController,
    ApiKeysController,
    DevelopmentTokenController,
    ParkedMessagesController,
    LiveEventsController,
    LiveEventsConsumer,
  ],
  providers: [
    AccessTokens,
    ApiKeys,
    IdempotencyRecords,
    Identities,
    LiveEvents,
    Members,
    Services,
    { provide: APP_GUARD, useClass: AuthenticateGuard },
    { provide: APP_GUARD, useClass: RateLimitGuard },
    { provide: APP_GUARD, useClass: AuthoriseGuard },
    { provide: APP_INTERCEPTOR, useClass: LogContextInterceptor },
    { provide: APP_INTERCEPTOR, useClass: AnswerInterceptor },
    { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
    { provide: APP_PIPE, useClass: ShapePipe },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
})
export class GatewayModule {}
