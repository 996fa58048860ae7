import { Body, Controller, Get, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  AdjustmentPost,
  AvailabilityGet,
  ItemGet,
  LedgerList,
  type Page,
  ReceiptPost,
  ReorderPointSet,
  ReservationList,
  SafetyStockSet,
  StockList,
  type StockRow,
} from '#libs/contracts';
import { invalid, notFound } from '#libs/domain';
import { aNeededApproval } from '../approvals/approval.examples.js';
import { statusOfApproval } from '../http/awaits-approval.js';
import { ByCaller, Caller } from '../http/caller.js';
import { Calls } from '../http/endpoint.js';
import { pageOf, PAGE_LIMIT_MAX, PageQuery } from '../http/paging.js';
import { Services } from '../http/services.js';
import { sumStock } from './item-stock.js';
import {
  AvailabilityQuery,
  ItemStockQuery,
  LedgerQuery,
  NewAdjustment,
  NewReceipt,
  ReorderPoint,
  ReservationsQuery,
  SafetyStock,
  StockQuery,
} from './stock.dto.js';
import {
  aLedgerEntry,
  anAdjustment,
  anAvailability,
  anItemStock,
  anUnwatchedRow,
  aReceipt,
  aReleasedReservation,
  aReservation,
  aShippedEntry,
  aStockRow,
} from './stock.examples.js';

const PAIRS_ASKED_MAX = 1_000;

const lowStockItem = ({ itemId, warehouseId, onHand, threshold, isLowStock }: StockRow) => ({
  itemId,
  warehouseId,
  onHand,
  threshold,
  isLowStock,
});

@ApiTags('Stock')
@Controller('inventory')
export class StockController {
  constructor(private readonly services: Services) {}

  @Post('receipts')
  @Calls(ReceiptPost, { status: 201, makes: 'receiptId', answers: aReceipt })
  receive(@ByCaller() caller: Caller, @Body() receipt: NewReceipt) {
    return this.services.call(ReceiptPost, caller, receipt);
  }

  @Post('adjustments')
  @ApiResponse({ status: 202, description: 'Nothing is posted before somebody has approved it.', example: aNeededApproval })
  @Calls(AdjustmentPost, { status: 201, makes: 'commandId', answers: anAdjustment })
  async adjust(@ByCaller() caller: Caller, @Body() adjustment: NewAdjustment, @Res({ passthrough: true }) reply: FastifyReply) {
    return statusOfApproval(await this.services.call(AdjustmentPost, caller, adjustment), reply);
  }

  @Put('safety-stock')
  @Calls(SafetyStockSet, {
    answers: { warehouseId: 'berlin', itemId: 'coffee-1kg', quantity: null, percent: '5' },
    also: [{ warehouseId: 'berlin', itemId: 'coffee-1kg', quantity: '10', percent: null }],
  })
  setSafetyStock(@ByCaller() caller: Caller, @Body() safetyStock: SafetyStock) {
    return this.services.call(SafetyStockSet, caller, safetyStock);
  }

  @Put('reorder-points')
  @Calls(ReorderPointSet, {
    answers: { warehouseId: 'berlin', itemId: 'coffee-1kg', reorderPoint: null },
    also: [{ warehouseId: 'berlin', itemId: 'coffee-1kg', reorderPoint: '20' }],
  })
  setReorderPoint(@ByCaller() caller: Caller, @Body() reorderPoint: ReorderPoint) {
    return this.services.call(ReorderPointSet, caller, reorderPoint);
  }

  @Get('availability')
  @Calls(AvailabilityGet, { answers: { items: [anAvailability] } })
  availability(@ByCaller() caller: Caller, @Query() { itemId: itemIds, warehouseId: warehouseIds, ...query }: AvailabilityQuery) {
    const items = itemIds.flatMap((itemId) => warehouseIds?.map((warehouseId) => ({ itemId, warehouseId })) ?? [{ itemId }]);
    if (items.length > PAIRS_ASKED_MAX) throw invalid(`At most ${PAIRS_ASKED_MAX} pairs of item and warehouse can be asked for at once.`);
    return this.services.call(AvailabilityGet, caller, { items, ...query });
  }

  @Get('stock')
  @Calls(StockList, { answers: { ...pageOf(aStockRow, anUnwatchedRow), lowStockCount: 0 } })
  stock(@ByCaller() caller: Caller, @Query() query: StockQuery) {
    return this.services.call(StockList, caller, query);
  }

  @Get('items/:itemId/stock')
  @Calls(StockList, { answers: { ...anItemStock, reorderPoint: null }, also: [anItemStock] })
  async itemStock(@ByCaller() caller: Caller, @Param('itemId') itemId: string, @Query() query: ItemStockQuery) {
    const known = this.services.call(ItemGet, caller, { itemIds: [itemId] });
    const rows = this.#allStock(caller, { ...query, itemId });
    const [{ items }, warehouses] = await Promise.all([known, rows]);
    if (items.length === 0) throw notFound('ITEM_NOT_FOUND', `There is no item ${itemId}.`);
    return sumStock(itemId, warehouses);
  }

  @Get('ledger')
  @Calls(LedgerList, { answers: { entries: [aLedgerEntry, aShippedEntry], nextCursor: null } })
  async ledger(@ByCaller() caller: Caller, @Query() query: LedgerQuery) {
    const { items: entries, nextCursor } = await this.services.call(LedgerList, caller, query);
    return { entries, nextCursor };
  }

  @Get('reservations')
  @Calls(ReservationList, { answers: { reservations: [aReservation, aReleasedReservation], nextCursor: null } })
  async reservations(@ByCaller() caller: Caller, @Query() query: ReservationsQuery) {
    const { items: reservations, nextCursor } = await this.services.call(ReservationList, caller, query);
    return { reservations, nextCursor };
  }

  @Get('alerts/low-stock')
  @Calls(StockList, { answers: pageOf(lowStockItem(aStockRow)) })
  async lowStock(@ByCaller() caller: Caller, @Query() page: PageQuery): Promise<Page<ReturnType<typeof lowStockItem>>> {
    const { items, nextCursor } = await this.services.call(StockList, caller, { ...page, low: true });
    return { items: items.map(lowStockItem), nextCursor };
  }

  async #allStock(caller: Caller, query: { itemId: string; warehouseId?: string }): Promise<StockRow[]> {
    const rows: StockRow[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await this.services.call(StockList, caller, { ...query, limit: PAGE_LIMIT_MAX, ...(cursor ? { cursor } : {}) });
      rows.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor);
    return rows;
  }
}
