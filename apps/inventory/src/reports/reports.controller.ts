import { Controller } from '@nestjs/common';
import {
  DiscrepanciesReport,
  DoubtsAt,
  InventoryValueReport,
  OverridesWithoutEffect,
  OversellReport,
  type ResponseOf,
  WITHOUT_EFFECT_MAX,
  WouldBlockReport,
} from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { Database, type Tx } from '#libs/persistence';
import { readWithoutEffect } from '../approvals/approval-effect.sql.js';
import type { Asked } from '../asked.js';
import { readDoubtsAt, reportDiscrepancies } from './discrepancies.queries.js';
import { reportInventoryValue } from './inventory-value.queries.js';
import { reportOversell, reportWouldBlock } from './oversell.queries.js';

/** The reports on stock, of the warehouses in which the reader works. */
@Controller()
export class ReportsController {
  constructor(private readonly database: Database) {}

  @OnCall(OversellReport)
  oversell(request: Asked<typeof OversellReport>, { actor }: MessageContext): Promise<ResponseOf<typeof OversellReport>> {
    return this.read(request, (tx, orgId) => reportOversell(tx, orgId, actor.warehouses, request));
  }

  @OnCall(WouldBlockReport)
  wouldBlock(request: Asked<typeof WouldBlockReport>, { actor }: MessageContext): Promise<ResponseOf<typeof WouldBlockReport>> {
    return this.read(request, (tx, orgId) => reportWouldBlock(tx, orgId, actor.warehouses, request));
  }

  @OnCall(DiscrepanciesReport)
  discrepancies(request: Asked<typeof DiscrepanciesReport>, { actor }: MessageContext): Promise<ResponseOf<typeof DiscrepanciesReport>> {
    return this.read(request, (tx, orgId) => reportDiscrepancies(tx, orgId, actor.warehouses, request));
  }

  @OnCall(InventoryValueReport)
  value(request: Asked<typeof InventoryValueReport>, { actor }: MessageContext): Promise<ResponseOf<typeof InventoryValueReport>> {
    return this.read(request, (tx, orgId) => reportInventoryValue(tx, orgId, actor.warehouses, request));
  }

  @OnCall(DoubtsAt)
  doubtsAt(request: Asked<typeof DoubtsAt>, { actor }: MessageContext): Promise<ResponseOf<typeof DoubtsAt>> {
    return this.read(request, (tx, orgId) => readDoubtsAt(tx, orgId, actor.warehouses, request));
  }

  @OnCall(OverridesWithoutEffect)
  overridesWithoutEffect(
    request: Asked<typeof OverridesWithoutEffect>,
    { actor }: MessageContext,
  ): Promise<ResponseOf<typeof OverridesWithoutEffect>> {
    return this.read(request, async (tx, orgId) => {
      const rows = await tx.run(readWithoutEffect, [orgId, request.from, WITHOUT_EFFECT_MAX, actor.warehouses]);
      return { approvalRequestIds: rows.map((row) => row.approval_request_id) };
    });
  }

  private read<T>({ orgId }: { readonly orgId: string }, work: (tx: Tx, orgId: string) => Promise<T>): Promise<T> {
    return this.database.transaction([orgId], (tx) => work(tx, orgId), { readOnly: true });
  }
}
