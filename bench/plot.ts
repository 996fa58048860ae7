import { median, PERCENTILES } from './latency.js';
import { SUBJECTS, type SubjectKey } from './options.js';
import { PART_TITLES, SUBJECT_TITLES, summarise } from './report.js';
import type { Measured } from './targets.js';

// A drawing of the results as SVG, made by hand: three panels of bars and lines need no library.

const COLOURS: Readonly<Record<SubjectKey, string>> = {
  yardstick: '#8a94a6',
  holdfast1: '#2f6fde',
  holdfast2: '#0b3a8f',
  naive: '#d9903d',
};
const INK = '#1d2430';
const FAINT = '#dfe3ea';
const PANEL = { width: 600, height: 330, left: 70, top: 64, plotWidth: 470, plotHeight: 210 };
const MARGIN = 20;
/** Wide enough for the widest of the usual fonts at size 11. */
const LEGEND_CHARACTER_WIDTH = 6.2;

/** Draws what was measured; panels of parts that did not run are left out. */
export function plot(measured: Measured, title: string): string {
  const panels = [throughputPanel(measured), latencyPanel(measured), callsPanel(measured)].filter((panel) => panel !== null);
  const width = MARGIN * 2 + PANEL.width * panels.length;
  const height = PANEL.height + 70;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" fill="${INK}">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(MARGIN, 30, title, { size: 15, weight: 'bold' }),
    ...panels.map((panel, index) => `<g transform="translate(${MARGIN + index * PANEL.width} 45)">${panel}</g>`),
    '</svg>',
  ].join('\n');
}

function throughputPanel(measured: Measured): string | null {
  const summaries = summarise(measured);
  if (summaries.length === 0) return null;
  const parts = (['spread', 'hot', 'orgs'] as const).filter((part) => summaries.some((summary) => summary.part === part));
  const subjects = SUBJECTS.filter((subject) => summaries.some((summary) => summary.subject === subject));
  const y = linear(Math.max(...summaries.map((summary) => summary.fastest)));
  const groupWidth = PANEL.plotWidth / parts.length;
  const barWidth = (groupWidth * 0.8) / subjects.length;
  const shapes = parts.flatMap((part, group) => {
    const left = PANEL.left + group * groupWidth + groupWidth * 0.1;
    const bars = subjects.flatMap((subject, index) => {
      const summary = summaries.find((found) => found.part === part && found.subject === subject);
      if (summary === undefined) return [];
      const x = left + index * barWidth;
      return [
        bar(x, barWidth * 0.9, y(summary.ordersPerSecond), COLOURS[subject]),
        whisker(x + barWidth * 0.45, y(summary.slowest), y(summary.fastest)),
        text(x + barWidth * 0.45, y(summary.fastest) - 5, compact(summary.ordersPerSecond), { size: 10, anchor: 'middle' }),
      ];
    });
    const yardstick = summaries.find((found) => found.part === part && found.subject === 'yardstick');
    const target = yardstick === undefined ? [] : [dashed(left, left + groupWidth * 0.8, y(yardstick.ordersPerSecond / 2))];
    return [...bars, ...target, text(left + groupWidth * 0.4, bottom() + 18, PART_TITLES[part], { size: 11, anchor: 'middle' })];
  });
  return [
    heading('Orders reserved per second, queue full', 'median and range of the rounds; dashed: half of the yardstick'),
    ...linearAxis(y),
    ...shapes,
    legend(subjects.map((subject) => [SUBJECT_TITLES[subject], COLOURS[subject]])),
  ].join('');
}

function latencyPanel(measured: Measured): string | null {
  const lines = SUBJECTS.flatMap((subject) => {
    const results = measured.latency.filter((result) => result.subject === subject);
    if (results.length === 0) return [];
    return [{ subject, ms: PERCENTILES.map((_, index) => median(results.map((result) => result.percentilesMs[index]!))) }];
  });
  if (lines.length === 0) return null;
  const all = lines.flatMap((line) => line.ms);
  const lowest = 10 ** Math.floor(Math.log10(Math.min(...all)));
  const highest = 10 ** Math.ceil(Math.log10(Math.max(...all) * 1.01));
  const decades = Math.max(1, Math.log10(highest / lowest));
  const y = (ms: number) => bottom() - (Math.log10(ms / lowest) / decades) * PANEL.plotHeight;
  const x = (index: number) => PANEL.left + ((index + 0.5) * PANEL.plotWidth) / PERCENTILES.length;
  const grid = Array.from({ length: Math.round(decades) + 1 }, (_, index) =>
    gridLine(y(lowest * 10 ** index), `${lowest * 10 ** index} ms`),
  );
  const shapes = lines.map(({ subject, ms }, line) => {
    const points = ms.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`);
    // The first line's figures stand below it, the others' one above the other over the highest point, so that none covers another.
    const labels = ms.map((value, index) => {
      const above = Math.min(...lines.map((other) => y(other.ms[index]!))) - 9 - 12 * (lines.length - 1 - line);
      const style = { size: 10, anchor: 'middle', colour: COLOURS[subject] } as const;
      return text(x(index), line === 0 ? y(value) + 18 : above, value.toFixed(value < 10 ? 1 : 0), style);
    });
    const dots = points.map(
      (point) => `<circle cx="${point.split(',')[0]}" cy="${point.split(',')[1]}" r="3.5" fill="${COLOURS[subject]}"/>`,
    );
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${COLOURS[subject]}" stroke-width="2"/>${dots.join('')}${labels.join('')}`;
  });
  const rate = Math.round(measured.latency[0]!.ordersPerSecond).toLocaleString('en-GB');
  return [
    heading('From publishing an order to its answer', `open loop at ${rate} orders per second; logarithmic`),
    ...grid,
    ...PERCENTILES.map((percent, index) => text(x(index), bottom() + 18, `p${percent}`, { size: 11, anchor: 'middle' })),
    ...shapes,
    legend(lines.map(({ subject }) => [SUBJECT_TITLES[subject], COLOURS[subject]])),
  ].join('');
}

function callsPanel(measured: Measured): string | null {
  const rate = (subject: 'empty' | 'availability') =>
    measured.calls.filter((call) => call.subject === subject).map((call) => call.callsPerSecond);
  const bars = [
    { name: 'RPC, empty handler', rates: rate('empty'), colour: COLOURS.yardstick },
    { name: 'RPC, availability.get', rates: rate('availability'), colour: COLOURS.holdfast1 },
    { name: 'POST /orders', rates: measured.ordersOverHttp.map((result) => result.requestsPerSecond), colour: COLOURS.holdfast2 },
  ].filter(({ rates }) => rates.length > 0);
  if (bars.length === 0) return null;
  const y = linear(Math.max(...bars.flatMap(({ rates }) => rates)));
  const slot = PANEL.plotWidth / bars.length;
  return [
    heading('Calls per second', 'RPC by 16 callers, HTTP through the gateway'),
    ...linearAxis(y),
    ...bars.flatMap(({ name, rates, colour }, index) => {
      const middle = PANEL.left + (index + 0.5) * slot;
      return [
        bar(middle - slot * 0.25, slot * 0.5, y(median(rates)), colour),
        whisker(middle, y(Math.min(...rates)), y(Math.max(...rates))),
        text(middle, y(Math.max(...rates)) - 5, compact(median(rates)), { size: 11, anchor: 'middle' }),
        text(middle, bottom() + 18, name, { size: 11, anchor: 'middle' }),
      ];
    }),
  ].join('');
}

interface LinearScale {
  (value: number): number;
  readonly step: number;
  readonly steps: number;
}

/** A scale from zero to a round number above the highest value. */
function linear(highest: number): LinearScale {
  const power = 10 ** Math.floor(Math.log10(highest * 1.08));
  const step = [0.2, 0.5, 1, 2].map((factor) => factor * power).find((candidate) => candidate * 6 >= highest * 1.08) ?? 2 * power;
  const steps = Math.ceil((highest * 1.08) / step);
  const scale = (value: number) => bottom() - (value / (step * steps)) * PANEL.plotHeight;
  return Object.assign(scale, { step, steps });
}

function linearAxis(y: LinearScale): string[] {
  return Array.from({ length: y.steps + 1 }, (_, index) => gridLine(y(index * y.step), (index * y.step).toLocaleString('en-GB')));
}

function bottom(): number {
  return PANEL.top + PANEL.plotHeight;
}

function heading(title: string, explanation: string): string {
  return (
    text(PANEL.left - 45, 22, title, { size: 13, weight: 'bold' }) + text(PANEL.left - 45, 40, explanation, { size: 11, colour: '#5b6575' })
  );
}

function gridLine(y: number, label: string): string {
  const line = `<line x1="${PANEL.left}" x2="${PANEL.left + PANEL.plotWidth}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}" stroke="${FAINT}"/>`;
  return line + text(PANEL.left - 8, y + 4, label, { size: 10, anchor: 'end', colour: '#5b6575' });
}

function bar(x: number, width: number, top: number, colour: string): string {
  return `<rect x="${x.toFixed(1)}" y="${top.toFixed(1)}" width="${width.toFixed(1)}" height="${(bottom() - top).toFixed(1)}" fill="${colour}" rx="1.5"/>`;
}

function whisker(x: number, from: number, to: number): string {
  return `<line x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${from.toFixed(1)}" y2="${to.toFixed(1)}" stroke="${INK}"/>`;
}

function dashed(from: number, to: number, y: number): string {
  return `<line x1="${from.toFixed(1)}" x2="${to.toFixed(1)}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}" stroke="${INK}" stroke-dasharray="5 4"/>`;
}

function legend(entries: readonly (readonly [string, string])[]): string {
  let x = PANEL.left - 45;
  return entries
    .map(([name, colour]) => {
      const entry = `<rect x="${x}" y="${bottom() + 36}" width="11" height="11" fill="${colour}" rx="1.5"/>${text(x + 16, bottom() + 46, name, { size: 11 })}`;
      x += 34 + name.length * LEGEND_CHARACTER_WIDTH;
      return entry;
    })
    .join('');
}

interface TextStyle {
  readonly size: number;
  readonly anchor?: 'middle' | 'end';
  readonly weight?: 'bold';
  readonly colour?: string;
}

function text(x: number, y: number, content: string, { size, anchor, weight, colour }: TextStyle): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const attributes = [anchor && `text-anchor="${anchor}"`, weight && `font-weight="${weight}"`, colour && `fill="${colour}"`].filter(
    Boolean,
  );
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" ${attributes.join(' ')}>${escaped}</text>`;
}

/** 15,432 as 15.4k. */
function compact(value: number): string {
  return value >= 1_000 ? `${(value / 1_000).toFixed(1)}k` : Math.round(value).toString();
}
