import type { CommandMeta } from './commands.js';
import type { Demand } from './stock-state.js';

// No delivery order is promised. What sets a demand is ordered by its sequence; shipments and returns are facts that are posted whenever
// they come, and recognised by ids of their own.

/** Remembers the highest sequence that any message about the order carried. */
export function noteMessage(demand: Demand, meta: CommandMeta): void {
  if (meta.sequence !== undefined && meta.sequence > (demand.seenSequence ?? 0)) demand.seenSequence = meta.sequence;
}

/**
 * Whether a message that does not fit what is known may fit a little later, because one that it builds on is still under way: it is more
 * than one ahead of all that was seen; or it was overtaken itself, and so may be what it builds on; or it carries no sequence to tell.
 */
export function mayComeTooEarly(demand: Demand, meta: CommandMeta): boolean {
  if (!meta.mayWait) return false;
  const seen = demand.seenSequence ?? 0;
  return meta.sequence === undefined || meta.sequence > seen + 1 || meta.sequence < seen;
}

/** Whether a fact happened before the order was cancelled, though it comes after: then it is posted all the same. */
export function happenedBeforeClosing(demand: Demand, meta: CommandMeta): boolean {
  if (meta.sequence !== undefined && demand.incomingSequence !== null) return meta.sequence < demand.incomingSequence;
  return meta.time !== undefined && demand.incomingTime !== null && meta.time < demand.incomingTime;
}
