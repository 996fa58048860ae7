import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceProcess } from '../support/service-process.js';
import type { Kill } from './kill-points.js';

/**
 * After so long a process that does not get to where it is to die is ended wherever it is. Two that died before a sweep must have lost
 * its lease by then.
 */
const PATIENCE_MS = 13_000;
const PAUSE_MS = 20;
/** After so many processes that did not get to a point it is given up. */
const MISSED_MAX = 4;

/** What happened to the processes. */
export interface Toll {
  /** Lives that were to end at a named point. */
  attempts: number;
  /** Those that ended there. */
  readonly kills: Map<string, number>;
  /** Those that never got there, and were killed elsewhere. */
  elsewhere: number;
  /** Processes that ended in a way that nobody asked for. */
  readonly accidents: string[];
}

export const newToll = (): Toll => ({ attempts: 0, kills: new Map(), elsewhere: 0, accidents: [] });

export function killCount(toll: Toll): number {
  return [...toll.kills.values()].reduce((sum, count) => sum + count, 0);
}

/**
 * Keeps one process running by starting it again whenever it has died, each time told where to die next, until the kills are
 * used up; answers the process that lives on. Several slots of a service share its kills: they
 * are its replicas.
 */
export async function liveAndDie(
  begin: (env: Readonly<Record<string, string>>) => ServiceProcess,
  kills: Kill[],
  toll: Toll,
): Promise<ServiceProcess> {
  for (let kill = kills.shift(); kill !== undefined; kill = kills.shift()) {
    toll.attempts++;
    const process = begin({ HOLDFAST_CRASH_AT: `${kill.point}:${kill.passing}` });
    const how = await endOf(process);
    if (how === 'SIGKILL') toll.kills.set(kill.point, (toll.kills.get(kill.point) ?? 0) + 1);
    else if (how === 'late') await endElsewhere(process, toll, kills, kill);
    else toll.accidents.push(`${process.name} ended (${how}):\n${process.output}`);
    await delay(PAUSE_MS);
  }
  const last = begin({});
  await last.untilReady();
  return last;
}

/** How it ended; `late` when it did not, although it was ready for a while. */
async function endOf(process: ServiceProcess): Promise<number | string> {
  const patience = new AbortController();
  // One that dies before it is ready has ended, too.
  const late = process.untilReady().then(
    () => delay(PATIENCE_MS, 'late', { signal: patience.signal }),
    () => process.ended,
  );
  const how = await Promise.race([process.ended, late]);
  patience.abort();
  await late.catch(() => {});
  return how;
}

async function endElsewhere(process: ServiceProcess, toll: Toll, kills: Kill[], kill: Kill): Promise<void> {
  process.kill();
  await process.ended;
  toll.elsewhere++;
  if (kill.missed < MISSED_MAX) kills.splice(1, 0, { ...kill, passing: 1, missed: kill.missed + 1 });
}
