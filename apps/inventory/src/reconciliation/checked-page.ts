import { type CheckedPage, MISMATCHES_PER_PAGE_MAX } from '#libs/contracts';
import { type MismatchRow, toMismatch } from './mismatch.js';

/** What a page of checks came to; `next`: where the next one begins, null after the last. */
export function toPage(found: readonly MismatchRow[], checked: number, next: string | null): CheckedPage {
  const subjects = new Set(found.map((row) => row.order_id ?? `${row.warehouse_id}/${row.item_id}`));
  return {
    checked,
    next,
    outOfSync: subjects.size,
    mismatchesTotal: found.length,
    mismatches: found.slice(0, MISMATCHES_PER_PAGE_MAX).map(toMismatch),
  };
}

/** Two pages as one; the second begins where the first ends. */
export function joinPages(first: CheckedPage, second: CheckedPage): CheckedPage {
  return {
    checked: first.checked + second.checked,
    next: second.next,
    outOfSync: first.outOfSync + second.outOfSync,
    mismatchesTotal: first.mismatchesTotal + second.mismatchesTotal,
    mismatches: [...first.mismatches, ...second.mismatches].slice(0, MISMATCHES_PER_PAGE_MAX),
  };
}
