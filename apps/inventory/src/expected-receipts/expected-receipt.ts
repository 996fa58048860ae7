import type { ExpectedReceiptStatus, ExpectedReceiptUpdate, RequestOf } from '#libs/contracts';
import { conflict, type Day, formatQuantity, parseQuantity, type Quantity, rejected, ZERO } from '#libs/domain';

/** What is known of goods that are to come. */
export interface Expectation {
  readonly expectedReceiptId: string;
  readonly warehouseId: string;
  readonly itemId: string;
  /** Announced in all. */
  readonly quantity: Quantity;
  readonly received: Quantity;
  readonly expectedOn: Day;
  readonly reference: string | null;
  readonly status: ExpectedReceiptStatus;
}

/** What is still counted on. */
export function openQuantity({ status, quantity, received }: Pick<Expectation, 'status' | 'quantity' | 'received'>): Quantity {
  return status === 'open' ? quantity - received : ZERO;
}

/**
 * The expectation as the request wants it; the same one when that changes nothing, so that a repeat is answered as the first was.
 *
 * @throws {HoldfastError} 409 `INVALID_STATE` when nothing is to come any more; 422 `STOCK_VALIDATION` when more has come than should be
 * announced.
 */
export function changedExpectation(current: Expectation, request: Omit<RequestOf<typeof ExpectedReceiptUpdate>, 'dryRun'>): Expectation {
  const quantity = request.quantity === undefined ? current.quantity : parseQuantity(request.quantity);
  const expectedOn = request.expectedOn ?? current.expectedOn;
  const reference = request.reference === undefined ? current.reference : request.reference;
  if (quantity === current.quantity && expectedOn === current.expectedOn && reference === current.reference) return current;
  if (current.status !== 'open') throw closed(current, 'changed');
  if (quantity < current.received) {
    const received = formatQuantity(current.received);
    const message = `Of expected receipt ${current.expectedReceiptId} ${received} has come already; it cannot have been less.`;
    throw rejected('STOCK_VALIDATION', message, { receivedQuantity: received });
  }
  return { ...current, quantity, expectedOn, reference, status: quantity === current.received ? 'received' : 'open' };
}

/**
 * The expectation with nothing more to come; the same one when it was cancelled before.
 *
 * @throws {HoldfastError} 409 `INVALID_STATE` when all of it has come.
 */
export function cancelledExpectation(current: Expectation): Expectation {
  if (current.status === 'cancelled') return current;
  if (current.status === 'received') throw closed(current, 'cancelled');
  return { ...current, status: 'cancelled' };
}

/**
 * The expectation after so much of it has come. What was cancelled, or had come already, stays so: more came than anybody expected, and
 * goods that are there are never kept out by what was announced.
 */
export function arrivedExpectation(current: Expectation, quantity: Quantity): Expectation {
  const received = current.received + quantity;
  return { ...current, received, status: current.status === 'open' && received >= current.quantity ? 'received' : current.status };
}

function closed({ expectedReceiptId, status }: Expectation, what: string) {
  return conflict('INVALID_STATE', `Expected receipt ${expectedReceiptId} is ${status}; it cannot be ${what} any more.`, { status });
}
