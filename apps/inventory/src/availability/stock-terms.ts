import { parseQuantity } from '#libs/domain';
import type { StockTerms } from './available-to-promise.js';

/** The terms of the calculation as columns of a balance `b`, which may be missing, and its item `i`. */
export const STOCK_TERM_COLUMNS = `
  coalesce(b.on_hand, 0) as on_hand,
  coalesce(b.blocked, 0) as blocked,
  coalesce(b.reserved, 0) as reserved,
  coalesce(b.backordered, 0) as backordered,
  coalesce(b.safety_quantity, i.safety_stock, 0) as safety_quantity,
  coalesce(b.safety_percent, 0) as safety_percent`;

/** What {@link STOCK_TERM_COLUMNS} answers. */
export interface StockTermRow {
  readonly on_hand: string;
  readonly blocked: string;
  readonly reserved: string;
  readonly backordered: string;
  readonly safety_quantity: string;
  readonly safety_percent: string;
}

export function stockTerms(row: StockTermRow): StockTerms {
  return {
    onHand: parseQuantity(row.on_hand),
    blocked: parseQuantity(row.blocked),
    reserved: parseQuantity(row.reserved),
    backordered: parseQuantity(row.backordered),
    safetyQuantity: parseQuantity(row.safety_quantity),
    safetyPercent: parseQuantity(row.safety_percent),
  };
}
