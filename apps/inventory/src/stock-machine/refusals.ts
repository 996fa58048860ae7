import type { MovementAnswer } from '#libs/contracts';
import type { CommandMeta } from './commands.js';
import { countOf, noteMessage } from './message-order.js';
import { type Demand, type Refusal, stockLines } from './demand.js';

const REFUSALS_KEPT_MAX = 50;

/**
 * Remembers that a shipment, a return or an inspection was refused under its sequence: the same message, which our own orders send by call
 * and by event, must not be decided anew when stock has changed meanwhile.
 */
export function noteRefusal(demand: Demand, meta: CommandMeta, refusal: Refusal): void {
  noteMessage(demand, meta);
  const sequence = countOf(demand, meta);
  if (sequence === undefined || refusedBefore(demand, meta) !== undefined) return;
  demand.refusedMessages.push({ sequence, ...refusal });
  // The same message follows within minutes; who is refused again and again must not make the order grow.
  if (demand.refusedMessages.length > REFUSALS_KEPT_MAX) demand.refusedMessages.shift();
}

/** How the same message was refused before; a message without sequence is decided anew. */
export function refusedBefore(demand: Demand, meta: CommandMeta): Refusal | undefined {
  const sequence = countOf(demand, meta);
  return demand.refusedMessages.find((refused) => refused.sequence === sequence);
}

/** Whether somebody waits for an event in answer to a repeat: our own orders were answered when the first of event and call came. */
export function isAwaitedByEvent(meta: CommandMeta): boolean {
  return meta.event !== undefined && meta.event.source !== '/orders';
}

/** How a call about a movement is told that it was refused. */
export function refusedAnswer(demand: Demand, { reason, lines, discrepancyIds = [] }: Refusal): MovementAnswer {
  return {
    status: 'refused',
    sequence: demand.sequence,
    stock: stockLines(demand),
    lines: [],
    reason,
    shortLines: lines,
    discrepancyIds: [...discrepancyIds],
  };
}
