import { Injectable } from '@nestjs/common';
import {
  type CheckedPage,
  COMPARED_ORDERS_MAX,
  DemandBooksRead,
  DemandCheck,
  type Mismatch,
  OrderBooksRead,
  RowsCount,
  StockCheck,
} from '#libs/contracts';
import { RpcClient } from '#libs/messaging';
import { KeepSchedule } from '../schedules/keep-schedule.js';
import { compareOrder, unknownOrder } from './compare-orders.js';
import type { Advanced, Part, RunRow } from './run.sql.js';

/** So large that what a page costs beside its rows does not count, and so small that it takes a fraction of a second. */
const BALANCES_PER_PAGE = 20_000;
const DEMANDS_PER_PAGE = 2_000;
/** Whose demands are compared with orders. */
const ORDERS_SOURCE = '/orders';
const TIMEOUT_MS = 60_000;

/** What a page came to, and where the next one begins. */
export interface PageResult {
  readonly to: Advanced;
  readonly mismatches: readonly Mismatch[];
  /** Also those that are not listed. */
  readonly mismatchesTotal: number;
  /** Orders to be looked at again. */
  readonly unsettled: readonly string[];
}

/** The pages of a run, as the services that own the tables compute them. */
@Injectable()
export class CheckPages {
  constructor(
    private readonly rpc: RpcClient,
    private readonly schedule: KeepSchedule,
  ) {}

  /** The next page of a run that is not at `again` yet. @throws {HoldfastError} kind `unavailable` when a service does not answer. */
  async next(orgId: string, run: RunRow): Promise<PageResult> {
    switch (run.part) {
      case 'count':
        return await this.count(orgId, run);
      case 'stock': {
        const page = await this.rpc.call(StockCheck, { orgId, ...afterOf(run), limit: BALANCES_PER_PAGE }, { timeoutMs: TIMEOUT_MS });
        const seen = { balances: run.balances + page.checked, outOfSync: run.outOfSync + page.outOfSync };
        return checked(run, page, 'demands', seen);
      }
      case 'demands': {
        const page = await this.rpc.call(DemandCheck, { orgId, ...afterOf(run), limit: DEMANDS_PER_PAGE }, { timeoutMs: TIMEOUT_MS });
        return checked(run, page, 'orders', {});
      }
      case 'orders':
        return await this.compareOrders(orgId, run);
      case 'again':
        throw new Error('What is looked at again has no pages.');
    }
  }

  /** Orders that were unsettled; answers which of them still are. */
  async again(orgId: string, orderIds: readonly string[]): Promise<{ mismatches: Mismatch[]; unsettled: string[] }> {
    const { orders } = await this.rpc.call(OrderBooksRead, { orgId, orderIds: [...orderIds], limit: orderIds.length });
    const { demands } = await this.rpc.call(DemandBooksRead, { orgId, orderIds: [...orderIds] });
    const [known, held] = [byId(orders), byId(demands)];
    const mismatches: Mismatch[] = [];
    const unsettled: string[] = [];
    for (const orderId of orderIds) {
      const [order, demand] = [known.get(orderId), held.get(orderId)];
      // It is looked at again because inventory knew it before, or orders did; orders forgets none.
      const compared = order === undefined ? (demand === undefined ? [] : unknownOrder(demand)) : compareOrder(order, demand);
      if (compared === 'unsettled') unsettled.push(orderId);
      else mismatches.push(...compared);
    }
    return { mismatches, unsettled };
  }

  private async count(orgId: string, run: RunRow): Promise<PageResult> {
    // Of who asks for a run nothing may have been heard yet.
    await this.schedule.learn(orgId);
    const [inventory, orders] = await Promise.all([
      this.rpc.call(RowsCount.inventory, { orgId }, { timeoutMs: TIMEOUT_MS }),
      this.rpc.call(RowsCount.orders, { orgId }, { timeoutMs: TIMEOUT_MS }),
    ]);
    const total = inventory.balances + inventory.orders + orders.orders;
    return { to: { ...run, total, part: 'stock', afterKey: '' }, ...NOTHING };
  }

  /** Orders first, and then what inventory knows of them and of any others among them: see {@link compareOrder}. */
  private async compareOrders(orgId: string, run: RunRow): Promise<PageResult> {
    const { orders, next } = await this.rpc.call(
      OrderBooksRead,
      { orgId, ...afterOf(run), limit: COMPARED_ORDERS_MAX },
      { timeoutMs: TIMEOUT_MS },
    );
    const { demands, others } = await this.rpc.call(
      DemandBooksRead,
      {
        orgId,
        orderIds: orders.map(({ orderId }) => orderId),
        others: { source: ORDERS_SOURCE, after: run.afterKey, upTo: next },
      },
      { timeoutMs: TIMEOUT_MS },
    );
    const held = byId(demands);
    const mismatches: Mismatch[] = [];
    // The others may have been made meanwhile.
    const unsettled = [...others];
    for (const order of orders) {
      const compared = compareOrder(order, held.get(order.orderId));
      if (compared === 'unsettled') unsettled.push(order.orderId);
      else mismatches.push(...compared);
    }
    const to = { ...advance(run, next, 'again'), done: run.done + orders.length };
    return { to, mismatches, mismatchesTotal: mismatches.length, unsettled };
  }
}

const NOTHING = { mismatches: [], mismatchesTotal: 0, unsettled: [] };

const afterOf = ({ afterKey }: RunRow) => (afterKey === '' ? {} : { after: afterKey });

const byId = <T extends { readonly orderId: string }>(books: readonly T[]) => new Map(books.map((book) => [book.orderId, book]));

/** To the next page, or to the next part. */
function advance(run: RunRow, next: string | null, nextPart: Part): Advanced {
  return next === null ? { ...run, part: nextPart, afterKey: '' } : { ...run, afterKey: next };
}

function checked(run: RunRow, page: CheckedPage, nextPart: Part, seen: Partial<Advanced>): PageResult {
  const { mismatches, mismatchesTotal } = page;
  return {
    to: { ...advance(run, page.next, nextPart), ...seen, done: run.done + page.checked },
    mismatches,
    mismatchesTotal,
    unsettled: [],
  };
}
