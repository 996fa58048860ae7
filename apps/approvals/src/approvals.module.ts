import { Module } from '@nestjs/common';
import { Clock, CONFIG, type Config } from '#libs/service';
import { AuditConsumer } from './audit/audit.consumer.js';
import { AuditQueries } from './audit/audit.queries.js';
import { ChangePolicies } from './policies/change-policies.js';
import { PoliciesConsumer } from './policies/policies.consumer.js';
import { PolicyQueries } from './policies/policy.queries.js';
import { ReportQueries } from './reports/report.queries.js';
import { ReportsConsumer } from './reports/reports.consumer.js';
import { CancelRequest } from './requests/cancel-request.js';
import { DecideRequest } from './requests/decide-request.js';
import { DueRequests } from './requests/due-requests.js';
import { RequestApproval } from './requests/request-approval.js';
import { RequestQueries } from './requests/request.queries.js';
import { RequestsConsumer } from './requests/requests.consumer.js';
import { SaveRequest } from './requests/save-request.js';

/** Approvals: policies, requests, decisions, and what time makes of requests that nobody decides. */
@Module({
  controllers: [RequestsConsumer, PoliciesConsumer, ReportsConsumer, AuditConsumer],
  providers: [
    { provide: Clock, inject: [CONFIG], useFactory: ({ clockOffsetSeconds }: Config) => new Clock(clockOffsetSeconds) },
    SaveRequest,
    RequestApproval,
    CancelRequest,
    DecideRequest,
    DueRequests,
    RequestQueries,
    ChangePolicies,
    PolicyQueries,
    ReportQueries,
    AuditQueries,
  ],
})
export class ApprovalsModule {}
