import type { CommandMeta } from './commands.js';
import type { Demand } from './demand.js';

// No delivery order is promised. What sets a demand is ordered by its sequence; shipments and returns are facts that are posted whenever
// they come, and recognised by ids of their own.

/** More gaps than this are not under way: the source counts in its own way, and does not say all to us. */
const AHEAD_MAX = 50;

/** The sequence of a message, if it counts for the order: whoever else speaks of it, a warehouse's system say, counts in its own way. */
export function countOf(demand: Demand, { event, sequence }: CommandMeta): number | undefined {
  return event === undefined || demand.source === null || event.source === demand.source ? sequence : undefined;
}

/** Remembers that a message about the order was heard. A gap in what was heard tells that something is still under way. */
export function noteMessage(demand: Demand, meta: CommandMeta): void {
  const sequence = countOf(demand, meta);
  if (sequence === undefined || sequence <= demand.seenSequence || demand.seenAhead.includes(sequence)) return;
  const ahead = [...demand.seenAhead, sequence].sort((a, b) => a - b);
  if (ahead.length > AHEAD_MAX) demand.seenSequence = ahead.shift()!;
  while (ahead[0] === demand.seenSequence + 1) demand.seenSequence = ahead.shift()!;
  demand.seenAhead = ahead;
}

/**
 * Whether a message that does not fit what is known may fit a little later, because some other message about the order is still under way:
 * one before it, or one before those that came ahead and took what it wants; or it carries no sequence to tell.
 */
export function mayComeTooEarly(demand: Demand, meta: CommandMeta): boolean {
  const sequence = countOf(demand, meta);
  if (!meta.mayWait || sequence === undefined) return meta.mayWait;
  const heard = new Set([...demand.seenAhead, Math.max(sequence, demand.seenSequence)]);
  heard.delete(demand.seenSequence);
  return heard.size > 0 && Math.max(...heard) - demand.seenSequence > heard.size;
}

/** Whether the message itself, or a later one about the order, was heard before: of what is only true until the next one is said. */
export function isOutdated(demand: Demand, meta: CommandMeta): boolean {
  const sequence = countOf(demand, meta);
  if (sequence === undefined) return wasOvertaken(demand, meta);
  return sequence <= Math.max(demand.seenSequence, demand.incomingSequence ?? 0, ...demand.seenAhead);
}

/**
 * Whether a fact happened before the last totals of the order, or its cancellation, though it comes after: what the order wanted at that
 * time is not known any more, and the fact is posted all the same.
 */
export function wasOvertaken(demand: Demand, meta: CommandMeta): boolean {
  const sequence = countOf(demand, meta);
  if (sequence !== undefined && demand.incomingSequence !== null) return sequence < demand.incomingSequence;
  return meta.time !== undefined && demand.incomingTime !== null && meta.time < demand.incomingTime;
}
