import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { collectDefaultMetrics, register } from 'prom-client';
import { parse } from 'yaml';
import { MessagingMetrics } from '#libs/messaging';
import { SERVICE_NAMES } from '../apps/standalone/src/service-names.js';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, 'monitoring', file), 'utf8');

interface Rules {
  readonly groups: readonly { rules: readonly { alert: string; expr: string; annotations: { summary: string } }[] }[];
}
interface Dashboard {
  readonly panels: readonly { id: number; title: string; targets?: readonly { expr: string; legendFormat: string }[] }[];
}

const alerts = (parse(read('alerts.yml')) as Rules).groups.flatMap(({ rules }) => rules);
const { panels } = JSON.parse(read('grafana/dashboard.json')) as Dashboard;
const expressions = [
  ...alerts.map(({ alert, expr, annotations }) => ({ where: `alert ${alert}`, expr, shown: annotations.summary })),
  ...panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ where: `panel ${title}`, expr, shown: legendFormat })),
  ),
];

/** What Prometheus adds to each series, and the one that it makes itself. */
const TARGET_LABELS = ['job', 'instance'];
const UP = 'up';

/** The labels of each series that the services tell of, as they register them. */
async function seriesOfServices(): Promise<ReadonlyMap<string, readonly string[]>> {
  for (const service of SERVICE_NAMES) await import(`../apps/${service}/src/index.ts`);
  MessagingMetrics.in();
  collectDefaultMetrics();
  const series = new Map<string, readonly string[]>([[UP, TARGET_LABELS]]);
  for (const { name } of await register.getMetricsAsJSON()) {
    const { labelNames = [], type } = register.getSingleMetric(name) as unknown as { labelNames?: readonly string[]; type: string };
    const labels = [...labelNames, ...TARGET_LABELS];
    if (type !== 'histogram') series.set(name, labels);
    else {
      series.set(`${name}_bucket`, [...labels, 'le']);
      for (const suffix of ['sum', 'count']) series.set(`${name}_${suffix}`, labels);
    }
  }
  return series;
}

/** What an expression asks for: each series with the labels that select it, and the labels by which it groups. */
function readExpression(expr: string): { series: { name: string; labels: string[] }[]; groupedBy: string[]; errors: string[] } {
  const text = expr.replaceAll('$__rate_interval', '5m');
  const series: { name: string; labels: string[] }[] = [];
  const groupedBy: string[] = [];
  const errors: string[] = [];
  let into = groupedBy;
  parser.parse(text).iterate({
    enter({ name, from, to, type }) {
      const part = text.slice(from, to);
      if (type.isError) errors.push(`at ${from}: ${text.slice(from, from + 20)}`);
      if (name === 'VectorSelector') series.push({ name: /^\w*/.exec(part)![0], labels: (into = []) });
      if (name === 'GroupingLabels') into = groupedBy;
      if (name === 'LabelName') into.push(part);
    },
  });
  return { series, groupedBy, errors };
}

describe('monitoring', () => {
  let known: ReadonlyMap<string, readonly string[]>;
  beforeAll(async () => {
    known = await seriesOfServices();
  });

  it.each(expressions)('$where asks for what the services tell of', ({ expr, shown }) => {
    const { series, groupedBy, errors } = readExpression(expr);
    expect(errors).toEqual([]);
    expect(series.length).toBeGreaterThan(0);
    const available = series.flatMap(({ name }) => known.get(name) ?? []);
    for (const { name, labels } of series) {
      expect(known.has(name) ? name : `${name} is not told of`).toBe(name);
      expect(labels.filter((label) => !known.get(name)!.includes(label))).toEqual([]);
    }
    expect(groupedBy.filter((label) => !available.includes(label))).toEqual([]);
    // What is shown of a result is among what it is grouped by, where it is.
    const mentioned = [...shown.matchAll(/\{\{ ?(?:\$labels\.)?([a-z_]+) ?\}\}/g)].map((match) => match[1]!);
    const left = /\b(by|without)\b/.test(expr) ? groupedBy : available;
    expect(mentioned.filter((label) => !left.includes(label))).toEqual([]);
  });

  it('finds a metric or label that nobody tells of, and what is no expression', () => {
    expect(readExpression('sum by (servce) (rate(outbox_lag{service="a", x="b"}[$__rate_interval]))')).toEqual({
      series: [{ name: 'outbox_lag', labels: ['service', 'x'] }],
      groupedBy: ['servce'],
      errors: [],
    });
    expect(readExpression('sum(rate(up[5m])').errors).not.toEqual([]);
  });

  it('says in the operating guide what each alert means and what to do', () => {
    const guide = readFileSync(join(ROOT, 'docs/operating.md'), 'utf8');
    expect(alerts.filter(({ alert }) => !guide.includes(`\n| \`${alert}\` `))).toEqual([]);
  });

  it('the operating guide names only metrics and labels that the services tell of', () => {
    const guide = readFileSync(join(ROOT, 'docs/operating.md'), 'utf8');
    const [, table] = /^\| metric .*\n((?:\|.*\n)*)/m.exec(guide)!;
    const first = table!
      .split('\n')
      .map((row) => row.split('|')[1] ?? '')
      .join(' ');
    const named = [...first.matchAll(/`(\w+)(?:\{([\w,]+)\})?`/g)].map(([, name, labels]) => ({
      name: name!,
      labels: labels?.split(',') ?? [],
    }));
    expect(named.length).toBeGreaterThan(15);
    const strange = named.filter(({ name, labels }) => {
      const has = known.get(name) ?? known.get(`${name}_bucket`);
      return has === undefined || labels.some((label) => !has.includes(label));
    });
    expect(strange).toEqual([]);
  });

  it('asks every service', () => {
    const { scrape_configs: jobs } = parse(read('prometheus.yml')) as {
      scrape_configs: readonly { job_name: string; static_configs: readonly { targets: readonly string[] }[] }[];
    };
    expect(jobs.map(({ job_name: name }) => name)).toEqual(['holdfast']);
    expect([...jobs[0]!.static_configs[0]!.targets].sort()).toEqual(SERVICE_NAMES.map((name) => `${name}:8080`).sort());
  });

  // Where promtool is there, it plays the alerts.
  const promtool = spawnSync('promtool', ['--version']).status === 0 ? it : it.skip;
  promtool.each([
    ['check', 'alerts.yml'],
    ['test', 'alerts.test.yml'],
  ])('promtool %s rules %s', (command, file) => {
    const { status, stdout, stderr } = spawnSync('promtool', [command, 'rules', file], { cwd: join(ROOT, 'monitoring'), encoding: 'utf8' });
    expect({ status, said: stdout + stderr }).toMatchObject({ status: 0 });
  });
});
