import { existsSync } from 'node:fs';
import { inventoryOf, prepareSite } from './holdfast.js';
import { prepareLarge } from './large.js';
import type { BenchRun } from './run.js';
import { LOTS, type Scenario, SPREAD } from './scenarios.js';
import { seedHoldfast } from './seed.js';
import { anotherSite, mainSite } from './services.js';
import { built, type Subject } from './subjects.js';
import { measureThroughput, type ThroughputResult } from './throughput.js';

/**
 * What is measured twice, with one thing that differs, both by one process of Holdfast: the plain way first, then the one that must not cost
 * much more. Items without lots and in three lots each; a warehouse with few balances and with many; an earlier version and this one.
 */
export const PATHS = { lots: ['untracked', 'in lots'], large: ['few balances', 'many balances'], before: ['before', 'now'] } as const;
export type PathPart = keyof typeof PATHS;
export const PATH_PARTS: readonly PathPart[] = ['lots', 'large', 'before'];

/** One way in one round. */
export interface PathResult extends Omit<ThroughputResult, 'part' | 'subject'> {
  readonly part: PathPart;
  readonly path: string;
}

export interface Path {
  readonly part: PathPart;
  readonly path: string;
  readonly subject: Subject;
  readonly scenario: Scenario;
}

/** Makes what the two ways of a part need. */
export async function preparePaths(run: BenchRun, part: PathPart): Promise<readonly Path[]> {
  const measures = {
    lots: () => Promise.resolve([SPREAD, LOTS].map((scenario) => ({ site: mainSite(run), scenario }))),
    large: () => prepareLarge(run),
    before: () => prepareVersions(run),
  };
  const ways = await measures[part]();
  return ways.map(({ site, scenario }, index) => ({
    part,
    path: PATHS[part][index]!,
    subject: inventoryOf(run, site, 'holdfast1'),
    scenario,
  }));
}

export async function measurePath(run: BenchRun, { part, path, subject, scenario }: Path, round: number): Promise<PathResult> {
  const { subject: _, ...result } = await measureThroughput(run, subject, scenario, round);
  return { ...result, part, path };
}

/** Both versions on databases of their own, so that neither finds what other parts have left. */
async function prepareVersions(run: BenchRun) {
  const { before } = run.options;
  if (!existsSync(built('apps/inventory/src/main.js', before))) throw new Error(`${before} holds no built Holdfast: run "npm ci" there.`);
  const sites = [anotherSite(run, 'before', before), anotherSite(run, 'now')];
  for (const site of sites) {
    await prepareSite(run, site, ['inventory']);
    await seedHoldfast(run, site, [SPREAD]);
  }
  return sites.map((site) => ({ site, scenario: SPREAD }));
}
