import { setTimeout as delay } from 'node:timers/promises';
import type { Outcome, StockCommand } from './commands.js';
import { stockViolations } from './simulation/check-database.js';
import { byCall, byEvent, cancels, ORG, receives, wants } from './simulation/given-stock.js';
import { StockDatabase, type StockProcess } from './simulation/stock-database.js';

const answerOf = (outcome: Outcome) => (outcome.kind === 'answer' ? outcome.answer : outcome) as Record<string, unknown>;

describe('a batch that the database refuses', () => {
  let stock: StockDatabase;
  let process_: StockProcess;
  beforeAll(async () => {
    stock = await StockDatabase.create();
    process_ = await stock.process();
    for (const org of [ORG, 'neighbour']) await stock.addCatalogue(org, ['A'], ['W1']);
    await submit(receives('opening', 'W1', { A: '1000' }));
    // Whoever names such an order gets that error, as often as the sequence says; sequences are not rolled back.
    await stock.rows(`
      create sequence inventory.failures;
      create function inventory.fail() returns trigger language plpgsql security definer as $$
      declare code text := split_part(new.order_id, ' ', 1); times int := split_part(new.order_id, ' ', 2);
      begin
        if nextval('inventory.failures') <= times then raise exception using errcode = code, message = 'provoked'; end if;
        return new;
      end $$;
      create trigger fail before insert on inventory.reservation for each row when (new.order_id like '% %') execute function inventory.fail()`);
  });
  afterAll(async () => {
    expect(await stockViolations(stock)).toEqual([]);
    await stock.drop();
  });
  beforeEach(async () => {
    await stock.rows('alter sequence inventory.failures restart');
  });

  const submit = (command: StockCommand) => process_.batcher.submit(command, 'events');
  /** Orders of two organisations and in their midst one that fails so often; all go into one batch. */
  const amongNeighbours = (name: string, code: string, times: number) => {
    const neighbours = Array.from({ length: 40 }, (_, n) => wants(`${name}-${n}`, { 1: 'A 1' }, { meta: byEvent(`${name}-${n}`) }));
    const failing = wants(`${code} ${times}`, { 1: 'A 1' }, { meta: byEvent(`${name}-failing`) });
    return Promise.allSettled([...neighbours.slice(0, 23), failing, ...neighbours.slice(23)].map(submit));
  };
  const attempts = async () =>
    Number((await stock.rows<{ last_value: string }>('select last_value from inventory.failures'))[0]!.last_value);

  it.each([
    ['a constraint', '23514'],
    ['a value out of range', '22003'],
    ['a defect', 'XX000'],
  ])('for %s is split, and only the command to blame fails', async (_, code) => {
    const results = await amongNeighbours(`split-${code}`, code, 1_000);
    const failed = results.filter((result) => result.status === 'rejected');
    expect(failed).toMatchObject([{ reason: { code, message: 'provoked' } }]);
    expect(results.indexOf(failed[0]!)).toBe(23);
    const others = results.flatMap((result) => (result.status === 'fulfilled' ? [answerOf(result.value)['status']] : []));
    expect(others).toEqual(Array.from({ length: 40 }, () => 'reserved'));
    // Nothing of it is left, so that the message is new when somebody replays it.
    expect(await stock.rows(`select from inventory.demand where order_id like $1`, [`${code}%`])).toEqual([]);
  });

  it('tries a command alone once more, because another batch may just have taken its key', async () => {
    const [result] = await Promise.allSettled([submit(wants('23505 1', { 1: 'A 1' }))]);
    expect(result).toMatchObject({ status: 'fulfilled', value: { answer: { status: 'reserved' } } });
    expect(await attempts()).toBe(2);
  });

  it.each([
    ['a serialisation failure', '40001'],
    ['a deadlock', '40P01'],
  ])('for %s is run again as a whole', async (_, code) => {
    const results = await amongNeighbours(`retry-${code}`, code, 3);
    expect(results.every((result) => result.status === 'fulfilled' && answerOf(result.value)['status'] === 'reserved')).toBe(true);
    expect(await attempts()).toBe(4);
  });

  it('waits for a database that cannot work now, and fails nobody', async () => {
    const startedMs = performance.now();
    const results = await amongNeighbours('pause', '53200', 2);
    expect(results.every((result) => result.status === 'fulfilled')).toBe(true);
    expect(performance.now() - startedMs).toBeGreaterThan(900);
    expect(await attempts()).toBe(3);
  });

  it('does not begin what nobody waits for any more', async () => {
    const late = process_.batcher.submit(wants('late', { 1: 'A 1' }, { meta: byCall({ deadlineMs: Date.now() - 1 }) }), 'calls');
    await expect(late).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await stock.rows(`select from inventory.demand where order_id = 'late'`)).toEqual([]);
  });

  it('has one effect, whichever process is told of it', async () => {
    const others = await Promise.all([stock.process(), stock.process()]);
    const commands = Array.from({ length: 100 }, (_, n) => wants(`everywhere-${n}`, { 1: 'A 1' }, { meta: byEvent(`everywhere-${n}`) }));
    const outcomes = await Promise.all(
      [process_, ...others].flatMap(({ batcher }) => commands.map((command) => batcher.submit(command, 'events'))),
    );
    expect(outcomes.filter((outcome) => outcome.kind === 'answer')).toHaveLength(100);
    expect(outcomes.filter((outcome) => outcome.kind === 'duplicate')).toHaveLength(200);
    const rows = await stock.rows(`select from inventory.reservation where order_id like 'everywhere-%'`);
    expect(rows).toHaveLength(100);
  });

  it('takes calls before events, and neither waits for one organisation’s flood', async () => {
    const order: string[] = [];
    const note = (name: string) => (outcome: Outcome) => void (outcome.kind === 'answer' && order.push(name));
    const flood = Array.from({ length: 1_500 }, (_, n) => submit(wants(`flood-${n}`, { 1: 'A 0.01' })).then(note('flood')));
    const small = submit({ ...wants('small', { 1: 'A 1' }, { mode: 'partial' }), orgId: 'neighbour' }).then(note('small'));
    const call = process_.batcher.submit(wants('call', { 1: 'A 1' }), 'calls').then(note('call'));
    await Promise.all([...flood, small, call]);
    // Both are in the first batch that is formed after they came; at most two had been taken before.
    expect(order.indexOf('call')).toBeLessThan(750);
    expect(order.indexOf('small')).toBeLessThan(750);
  });

  it('finishes what was submitted before it ends', async () => {
    const ending = await stock.process();
    const outcomes = Array.from({ length: 300 }, (_, n) => ending.batcher.submit(wants(`ending-${n}`, { 1: 'A 0.01' }), 'events'));
    await ending.batcher.onApplicationShutdown();
    const settled = await Promise.race([Promise.all(outcomes), delay(0, 'open')]);
    expect(settled).toHaveLength(300);
  });
});

const WAITING = Number(process.env['HOLDFAST_TEST_WAITING'] ?? 100_000);

describe(`${WAITING} backorders on one item`, () => {
  let stock: StockDatabase;
  let process_: StockProcess;
  beforeAll(async () => {
    stock = await StockDatabase.create();
    process_ = await stock.process();
    for (const org of [ORG, 'neighbour']) await stock.addCatalogue(org, ['A', 'B'], ['W1']);
    await process_.batcher.submit({ ...receives('opening', 'W1', { B: '10000' }), orgId: 'neighbour' }, 'calls');
    await process_.batcher.submit(receives('opening', 'W1', { B: '10000' }), 'calls');
    await stock.rows(
      `insert into inventory.demand (org_id, order_id, state, source, firm, mode, priority, accepted_at, lines)
       select $1, 'o' || n, 'open', '/oms', true, 'partial', n % 3 * 10, now() - make_interval(secs => $2 - n),
              '[{"lineNo": 1, "itemId": "A", "requested": "1", "backordered": "1"}]' from generate_series(1, $2::int) n`,
      [ORG, WAITING],
    );
    await stock.rows(
      `insert into inventory.backorder (org_id, order_id, line_no, warehouse_id, item_id, quantity, priority, accepted_at)
       select org_id, order_id, 1, 'W1', 'A', 1, priority, accepted_at from inventory.demand where org_id = $1`,
      [ORG],
    );
    await stock.rows(`insert into inventory.stock_balance (org_id, warehouse_id, item_id, backordered) values ($1, 'W1', 'A', $2)`, [
      ORG,
      WAITING,
    ]);
    await stock.rows('analyze');
  }, 120_000);
  afterAll(() => stock.drop());

  const filled = async () =>
    Number(
      (await stock.rows<{ n: string }>(`select count(*) as n from inventory.reservation where item_id = 'A' and status = 'active'`))[0]!.n,
    );

  it('are served by a receipt: the first 500 in its transaction, the rest in chunks, and nobody else waits', async () => {
    const startedMs = performance.now();
    const receipt = await process_.batcher.submit(
      receives('r1', 'W1', { A: String(WAITING) }, { meta: byCall({ causationId: 'the-receipt' }) }),
      'calls',
    );
    const receiptMs = performance.now() - startedMs;
    expect(receipt.kind).toBe('answer');
    const first = await stock.rows<{ order_id: string; priority: number }>(
      `select d.order_id, d.priority from inventory.outbox o
         cross join lateral (select convert_from(o.event, 'UTF8')::jsonb as e) x join inventory.demand d on d.order_id = x.e->>'subject'
        where x.e->>'type' = 'BackorderFilled' and x.e->>'causationid' = 'the-receipt'`,
    );
    expect(first).toHaveLength(500);
    expect(new Set(first.map((row) => row.priority))).toEqual(new Set([20]));

    // Meanwhile others order the same item's neighbours, and other organisations theirs.
    const latenciesMs: number[] = [];
    let lastMs = performance.now();
    for (let n = 0; (await filled()) < WAITING && performance.now() - startedMs < 150_000; n++) {
      for (const orgId of [ORG, 'neighbour']) {
        const sentMs = performance.now();
        const outcome = await process_.batcher.submit({ ...wants(`meanwhile-${n}`, { 1: 'B 0.01' }), orgId }, 'calls');
        expect(answerOf(outcome)).toMatchObject({ status: 'reserved' });
        latenciesMs.push(performance.now() - sentMs);
      }
      lastMs = performance.now();
      await delay(50);
    }
    const seconds = (lastMs - startedMs) / 1000;
    latenciesMs.sort((a, b) => a - b);
    const [median, slowest] = [latenciesMs[latenciesMs.length >> 1]!, latenciesMs.at(-1)!];
    process.stdout.write(
      `${WAITING} backorders filled in ${seconds.toFixed(1)} s, the receipt answered after ${receiptMs.toFixed(0)} ms; ` +
        `${latenciesMs.length} orders meanwhile: median ${median.toFixed(0)} ms, slowest ${slowest.toFixed(0)} ms\n`,
    );
    expect(await filled()).toBe(WAITING);
    expect(median).toBeLessThan(1_000);
    const [balance] = await stock.rows(
      `select reserved::float, backordered::float from inventory.stock_balance where item_id = 'A' and org_id = $1`,
      [ORG],
    );
    expect(balance).toEqual({ reserved: WAITING, backordered: 0 });
    await process_.batcher.onApplicationShutdown();
  }, 180_000);

  it('are found by a sweep when the process that was filling them has ended', async () => {
    await process_.batcher.submit(wants('sweepable', { 1: 'A 3' }, { mode: 'partial' }), 'calls');
    // As if stock had come free and the process had died before it went on.
    await stock.rows(`update inventory.stock_balance set on_hand = on_hand + 2 where org_id = $1 and item_id = 'A'`, [ORG]);
    const other = await stock.process();
    await other.dueWork.sweep();
    const [row] = await stock.rows<{ lines: unknown }>(`select lines from inventory.demand where order_id = 'sweepable'`);
    expect(row!.lines).toMatchObject([{ reserved: '2', backordered: '1' }]);
    await other.batcher.submit(cancels('sweepable'), 'calls');
  });
});
