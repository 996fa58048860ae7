import {
  type CloudEvent,
  type EventAttributes,
  makeEvent,
  StockDemand,
  StockInspect,
  StockPick,
  StockReturn,
  StockShip,
  StockUnship,
} from '#libs/contracts';
import { invalid } from '#libs/domain';
import type { CallOptions, RpcClient } from '#libs/messaging';
import { SOURCE } from '../orders/order-state.js';
import { type Ask, type Outstanding, SAID } from './outstanding.js';
import { fromDemandAnswer, fromMovementAnswer, fromPickAnswer, type StockReport } from './stock-report.js';

// The same content by two ways: the event, which cannot get lost, and the call, which is quick. Inventory recognises the second one by
// our sequence.

/**
 * Refuses what could never be said, before it is committed: inventory would read neither the event nor the call, and the order could not be
 * changed any more. What an event may say, the call may.
 *
 * @throws {HoldfastError} 400 `VALIDATION_FAILED`.
 */
export function checkSayable({ kind, data }: Ask): void {
  const errors = SAID[kind].validate(data);
  if (errors === null) return;
  const what = errors.map(({ path, message }) => `${path} ${message}`).join('; ');
  throw invalid(`Inventory cannot be told this: ${what}.`, errors);
}

/** The durable way. */
export function eventOf(outstanding: Outstanding, attributes: EventAttributes): CloudEvent {
  return makeEvent(SAID[outstanding.kind], { ...attributes, sequence: outstanding.sequence }, outstanding.data);
}

/**
 * The quick way.
 *
 * @throws {HoldfastError} kind `unavailable` when there is no answer in time.
 */
export async function call(
  rpc: RpcClient,
  orgId: string,
  outstanding: Outstanding,
  dryRun: boolean,
  options: CallOptions,
): Promise<StockReport> {
  const common = { orgId, source: SOURCE, sequence: outstanding.sequence, ...(dryRun ? { dryRun } : {}) };
  const { kind, data } = outstanding;
  switch (kind) {
    case 'place':
      return fromDemandAnswer(kind, await rpc.call(StockDemand, { ...data, ...common, firm: false }, options));
    case 'amend':
    case 'approve':
    case 'restore':
      return fromDemandAnswer(kind, await rpc.call(StockDemand, { ...data, ...common }, options));
    case 'confirm':
      return fromDemandAnswer(kind, await rpc.call(StockDemand, { ...data, ...common, firm: true }, options));
    case 'cancel':
    case 'reject':
      return fromDemandAnswer(kind, await rpc.call(StockDemand, { ...data, ...common, lines: [] }, options));
    case 'pick':
      return fromPickAnswer(await rpc.call(StockPick, { ...data, ...common }, options));
    case 'ship':
      return fromMovementAnswer(kind, data.shipmentId, await rpc.call(StockShip, { ...data, ...common }, options));
    case 'unship':
      return fromMovementAnswer(kind, data.shipmentId, await rpc.call(StockUnship, { ...data, ...common }, options));
    case 'receive':
      return fromMovementAnswer(kind, data.returnId, await rpc.call(StockReturn, { ...data, ...common }, options));
    case 'inspect':
      return fromMovementAnswer(kind, data.returnId, await rpc.call(StockInspect, { ...data, ...common }, options));
  }
}
