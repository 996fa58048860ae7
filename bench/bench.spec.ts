import type { ConsumeMessage } from 'amqplib';
import { ExpectedAnswers } from './event-load.js';
import { median, percentile } from './latency.js';
import { readOptions } from './options.js';
import { type PathPart, PATHS } from './paths.js';
import { plot } from './plot.js';
import { report } from './report.js';
import { prepareOrders, SCENARIOS } from './scenarios.js';
import { type Measured, verdicts } from './targets.js';

describe('options', () => {
  it('runs everything when nothing is said, and less when asked to', () => {
    expect(readOptions([], {})).toMatchObject({
      parts: ['spread', 'hot', 'orgs', 'latency', 'atp', 'orders', 'import', 'lots', 'large', 'reconciliation', 'reports'],
      rounds: 3,
      orders: 40_000,
    });
    expect(readOptions(['--short', '--only', 'hot, spread'], {})).toMatchObject({ parts: ['spread', 'hot'], rounds: 1, seconds: 3 });
  });

  it('says what is wrong', () => {
    expect(() => readOptions(['--only', 'cold'], {})).toThrow(
      '--only knows spread, hot, orgs, latency, atp, orders, import, lots, large, reconciliation, reports, before, not "cold".',
    );
    expect(() => readOptions(['--orders', '0'], {})).toThrow('--orders takes a whole number above 0, not "0".');
  });
});

describe('statistics', () => {
  it('takes the smallest value that enough values do not exceed', () => {
    const values = Array.from({ length: 1_000 }, (_, index) => index + 1);
    expect([50, 90, 99, 99.9, 100].map((percent) => percentile(values, percent))).toEqual([500, 900, 990, 999, 1_000]);
    expect(percentile([7], 99.9)).toBe(7);
  });

  it('takes the middle, or the mean of both middles', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});

describe('orders and answers', () => {
  const answerTo = (causationid: string, type = 'StockReserved') =>
    ({
      fields: { routingKey: `${type}.one` },
      content: Buffer.from(JSON.stringify({ specversion: '1.0', id: crypto.randomUUID(), type, causationid, data: {} })),
    }) as ConsumeMessage;

  it('puts the hot item into every order, and three different items into each', () => {
    const hot = SCENARIOS.find((scenario) => scenario.hot)!;
    for (const { body } of prepareOrders(hot, 50).events) {
      const { data } = JSON.parse(body.toString()) as { data: { lines: { itemId: string }[] } };
      const items = data.lines.map((line) => line.itemId);
      expect(items).toContain('item-000001');
      expect(new Set(items).size).toBe(3);
    }
  });

  it('orders items that lie apart when told so', () => {
    const apart = { ...SCENARIOS[0]!, itemsPerOrg: 10, itemStep: 100 };
    for (const { body } of prepareOrders(apart, 50).events) {
      const { data } = JSON.parse(body.toString()) as { data: { lines: { itemId: string }[] } };
      for (const { itemId } of data.lines) expect(itemId).toMatch(/^item-000[0-9]01$/);
    }
  });

  it('counts each answer once and those of another set not at all', async () => {
    const orders = prepareOrders(SCENARIOS[0]!, 3);
    const other = prepareOrders(SCENARIOS[0]!, 1);
    const answers = new ExpectedAnswers(orders);
    for (const { id } of [...orders.events, orders.events[1]!, ...other.events]) answers.receive(answerTo(id));
    await answers.all(AbortSignal.timeout(1_000));
    expect(answers.repeats).toBe(1);
    expect(answers.answeredAtMs.every((atMs) => atMs > 0)).toBe(true);
  });

  it('fails at the first order that is refused', async () => {
    const orders = prepareOrders(SCENARIOS[0]!, 2);
    const answers = new ExpectedAnswers(orders);
    answers.receive(answerTo(orders.events[0]!.id, 'StockReservationFailed'));
    await expect(answers.all(AbortSignal.timeout(1_000))).rejects.toThrow('An order was refused');
  });
});

describe('results', () => {
  const throughput = (subject: 'yardstick' | 'holdfast1', round: number, ordersPerSecond: number) =>
    ({
      part: 'spread',
      subject,
      round,
      ordersPerSecond,
      orders: 1,
      seconds: 1,
      repeatedAnswers: 0,
      peakMemoryBytes: [null],
      cores: null,
    }) as const;
  const measured: Measured = {
    throughput: [
      throughput('yardstick', 1, 10_000),
      throughput('holdfast1', 1, 6_000),
      throughput('yardstick', 2, 5_000),
      throughput('holdfast1', 2, 2_000),
      throughput('yardstick', 3, 10_000),
      throughput('holdfast1', 3, 4_500),
    ],
    latency: [],
    calls: [],
    ordersOverHttp: [],
    imports: [],
    ordersDuringImport: [],
    paths: [],
    asOf: [],
    reconciliations: [],
    reports: [],
  };

  it('judges by ratios within a round, so that a slow minute hits both', () => {
    expect(verdicts(measured)).toEqual([
      { what: 'spread, 1 process: Holdfast / yardstick', ratio: 0.45, bound: 'at least', target: 0.5, met: false },
    ]);
  });

  it('judges what lots, many balances and a new version cost, and what the past does', () => {
    const { part: _, subject: __, ...plain } = throughput('holdfast1', 1, 1_000);
    const path = (part: PathPart, index: 0 | 1, ordersPerSecond: number) => ({ ...plain, part, path: PATHS[part][index], ordersPerSecond });
    const asOf = [{ part: 'large' as const, round: 1, balances: 5, ledgerEntries: 50, lookupMs: 0.1, asOfMs: 2.1 }];
    const paths = [path('lots', 0, 1_000), path('lots', 1, 500), path('large', 0, 1_000), path('large', 1, 790), path('before', 0, 1_000)];
    const found = verdicts({ ...measured, throughput: [], paths, asOf });
    expect(found.map(({ what, ratio, met }) => [what, Math.round(ratio * 100) / 100, met])).toEqual([
      ['lots, 1 process: in lots / untracked', 0.5, true],
      ['large, 1 process: many balances / few balances', 0.79, false],
      ['one item as of a time / a row by its key', 21, false],
    ]);
    expect(report({ ...measured, paths, asOf }, found)).toContain('50 ledger entries');
  });

  it('judges what reports cost beside counting, and that a page of the audit trail is found', () => {
    const result = { part: 'reports' as const, round: 1, events: 5_000, countMs: 10, reportMs: 90 };
    const reports = [
      { ...result, report: 'overrides' as const },
      { ...result, report: 'audit' as const, reportMs: 20 },
    ];
    const found = verdicts({ ...measured, throughput: [], reports });
    expect(found.map(({ what, ratio, met }) => [what, ratio, met])).toEqual([
      ['report, overrides / counting the same rows', 9, true],
      ['a page of the audit trail / counting the rows', 2, false],
    ]);
    expect(report({ ...measured, reports }, found)).toContain('5,000 events');
  });

  it('judges what a reconciliation costs beside a sum, and its memory', () => {
    const once = {
      part: 'reconciliation' as const,
      balances: 5,
      ledgerEntries: 50,
      peakMemoryBytes: { inventory: 150 * 1024 ** 2, gateway: null },
    };
    const reconciliations = [
      { ...once, round: 1, sumMs: 1_000, runMs: 2_500 },
      { ...once, round: 2, sumMs: 2_000, runMs: 6_200 },
      { ...once, round: 3, sumMs: 1_000, runMs: 3_200 },
    ];
    const found = verdicts({ ...measured, throughput: [], reconciliations });
    expect(found.map(({ what, ratio, met }) => [what, ratio, met])).toEqual([
      ['a reconciliation / one sum of the ledger', 3.1, false],
      ['largest process of a reconciliation / 300 MB', 0.5, true],
    ]);
    expect(report({ ...measured, reconciliations }, found)).toContain('memory of inventory, MB');
  });

  it('prints and draws only what was measured', () => {
    expect(report(measured, verdicts(measured))).toContain('MISSED');
    const drawing = plot(measured, 'a title with <angles>');
    expect(drawing).toContain('a title with &lt;angles>');
    expect(drawing).toContain('(b) Holdfast, 1 process');
    expect(drawing).not.toContain('Calls per second');
  });
});
