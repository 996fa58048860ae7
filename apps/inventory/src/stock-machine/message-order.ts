import type { CommandMeta } from './commands.js';
import type { Demand } from './stock-state.js';

// No delivery order is promised. What sets a demand is ordered by its sequence; shipments and returns are facts that are posted whenever
// they come, and recognised by ids of their own.

/** More gaps than this are not under way: the source counts in its own way, and does not say all to us. */
const AHEAD_MAX = 50;

/** Remembers that a message about the order was heard. A gap in what was heard tells that something is still under way. */
export function noteMessage(demand: Demand, { sequence }: CommandMeta): void {
  if (sequence === undefined || sequence <= demand.seenSequence || demand.seenAhead.includes(sequence)) return;
  const ahead = [...demand.seenAhead, sequence].sort((a, b) => a - b);
  if (ahead.length > AHEAD_MAX) demand.seenSequence = ahead.shift()!;
  while (ahead[0] === demand.seenSequence + 1) demand.seenSequence = ahead.shift()!;
  demand.seenAhead = ahead;
}

/**
 * Whether a message that does not fit what is known may fit a little later, because one that it builds on is still under way: some message
 * before it was not heard yet, or it carries no sequence to tell.
 */
export function mayComeTooEarly(demand: Demand, meta: CommandMeta): boolean {
  return meta.mayWait && (meta.sequence === undefined || meta.sequence > demand.seenSequence + 1);
}

/** Whether a fact happened before the order was cancelled, though it comes after: then it is posted all the same. */
export function happenedBeforeClosing(demand: Demand, meta: CommandMeta): boolean {
  if (meta.sequence !== undefined && demand.incomingSequence !== null) return meta.sequence < demand.incomingSequence;
  return meta.time !== undefined && demand.incomingTime !== null && meta.time < demand.incomingTime;
}
