import { type ApprovedInDoubtRow, ApprovedOrders, DoubtsAt, type Report, type ResponseOf } from '#libs/contracts';
import type { Caller } from '../http/caller.js';
import { PAGE_LIMIT_MAX } from '../http/paging.js';
import type { Services } from '../http/services.js';

/** How many approvals of orders are looked at, the newest first: people give a few a day. */
const EXAMINED_MAX = 5_000;

/** How many approvals of orders there were, and how many of them while discrepancies put the stock in doubt. */
export interface ApprovedInDoubtSummary {
  readonly approvals: number;
  readonly inDoubt: number;
}

/**
 * Orders that were approved while discrepancies put their stock in doubt, newest first. Who approved what and when is known to approvals,
 * and for good; which discrepancies were open at that moment is known to inventory: neither depends on what anybody noted meanwhile.
 */
export async function approvedInDoubt(
  services: Services,
  caller: Caller,
  { limit, ...period }: { readonly from: string; readonly to: string; readonly limit: number },
): Promise<Report<ApprovedInDoubtRow, ApprovedInDoubtSummary>> {
  const rows: ApprovedInDoubtRow[] = [];
  let [approvals, inDoubt] = [0, 0];
  let cursor: string | null = null;
  do {
    const page: ResponseOf<typeof ApprovedOrders> = await services.call(ApprovedOrders, caller, {
      ...period,
      limit: PAGE_LIMIT_MAX,
      ...(cursor === null ? {} : { cursor }),
    });
    const asked = page.items.map(({ approvedAt, places }) => ({ at: approvedAt, places: [...places] }));
    const { doubts } = await services.call(DoubtsAt, caller, { asked });
    for (const [index, { places: _, kind: _kind, availability, ...order }] of page.items.entries()) {
      const discrepancies = doubts[index]!;
      if (discrepancies.length === 0) continue;
      inDoubt += 1;
      const discrepancyIds = discrepancies.map(({ discrepancyId }) => discrepancyId);
      if (rows.length < limit) rows.push({ ...order, discrepancyIds, snapshot: { availability, discrepancies } });
    }
    approvals += page.items.length;
    cursor = page.nextCursor;
  } while (cursor !== null && approvals < EXAMINED_MAX);
  return { rows, summary: { approvals, inDoubt }, truncated: cursor !== null || inDoubt > rows.length };
}
