import type { Random } from '../../scripts/demo/random.js';

/** Where a process can be told to die, by the service that it is: moments of the app, of its messages, and of the relay inside it. */
export const KILL_POINTS = {
  inventory: ['mid-batch', 'before-commit', 'after-commit', 'before-answer', 'before-ack'],
  orders: ['after-commit', 'before-call', 'after-call', 'after-report', 'before-answer', 'before-ack'],
  relay: ['relay-after-commit', 'relay-after-send', 'relay-mid-batch', 'relay-after-publish', 'relay-sweep'],
} as const;

export type KilledApp = 'inventory' | 'orders';

/** Most points are passed many times a second; dying at the first passing only would leave out what comes later. */
const PASSING_MAX = 6;

/** A place to die: the n-th time that a process gets there. */
export interface Kill {
  /** As `HOLDFAST_CRASH_AT` names it: `inventory:after-commit`. */
  readonly point: string;
  readonly passing: number;
  /** How many processes did not get there. */
  readonly missed: number;
}

/** How often there is something to sweep up, in kills. */
const SWEEP_EVERY = 40;

/** All points of processes that are these services. */
export function pointsOf(apps: readonly KilledApp[]): string[] {
  return apps.flatMap((app) => [...KILL_POINTS[app], ...KILL_POINTS.relay].map((point) => `${app}:${point}`));
}

/**
 * Which deaths the processes of these services are to die: each point at least once when there are enough, then by chance.
 *
 * @param without points to leave out, named without service.
 */
export function planKills(random: Random, count: number, apps: readonly KilledApp[], without: readonly string[] = []): Kill[] {
  const isLeftOut = (point: string) => without.some((name) => point.endsWith(`:${name}`));
  const points = pointsOf(apps).filter((point) => !point.endsWith(':relay-sweep') && !isLeftOut(point));
  const order = shuffled(random, points);
  const kills: Kill[] = [];
  while (kills.length < count) {
    const isSweepDue = kills.length % SWEEP_EVERY === 0 && !without.includes('relay-sweep');
    if (isSweepDue) kills.push(...sweep(random.pick(apps)));
    else kills.push({ point: order.shift() ?? random.pick(points), passing: random.between(1, PASSING_MAX), missed: 0 });
  }
  return kills.slice(0, count);
}

/** Two processes leave something behind; both that follow die when they sweep it up, the second when the lease of the first is over. */
function sweep(app: KilledApp): Kill[] {
  return ['relay-after-commit', 'relay-after-commit', 'relay-sweep', 'relay-sweep'].map((name) => {
    return { point: `${app}:${name}`, passing: 1, missed: 0 };
  });
}

function shuffled<T>(random: Random, values: readonly T[]): T[] {
  const left = [...values];
  return values.map(() => left.splice(random.between(0, left.length - 1), 1)[0]!);
}
