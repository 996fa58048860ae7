import type { Random } from '../../scripts/demo/random.js';

/** Where a process can be told to die, by the service that it is: moments of the app, of its messages, and of the relay inside it. */
export const KILL_POINTS = {
  inventory: ['mid-batch', 'before-commit', 'after-commit', 'before-answer', 'before-ack'],
  orders: ['after-commit', 'before-call', 'after-call', 'after-report', 'before-answer', 'before-ack'],
  relay: ['relay-after-commit', 'relay-after-send', 'relay-mid-batch', 'relay-after-publish', 'relay-sweep'],
} as const;

export type KilledApp = 'inventory' | 'orders';

/** Reached only once what another process left behind is old enough to be swept up, so it is chosen less often. */
const RARE = new Set<string>(['relay-sweep']);
/** Most points are passed many times a second; dying at the first passing only would leave out what comes later. */
const PASSING_MAX = 6;

/** A place to die, as `HOLDFAST_CRASH_AT` names it: the n-th time that a process gets there. */
export interface Kill {
  readonly point: string;
  readonly passing: number;
  /** How many processes did not get there. */
  readonly missed: number;
}

/** Which deaths processes are to die: each point at least once when there are enough, then by chance. */
export function planKills(random: Random, count: number, without: readonly string[] = []): Record<KilledApp, Kill[]> {
  const plan: Record<KilledApp, Kill[]> = { inventory: [], orders: [] };
  const all = (['inventory', 'orders'] as const).flatMap((app) =>
    [...KILL_POINTS[app], ...KILL_POINTS.relay].filter((point) => !without.includes(point)).map((point) => ({ app, point })),
  );
  const order = shuffled(random, all);
  for (let n = 0; n < count; n++) {
    let { app, point } = order[n] ?? random.pick(all);
    if (n >= order.length && RARE.has(point) && random.next() < 0.7)
      ({ app, point } = random.pick(all.filter((one) => !RARE.has(one.point))));
    plan[app].push({ point, passing: RARE.has(point) ? 1 : random.between(1, PASSING_MAX), missed: 0 });
  }
  return plan;
}

function shuffled<T>(random: Random, values: readonly T[]): T[] {
  const left = [...values];
  return values.map(() => left.splice(random.between(0, left.length - 1), 1)[0]!);
}
