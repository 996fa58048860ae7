import type { ConsumeMessage } from 'amqplib';
import { ExpectedAnswers } from './event-load.js';
import { median, percentile } from './latency.js';
import { readOptions } from './options.js';
import { plot } from './plot.js';
import { report } from './report.js';
import { prepareOrders, SCENARIOS } from './scenarios.js';
import { type Measured, verdicts } from './targets.js';

describe('options', () => {
  it('runs everything when nothing is said, and less when asked to', () => {
    expect(readOptions([], {})).toMatchObject({
      parts: ['spread', 'hot', 'orgs', 'latency', 'atp', 'orders', 'import'],
      rounds: 3,
      orders: 40_000,
    });
    expect(readOptions(['--short', '--only', 'hot, spread'], {})).toMatchObject({ parts: ['spread', 'hot'], rounds: 1, seconds: 3 });
  });

  it('says what is wrong', () => {
    expect(() => readOptions(['--only', 'cold'], {})).toThrow('--only knows spread, hot, orgs, latency, atp, orders, import, not "cold".');
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
  };

  it('judges by ratios within a round, so that a slow minute hits both', () => {
    expect(verdicts(measured)).toEqual([
      { what: 'spread, 1 process: Holdfast / yardstick', ratio: 0.45, bound: 'at least', target: 0.5, met: false },
    ]);
  });

  it('prints and draws only what was measured', () => {
    expect(report(measured, verdicts(measured))).toContain('MISSED');
    const drawing = plot(measured, 'a title with <angles>');
    expect(drawing).toContain('a title with &lt;angles>');
    expect(drawing).toContain('(b) Holdfast, 1 process');
    expect(drawing).not.toContain('Calls per second');
  });
});
