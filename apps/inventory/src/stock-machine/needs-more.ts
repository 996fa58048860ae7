/** What a decision needs beside what its batch locked and read. */
export interface More {
  readonly balances?: readonly string[];
  readonly holdsPerBalanceMax?: number;
  readonly waitingPerBalanceMax?: number;
  readonly quantsPerBalanceMax?: number;
  readonly layersPerBalanceMax?: number;
  /** Lots to be read whole: balance keys with the lot appended. */
  readonly lots?: readonly string[];
  /** Lots of which every hold is to be read. */
  readonly lotHolds?: readonly string[];
  /** Balances whose counters are to be compared with what they are derived from. */
  readonly derived?: readonly string[];
  /** An order, of a command that names none. */
  readonly demand?: string;
}

/**
 * Thrown by a decision, before it changed anything, that needs rows which its batch did not lock or read: the command goes into the
 * next batch with these added to what it touches.
 */
export class NeedsMore extends Error {
  constructor(readonly more: More) {
    super(`needs more: ${JSON.stringify(more)}`);
  }
}

/**
 * Makes sure of something for each entry, or finds it out; what several need is asked for at once, because each asking takes a batch of its own.
 *
 * @returns what was found, in their order.
 * @throws NeedsMore with all that was asked for.
 */
export function requireEach<T, R>(entries: Iterable<T>, require: (entry: T) => R): R[] {
  const found: R[] = [];
  let all: More | null = null;
  for (const entry of entries) {
    try {
      found.push(require(entry));
    } catch (error) {
      if (!(error instanceof NeedsMore)) throw error;
      all = bothOf(all ?? {}, error.more);
    }
  }
  if (all !== null) throw new NeedsMore(all);
  return found;
}

/** What two ask for. */
export function bothOf(a: More, b: More): More {
  const list = (key: 'balances' | 'lots' | 'lotHolds' | 'derived') => [...(a[key] ?? []), ...(b[key] ?? [])];
  const demand = a.demand ?? b.demand;
  const most = (key: 'holdsPerBalanceMax' | 'waitingPerBalanceMax' | 'quantsPerBalanceMax' | 'layersPerBalanceMax') =>
    Math.max(a[key] ?? 0, b[key] ?? 0);
  return {
    balances: list('balances'),
    lots: list('lots'),
    lotHolds: list('lotHolds'),
    derived: list('derived'),
    ...(demand !== undefined && { demand }),
    holdsPerBalanceMax: most('holdsPerBalanceMax'),
    waitingPerBalanceMax: most('waitingPerBalanceMax'),
    quantsPerBalanceMax: most('quantsPerBalanceMax'),
    layersPerBalanceMax: most('layersPerBalanceMax'),
  };
}
