import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { codeOf, type Tx } from '#libs/persistence';
import type { Outcome, StockCommand } from './commands.js';
import { runBatch, tryOut } from './run-batch.js';
import { deadlocks, stockViolations } from './simulation/check-database.js';
import { adjusts, byEvent, cancels, dismisses, ORG, receives, ships, unships, wants } from './simulation/given-stock.js';
import { StockDatabase, type StockProcess } from './simulation/stock-database.js';
import { NeedsMore } from './needs-more.js';

const ITEMS = Array.from({ length: 20 }, (_, n) => `I${String(n).padStart(2, '0')}`);

const MANY_ITEMS = Array.from({ length: 200 }, (_, n) => `M${String(n).padStart(3, '0')}`);

describe('the lock protocol', () => {
  let stock: StockDatabase;
  let one: StockProcess;
  let two: StockProcess;
  let outside: pg.Client;
  beforeAll(async () => {
    stock = await StockDatabase.create();
    one = await stock.process();
    two = await stock.process();
    outside = new pg.Client({ connectionString: stock.database.url });
    await outside.connect();
    for (const org of [ORG, 'twin']) await stock.addCatalogue(org, ['A', 'B', ...ITEMS, ...MANY_ITEMS], ['W1', 'W2']);
    await decide(one, receives('opening', 'W1', { A: '100', B: '100' }));
  });
  afterAll(async () => {
    expect(await stockViolations(stock)).toEqual([]);
    await outside.end();
    await stock.drop();
  });

  const decide = async ({ machine }: StockProcess, ...commands: StockCommand[]) => {
    const { outcomes } = await runBatch(
      machine,
      commands.map((command) => ({ command })),
    );
    return outcomes.map((outcome) => {
      if (outcome instanceof NeedsMore) throw outcome;
      return outcome;
    });
  };
  const answerOf = ([outcome]: Outcome[]) => (outcome!.kind === 'answer' ? outcome!.answer : outcome) as Record<string, unknown>;
  /** Until some backend waits for a lock. */
  const somebodyWaits = async (least = 1) => {
    for (;;) {
      const rows = await stock.rows(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
      if (rows.length >= least) return;
      await delay(5);
    }
  };
  const inTransaction = <T>({ database }: StockProcess, work: (tx: Tx) => Promise<T>) => database.transaction([ORG], work, { retries: 0 });

  describe('that locks in one statement and reads in later ones', () => {
    const LOCK_AND_READ = `
      select b.reserved, (select coalesce(sum(r.quantity), 0) from reservation r
                           where r.org_id = b.org_id and r.item_id = b.item_id and r.warehouse_id = b.warehouse_id and r.status = 'active') as held
        from stock_balance b where b.org_id = $1 and b.warehouse_id = 'W1' and b.item_id = 'A' for no key update of b`;
    const LOCK = `select b.reserved from stock_balance b where b.org_id = $1 and b.warehouse_id = 'W1' and b.item_id = 'A' for no key update of b`;
    const READ = `select coalesce(sum(r.quantity), 0) as held from reservation r
                   where r.org_id = $1 and r.warehouse_id = 'W1' and r.item_id = 'A' and r.status = 'active'`;

    /** Reads while another transaction, which is committed before the lock is granted, holds more. */
    const whileAnotherHolds = async <T>(orderId: string, read: (tx: Tx) => Promise<T>): Promise<T> => {
      // Stops the other batch after its decision, when it has locked everything and written nothing that others see.
      await outside.query('begin');
      await outside.query('lock table inventory.reservation in share mode');
      const holding = decide(one, wants(orderId, { 1: 'A 5 @W1' }));
      await somebodyWaits();
      const reading = inTransaction(two, read);
      await somebodyWaits(2);
      await outside.query('commit');
      await holding;
      return await reading;
    };

    it('sees what it must; in one statement the sum would be older than the lock', async () => {
      const naive = await whileAnotherHolds(
        'stale',
        async (tx) => (await tx.rows<{ reserved: string; held: string }>(LOCK_AND_READ, [ORG]))[0]!,
      );
      expect(Number(naive.held)).toBe(Number(naive.reserved) - 5);
      const ours = await whileAnotherHolds('fresh', async (tx) => {
        const [[balance], [sum]] = await Promise.all([tx.rows<{ reserved: string }>(LOCK, [ORG]), tx.rows<{ held: string }>(READ, [ORG])]);
        return { ...balance!, ...sum! };
      });
      expect(Number(ours.held)).toBe(Number(ours.reserved));
    });

    it('decides on the holds that were committed while it waited', async () => {
      await outside.query('begin');
      await outside.query('lock table inventory.reservation in share mode');
      const first = decide(one, wants('all', { 1: 'B 60 @W1' }));
      await somebodyWaits();
      const second = decide(two, wants('too-much', { 1: 'B 60 @W1' }));
      await somebodyWaits(2);
      await outside.query('commit');
      expect(answerOf(await first)).toMatchObject({ status: 'reserved' });
      expect(answerOf(await second)).toMatchObject({ status: 'failed', shortLines: [{ available: '40' }] });
      await decide(one, cancels('all'));
    });
  });

  describe('that locks in the order of keys', () => {
    it('does not deadlock, as locks in another order do', async () => {
      const lock = (tx: Tx, itemId: string) =>
        tx.rows(`select from stock_balance where org_id = $1 and warehouse_id = 'W1' and item_id = $2 for no key update`, [ORG, itemId]);
      let arrived = 0;
      const bothArrived = async () => {
        for (arrived++; arrived < 2;) await delay(1);
      };
      const inOrder = (process: StockProcess, first: string, then: string) =>
        inTransaction(process, async (tx) => {
          await lock(tx, first);
          await bothArrived();
          await lock(tx, then);
        });
      const naive = await Promise.allSettled([inOrder(one, 'A', 'B'), inOrder(two, 'B', 'A')]);
      expect(naive.map((result) => (result.status === 'rejected' ? codeOf(result.reason) : 'done')).sort()).toEqual(['40P01', 'done']);

      const before = await deadlocks(stock);
      const lines = (items: readonly string[]) => Object.fromEntries(items.map((item, n) => [n + 1, `${item} 1 @W1`]));
      await decide(one, receives('many', 'W1', Object.fromEntries(ITEMS.map((item) => [item, '1000']))));
      const orders = Array.from({ length: 60 }, (_, n) => wants(`crossing-${n}`, lines(n % 2 === 0 ? ITEMS : ITEMS.toReversed())));
      const outcomes = await Promise.all(orders.map((order, n) => decide(n % 2 === 0 ? one : two, order)));
      expect(outcomes.every((outcome) => answerOf(outcome)['status'] === 'reserved')).toBe(true);
      // Nor where the same events come to two processes in another order.
      const twice = Array.from({ length: 60 }, (_, n) => {
        const events = ITEMS.map((item) => wants(`${item}-${n >> 1}`, { 1: `${item} 1 @W1` }, { meta: byEvent(`${item}-${n >> 1}`) }));
        return n % 2 === 0 ? events : events.toReversed();
      });
      const kinds = (await Promise.all(twice.map((batch, n) => decide(n % 2 === 0 ? one : two, ...batch))))
        .flat()
        .map((outcome) => outcome.kind);
      expect(kinds.filter((kind) => kind === 'duplicate')).toHaveLength(kinds.length / 2);
      // Nor where nothing but the orders meet, of which nobody has heard.
      const unheard = Array.from({ length: 60 }, (_, n) => {
        const ids = Array.from({ length: 100 }, (__, id) => `unheard-${n >> 1}-${id}`);
        return (n % 2 === 0 ? ids : ids.toReversed()).map((orderId) => cancels(orderId));
      });
      await Promise.all(unheard.map((batch, n) => decide(n % 2 === 0 ? one : two, ...batch)));
      // Nor where balances are made that two processes miss.
      for (let n = 0; n < 20; n++) {
        await stock.rows(`insert into inventory.warehouse (org_id, warehouse_id, name, priority) values ($1, $2, $2, 9)`, [ORG, `N${n}`]);
        const waits = (orderId: string, items: readonly string[]) =>
          items.map((item) => wants(`${orderId}-${n}-${item}`, { 1: `${item} 1 @N${n}` }, { mode: 'partial' }));
        await Promise.all([decide(one, ...waits('to', MANY_ITEMS)), decide(two, ...waits('fro', MANY_ITEMS.toReversed()))]);
      }
      await delay(1_100); // statistics are reported once a second
      expect(await deadlocks(stock)).toBe(before);
    });

    it('admits messages in order too: inserted in another order they deadlock', async () => {
      const [low, high] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
      let arrived = 0;
      const insert = (process: StockProcess, keys: readonly string[]) =>
        inTransaction(process, async (tx) => {
          await tx.rows('insert into inbox (key) values ($1) on conflict do nothing', [keys[0]]);
          for (arrived++; arrived < 2;) await delay(1);
          await tx.rows('insert into inbox (key) values ($1) on conflict do nothing', [keys[1]]);
        });
      const naive = await Promise.allSettled([insert(one, [low, high]), insert(two, [high, low])]);
      expect(naive.map((result) => (result.status === 'rejected' ? codeOf(result.reason) : 'done')).sort()).toEqual(['40P01', 'done']);
    });
  });

  describe('of findings, of which only one may be open under a key', () => {
    const finds = (...keys: string[]): StockCommand => {
      const finding = { kind: 'order_line', itemId: 'A', warehouseId: null, orderId: 'o', expected: '2', actual: '1', note: 'n' };
      const findings = keys.map((findingKey) => ({ ...finding, findingKey }));
      return { kind: 'record-findings', orgId: ORG, runId: 'run', findings, meta: { messageId: 'finds', mayWait: false } };
    };
    const idsOf = (outcomes: Outcome[]) =>
      (answerOf(outcomes)['findings'] as { discrepancyId: string }[]).map(({ discrepancyId }) => discrepancyId);
    const dismissed = (discrepancyId: string) => dismisses({ discrepancyId, warehouseId: null, itemId: 'A', lot: null });

    it('opens them in the order of their keys, so that others who do the same are no deadlock', async () => {
      for (const id of idsOf(await decide(one, finds('a', 'b')))) await decide(one, dismissed(id));
      const opens = (key: string) =>
        outside.query(`update inventory.discrepancy set status = 'new', closed_at = null where finding_key = $1`, [key]);
      await outside.query(`begin; set local deadlock_timeout = '10ms'`);
      await opens('a');
      const found = decide(one, finds('b'), finds('a'));
      await somebodyWaits();
      await opens('b');
      await outside.query('rollback');
      expect((await found).map(({ kind }) => kind)).toEqual(['answer', 'answer']);
    });

    it('opens one again in the batch in which it was closed', async () => {
      const [first] = idsOf(await decide(one, finds('c')));
      const outcomes = await decide(one, dismissed(first!), finds('c'));
      expect(idsOf(outcomes.slice(1))).not.toEqual([first]);
    });
  });

  describe('that has a row for every order, also one that nobody knows', () => {
    it('lets a cancellation wait for a confirmation that is not committed yet', async () => {
      await outside.query('begin');
      await outside.query('lock table inventory.reservation in share mode');
      const confirming = decide(one, wants('racing', { 1: 'A 5 @W1' }, { meta: byEvent('r1', { sequence: 1 }) }));
      await somebodyWaits();
      // Without a lock the cancellation would see no order, and have nothing to release.
      const unlocked = await inTransaction(two, (tx) => tx.rows(`select from demand where org_id = $1 and order_id = 'racing'`, [ORG]));
      expect(unlocked).toEqual([]);
      const cancelling = runBatch(two.machine, [{ command: cancels('racing', { meta: byEvent('r2', { sequence: 2 }) }) }]);
      await somebodyWaits(2);
      await outside.query('commit');
      expect(answerOf(await confirming)).toMatchObject({ status: 'reserved' });
      // It finds under the lock that the order holds on a balance which it did not lock, and changes nothing without it.
      const { outcomes } = await cancelling;
      expect(outcomes[0]).toBeInstanceOf(NeedsMore);
      const more = (outcomes[0] as NeedsMore).more;
      expect(more.balances).toEqual([`${ORG}/W1/A`]);
      const again = await runBatch(two.machine, [{ command: cancels('racing', { meta: byEvent('r2', { sequence: 2 }) }), more }]);
      expect(answerOf(again.outcomes as Outcome[])).toMatchObject({ status: 'released', stock: [{ reserved: '0', closed: '5' }] });
    });

    it('lets the first words about an order, said on two ways at once, have one effect', async () => {
      for (let n = 0; n < 20; n++) {
        const wish = { 1: 'A 1 @W1' };
        const meta = (id: string) => byEvent(`${id}-${n}`, { sequence: 1 });
        await Promise.all([
          decide(one, wants(`twice-${n}`, wish, { meta: meta('a') })),
          decide(two, wants(`twice-${n}`, wish, { meta: meta('b') })),
        ]);
      }
      const rows = await stock.rows(`select from inventory.reservation where order_id like 'twice-%'`);
      expect(rows).toHaveLength(20);
    });

    it('posts a shipment once that two processes post at once, also about different orders', async () => {
      const twice = (n: number, ...orders: [string, string]) =>
        Promise.allSettled([
          decide(one, ships(`s-${n}`, orders[0], { 1: 'A 1 @W1' })),
          decide(two, ships(`s-${n}`, orders[1], { 1: 'A 1 @W1' })),
        ]);
      for (let n = 0; n < 10; n++) await twice(n, 'same', 'same');
      for (let n = 10; n < 20; n++) {
        const results = await twice(n, 'this', 'that');
        // Nothing but the business key keeps these apart; the batcher tries the loser again, who then finds the shipment.
        for (const result of results) if (result.status === 'rejected') expect(codeOf(result.reason)).toBe('23505');
      }
      const rows = await stock.rows<{ ref_id: string }>(`select ref_id from inventory.movement where movement_type = 'sale_shipment'`);
      expect(new Set(rows.map((row) => row.ref_id)).size).toBe(20);
      expect(rows).toHaveLength(20);
      for (let n = 0; n < 10; n++) await decide(one, unships(`s-${n}`, 'same'));
    });
  });
});

describe('a batch', () => {
  let stock: StockDatabase;
  let one: StockProcess;
  beforeAll(async () => {
    stock = await StockDatabase.create();
    one = await stock.process();
    for (const org of ['north', 'south']) await stock.addCatalogue(org, ['A'], ['W1']);
  });
  afterAll(() => stock.drop());

  it('keeps organisations apart that use the same ids', async () => {
    const both = (make: (org: string) => StockCommand) => ['north', 'south'].map((org) => ({ command: withOrg(make(org), org) }));
    await runBatch(
      one.machine,
      both((org) => receives('r1', 'W1', { A: org === 'north' ? '10' : '1' })),
    );
    const { outcomes } = await runBatch(
      one.machine,
      both(() => wants('o1', { 1: 'A 5' }, { meta: byEvent('e1', { sequence: 1 }) })),
    );
    expect(outcomes).toMatchObject([
      { answer: { status: 'reserved' } },
      { answer: { status: 'failed', shortLines: [{ available: '1' }] } },
    ]);
    const repeated = await runBatch(
      one.machine,
      both(() => wants('o1', { 1: 'A 5' }, { meta: byEvent('e1', { sequence: 1 }) })),
    );
    expect(repeated.outcomes.map((outcome) => 'kind' in outcome && outcome.kind)).toEqual(['duplicate', 'duplicate']);
    const balances = await stock.rows(`select org_id, on_hand::float, reserved::float from inventory.stock_balance order by 1`);
    expect(balances).toEqual([
      { org_id: 'north', on_hand: 10, reserved: 5 },
      { org_id: 'south', on_hand: 1, reserved: 0 },
    ]);
    expect((await stock.events('north')).map((event) => event.type)).toEqual(['StockReceived', 'StockReserved']);
    expect((await stock.events('south')).map((event) => event.type)).toEqual([
      'StockReceived',
      'DiscrepancyOpened',
      'StockReservationFailed',
    ]);
    expect(await stockViolations(stock)).toEqual([]);
  });

  it('decides an event once that is in it twice', async () => {
    const event = withOrg(wants('o2', { 1: 'A 1' }, { meta: byEvent('e2') }), 'north');
    const again = withOrg(wants('o2', { 1: 'A 3' }, { meta: byEvent('e2') }), 'north');
    const { outcomes } = await runBatch(one.machine, [{ command: event }, { command: again }]);
    expect(outcomes).toMatchObject([{ kind: 'answer', answer: { stock: [{ reserved: '1' }] } }, { kind: 'duplicate' }]);
    await runBatch(one.machine, [{ command: withOrg(cancels('o2'), 'north') }]);
  });

  it('can neither see nor write rows of an organisation that it was not opened for', async () => {
    const seen = await one.database.transaction(['north'], (tx) => tx.rows<{ org_id: string }>('select distinct org_id from demand'));
    expect(seen).toEqual([{ org_id: 'north' }]);
    const stolen = one.database.transaction(['north'], (tx) => tx.rows(`insert into demand (org_id, order_id) values ('south', 'stolen')`));
    await expect(stolen).rejects.toMatchObject({ code: '42501' });
    const changed = await one.database.transaction(['north'], (tx) =>
      tx.execute(`update stock_balance set on_hand = 99 where org_id = 'south'`),
    );
    expect(changed).toBe(0);
  });

  it('does not let the service change or delete what was posted', async () => {
    const changes = [
      'update ledger_entry set quantity_delta = 0',
      'delete from ledger_entry',
      'update movement set actor = null',
      'delete from movement',
    ];
    for (const change of changes) {
      await expect(one.database.transaction(['north'], (tx) => tx.execute(change))).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('leaves nothing behind when it fails', async () => {
    await stock.rows(`alter table inventory.reservation add constraint poison check (order_id <> 'poison')`);
    const count = () =>
      stock.rows(`select (select count(*) from inventory.inbox) i, (select count(*) from inventory.outbox) o,
                                            (select count(*) from inventory.demand) d, (select sum(reserved) from inventory.stock_balance) r`);
    const before = await count();
    const commands = [wants('fine', { 1: 'A 1' }, { meta: byEvent('e7') }), wants('poison', { 1: 'A 1' }, { meta: byEvent('e8') })];
    const batch = commands.map((command) => ({ command: withOrg(command, 'north') }));
    await expect(runBatch(one.machine, batch)).rejects.toMatchObject({ code: '23514' });
    expect(await count()).toEqual(before);
  });

  it('can be tried out however much it needs', async () => {
    await runBatch(one.machine, [{ command: withOrg(receives('r9', 'W1', { A: '500' }), 'north') }]);
    const orders = Array.from({ length: 120 }, (_, n) => ({ command: withOrg(wants(`held-${n}`, { 1: 'A 4' }), 'north') }));
    await runBatch(one.machine, orders);
    const before = await stock.rows(`select * from inventory.stock_balance where org_id = 'north'`);
    const tried = await tryOut(one.machine, withOrg(adjusts('W1/A', '-450 loss'), 'north'));
    expect(tried).toMatchObject({ kind: 'answer', answer: { quantityDelta: '-450' } });
    expect(await stock.rows(`select * from inventory.stock_balance where org_id = 'north'`)).toEqual(before);
  });

  it('can be tried out without a trace, and answers what the command then does', async () => {
    const command = withOrg(wants('new', { 1: 'A 2' }, { firm: false, ttlSeconds: 900 }), 'north');
    const count = () =>
      stock.rows(`select (select count(*) from inventory.demand) d, (select sum(reserved) from inventory.stock_balance) r`);
    const before = await count();
    const tried = await tryOut(one.machine, command);
    expect(await count()).toEqual(before);
    const { outcomes } = await runBatch(one.machine, [{ command }]);
    const strip = (outcome: unknown) =>
      JSON.parse(JSON.stringify(outcome, (key, value: unknown) => (['reservationId', 'expiresAt'].includes(key) ? '' : value))) as unknown;
    expect(strip(outcomes[0])).toEqual(strip(tried));
  });
});

function withOrg(command: StockCommand, orgId: string): StockCommand {
  const event = command.meta.event && { ...command.meta.event, orgid: orgId };
  return { ...command, orgId, meta: { ...command.meta, event } };
}
