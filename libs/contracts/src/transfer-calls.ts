import { Type } from '@sinclair/typebox';
import { defineCall, internal, type Page, PageQuery } from './define-call.js';
import { EVERY_ROLE, WAREHOUSE_WORKERS } from './role.js';
import { COMMAND_LINES_MAX, Id, NonNegativeDecimal, PositiveDecimal } from './schema.js';

// Goods that go from one of our warehouses to another. Between our own services only.

const shared = { service: 'inventory' as const, visibility: 'internal' as const };
const dryRun = { dryRun: Type.Optional(Type.Boolean()) };

/** `immediate`: out of one warehouse and into the other at once. `in_transit`: it arrives when somebody says so. */
export const TransferMode = Type.Union([Type.Literal('immediate'), Type.Literal('in_transit')]);
export type TransferStatus = 'in_transit' | 'completed';

export interface Transfer {
  readonly transferId: string;
  readonly fromWarehouseId: string;
  readonly toWarehouseId: string;
  readonly mode: 'immediate' | 'in_transit';
  readonly status: TransferStatus;
  /** By item and lot. */
  readonly lines: readonly {
    readonly itemId: string;
    readonly lot: string | null;
    readonly quantity: string;
    readonly receivedQuantity: string;
    /** What did not arrive, and will not. */
    readonly missingQuantity: string;
    readonly inTransitQuantity: string;
  }[];
  readonly dispatchedAt: string;
  readonly dispatchedBy: string | null;
  readonly completedAt: string | null;
  readonly dryRun?: boolean;
}

export const TransferCreate = defineCall({
  ...shared,
  pattern: 'transfers.create',
  effect: 'change',
  allow: WAREHOUSE_WORKERS,
  summary: 'Moves free stock from one warehouse to another, at once or by way of transit.',
  request: Type.Object({
    transferId: Type.Optional(Id),
    fromWarehouseId: Id,
    toWarehouseId: Id,
    mode: Type.Optional(TransferMode),
    lines: Type.Array(Type.Object({ itemId: Id, quantity: PositiveDecimal, lot: Type.Optional(Id) }), {
      minItems: 1,
      maxItems: COMMAND_LINES_MAX,
    }),
    ...dryRun,
  }),
  response: internal<Transfer>(),
});

export const TransferReceive = defineCall({
  ...shared,
  pattern: 'transfers.receive',
  effect: 'change',
  allow: WAREHOUSE_WORKERS,
  summary: 'Takes in what arrived; no lines = all that is under way. `closeShortLines`: what of the named lines did not arrive is missing.',
  request: Type.Object({
    transferId: Id,
    commandId: Type.Optional(Id),
    lines: Type.Optional(
      Type.Array(Type.Object({ itemId: Id, quantity: NonNegativeDecimal, lot: Type.Optional(Id) }), {
        minItems: 1,
        maxItems: COMMAND_LINES_MAX,
      }),
    ),
    closeShortLines: Type.Optional(Type.Boolean()),
    ...dryRun,
  }),
  response: internal<Transfer>(),
});

export const TransferList = defineCall({
  ...shared,
  pattern: 'transfers.list',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'Transfers, newest first; `warehouseId` = from or to it.',
  request: Type.Object({
    warehouseId: Type.Optional(Id),
    status: Type.Optional(Type.Union([Type.Literal('in_transit'), Type.Literal('completed')])),
    ...PageQuery,
  }),
  response: internal<Page<Transfer>>(),
});

export const TransferGet = defineCall({
  ...shared,
  pattern: 'transfers.get',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'A transfer, with what arrived of it.',
  request: Type.Object({ transferId: Id }),
  response: internal<Transfer>(),
});
