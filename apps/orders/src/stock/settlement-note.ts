import { conflict, HoldfastError, notFound, rejected } from '#libs/domain';
import { approvable } from '../approvals/approval.rules.js';
import type { AuditNote } from '../audit/audit.sql.js';
import type { OrderState } from '../orders/order-state.js';
import type { Settled } from './apply-stock-report.js';
import type { Outstanding, Saying } from './outstanding.js';
import type { Refusal } from './stock-report.js';

/** How the record names what was done, and what was refused. */
const TYPES: Readonly<Record<Saying, readonly [done: string, refused: string]>> = {
  place: ['order_created', 'order_refused'],
  amend: ['order_amended', 'order_amendment_refused'],
  confirm: ['order_confirmed', 'order_confirmation_refused'],
  cancel: ['order_cancelled', 'order_cancellation_refused'],
  approve: ['order_approval_applied', 'order_approval_overtaken'],
  restore: ['order_amendment_taken_back', 'order_restoration_refused'],
  reject: ['order_rejected', 'order_rejection_refused'],
  pick: ['order_picked', 'order_pick_refused'],
  ship: ['shipment_posted', 'shipment_refused'],
  unship: ['shipment_cancelled', 'shipment_cancellation_refused'],
  receive: ['return_received', 'return_reception_refused'],
  inspect: ['return_inspected', 'return_inspection_refused'],
};

/** The record of something that was asked for, with its outcome; of a refusal, what was available of each short line; of what was picked, what was missing. */
export function settlementNotes(before: OrderState, after: OrderState, settled: Settled | null): AuditNote[] {
  if (settled === null) return [];
  const { outstanding, refusal, shortages = [] } = settled;
  const [done, refused] = TYPES[outstanding.kind];
  const { orderId: _, ...content } = outstanding.data;
  const status = before.status === after.status ? {} : { from: before.status, to: after.status };
  const asked = { sequence: outstanding.sequence, askedAt: outstanding.askedAt, customerId: before.customerId, ...content };
  if (refusal === null) {
    const missing = shortages.length === 0 ? [] : [{ type: 'pick_shortage', details: { sequence: outstanding.sequence, shortages } }];
    return [{ type: done, details: { ...asked, ...status } }, ...missing];
  }
  const { reason, lines, discrepancyIds, alternatives, override, detail } = refusal;
  const known = override === undefined ? {} : { magnitudes: override.magnitudes, availabilitySnapshot: override.availabilitySnapshot };
  const why = detail === undefined ? {} : { detail };
  const type = approvable(outstanding, refusal) === null ? refused : 'order_blocked';
  return [{ type, details: { ...asked, reason, shortLines: lines, discrepancyIds, alternatives, ...known, ...why } }];
}

/** The error that tells a caller that what was said was refused. */
export function refusalError(orderId: string, outstanding: Outstanding, refusal: Refusal): Error {
  const { reason, lines, discrepancyIds, alternatives, detail, unreadable } = refusal;
  if (unreadable !== undefined) return new HoldfastError('invalid', 'VALIDATION_FAILED', detail ?? '', unreadable);
  const details = { orderId, reason, lines, discrepancyIds, alternatives };
  switch (reason) {
    case 'INSUFFICIENT_STOCK':
      return conflict(reason, detail ?? `There is not enough stock for order ${orderId}.`, details);
    case 'DISCREPANCY_LOCK':
      return conflict(reason, `Open discrepancies hold the stock that order ${orderId} needs.`, details);
    case 'ITEM_NOT_FOUND':
    case 'WAREHOUSE_NOT_FOUND':
    case 'LOT_NOT_FOUND':
    case 'SHIPMENT_NOT_FOUND':
    case 'RETURN_NOT_FOUND':
      return notFound(reason, `Inventory does not know what was said of order ${orderId}: ${namedIn(outstanding, refusal)}.`);
    case 'ORDER_OWNED_ELSEWHERE':
    case 'ALREADY_EXISTS':
      return conflict('ALREADY_EXISTS', `Another system uses this id already (order ${orderId}).`, details);
    case 'ORDER_CANCELLED':
    case 'INVALID_STATE':
      return conflict('INVALID_STATE', detail ?? `Inventory does not allow this for order ${orderId} now.`, details);
    case 'EXCEEDS_SHIPPED':
    case 'EXCEEDS_REQUESTED':
      return rejected('ORDER_VALIDATION', `More than order ${orderId} allows.`, details);
  }
}

/** What a line may name; not all that is said names all of it. */
interface Naming {
  readonly lineNo: number;
  readonly itemId?: string;
  readonly warehouseId?: string;
  readonly lot?: string;
  readonly lots?: readonly { readonly lot?: string }[];
}

const FIELDS = { ITEM_NOT_FOUND: 'itemId', WAREHOUSE_NOT_FOUND: 'warehouseId', LOT_NOT_FOUND: 'lot' } as const;

/** What was named of the kind that inventory did not find, in the lines that it refused, or in all when it did not say which. */
function namedIn({ data }: Outstanding, { reason, lines }: Refusal): string {
  if (reason === 'SHIPMENT_NOT_FOUND' && 'shipmentId' in data) return `shipment ${data.shipmentId}`;
  if (reason === 'RETURN_NOT_FOUND' && 'returnId' in data) return `return ${data.returnId}`;
  const said: readonly Naming[] = ('lines' in data ? data.lines : undefined) ?? [];
  const concerned = lines.length === 0 ? said : said.filter((line) => lines.some(({ lineNo }) => lineNo === line.lineNo));
  const field = FIELDS[reason as keyof typeof FIELDS];
  const names = concerned.flatMap((line) => {
    const named = [line[field], ...(field === 'lot' ? (line.lots ?? []).map(({ lot }) => lot) : [])];
    return named.flatMap((name) => (name === undefined ? [] : `${field.replace('Id', '')} ${name} of line ${line.lineNo}`));
  });
  if (names.length > 0) return names.join(', ');
  return 'warehouseId' in data ? `warehouse ${data.warehouseId}` : concerned.map(({ lineNo }) => `line ${lineNo}`).join(', ');
}
