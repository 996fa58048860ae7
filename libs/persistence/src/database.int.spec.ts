import { join } from 'node:path';
import { EntitySchema } from 'typeorm';
import { createTestDatabase } from '#libs/testing';
import type { TestDatabase } from '#libs/testing';
import { arrayLiteral, classifyError, CommitOutcomeUnknown, statement } from './index.js';
import type { Database, Tx } from './index.js';

const directories = [join(import.meta.dirname, 'test-migrations')];

interface Counter {
  orgId: string;
  name: string;
  value: number;
}

const CounterEntity = new EntitySchema<Counter>({
  name: 'counter',
  columns: {
    orgId: { type: 'text', name: 'org_id', primary: true },
    name: { type: 'text', primary: true },
    value: { type: 'bigint' },
  },
});

const insertEntry = statement<never>('spec_insert_entry', 'insert into entry (org_id, entry_no, quantity) values ($1, $2, $3)');
const selectEntries = statement<{ org_id: string; entry_no: number }>(
  'spec_select_entries',
  'select org_id, entry_no from entry order by 1, 2',
);
const backendId = statement<{ id: number }>('spec_backend', 'select pg_backend_pid() as id');
const add = (tx: Tx, org: string, name: string) =>
  tx.execute('update counter set value = value + 1 where org_id = $1 and name = $2', [org, name]);

describe('Database', () => {
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await createTestDatabase(['ledger'], { directories });
    database = await test.open('ledger', { entities: [CounterEntity], poolSizeMax: 5 });
  });
  afterAll(() => test.drop());
  beforeEach(() => test.rows('truncate ledger.entry, ledger.counter'));

  const count = async (table: 'entry' | 'counter') => (await test.rows<{ n: string }>(`select count(*) n from ledger.${table}`))[0]!.n;

  describe('row-level security', () => {
    beforeEach(() => test.rows(`insert into ledger.entry (org_id, entry_no, quantity) values ('a', 1, 1), ('b', 1, 2), ('c', 1, 3)`));

    it('admits exactly the organisations of the transaction', async () => {
      const seen = (orgs: string[]) => database.transaction(orgs, async (tx) => (await tx.run(selectEntries, [])).map((row) => row.org_id));
      expect(await seen(['a', 'b'])).toEqual(['a', 'b']);
      expect(await seen(['c'])).toEqual(['c']);
      expect(await seen([])).toEqual([]);
    });

    it('shows nothing where no transaction has named an organisation, on a connection that served one too', async () => {
      await database.transaction(['a'], (tx) => tx.run(selectEntries, []));
      expect(await database.dataSource.query('select * from entry')).toEqual([]);
    });

    it('refuses to write for another organisation', async () => {
      const written = database.transaction(['a'], (tx) => tx.run(insertEntry, ['b', 7, '1']));
      await expect(written).rejects.toThrow('row-level security');
    });

    it('takes an organisation whose name looks like JSON for a name', async () => {
      const evil = 'x", "b';
      const seen = await database.transaction([evil], (tx) => tx.run(selectEntries, []));
      expect(seen).toEqual([]);
    });
  });

  it('runs with a role that can neither change the ledger, nor see other services, nor leave row-level security', async () => {
    const attempt = (text: string) => database.transaction(['a'], (tx) => tx.execute(text));
    await expect(attempt('update entry set quantity = 0')).rejects.toThrow('permission denied');
    await expect(attempt('delete from entry')).rejects.toThrow('permission denied');
    await expect(attempt('create table ledger.mine (id int)')).rejects.toThrow('permission denied');
    await expect(attempt('alter table entry disable row level security')).rejects.toThrow('must be owner');
    const [role] = await database.transaction([], (tx) =>
      tx.rows<{ rolbypassrls: boolean; rolsuper: boolean; rolcanlogin: boolean }>('select * from pg_roles where rolname = current_user'),
    );
    expect(role).toMatchObject({ rolbypassrls: false, rolsuper: false, rolcanlogin: false });
  });

  it('reads int8 as a number while it is safe, decimals and dates as text, times as Date, JSON parsed, arrays alike', async () => {
    const [row] = await database.transaction([], (tx) =>
      tx.rows<
        Record<string, unknown>
      >(`select 9007199254740991::int8 as safe, 9007199254740993::int8 as unsafe, 12.5000::numeric(16,4) as quantity,
        array[1::int8, null] as numbers, array[0.1::numeric] as quantities, date '2026-02-28' as day, array[date '2026-02-28'] as days,
        timestamptz '2026-02-28T12:00:00Z' as at, '{"a": [1]}'::jsonb as details`),
    );
    expect(row).toEqual({
      safe: 9007199254740991,
      unsafe: 9007199254740993n,
      quantity: '12.5000',
      numbers: [1, null],
      quantities: ['0.1'],
      day: '2026-02-28',
      days: ['2026-02-28'],
      at: new Date('2026-02-28T12:00:00Z'),
      details: { a: [1] },
    });
  });

  it('passes arrays as literals without losing anything', async () => {
    const texts = ['', 'NULL', null, 'a "b" \\ c', '{x,y}', 'ü\n', "'"];
    const at = new Date('2026-02-28T12:00:00.123Z');
    const [row] = await database.transaction([], (tx) =>
      tx.rows<Record<string, unknown>>(
        'select $1::text[] as texts, $2::int8[] as numbers, $3::boolean[] as flags, $4::timestamptz[] as times',
        [
          arrayLiteral(texts, (text) => text),
          arrayLiteral([1, -2], (number) => number),
          arrayLiteral([true, false], (flag) => flag),
          arrayLiteral([at, null], (time) => time),
        ],
      ),
    );
    expect(row).toEqual({ texts, numbers: [1, -2], flags: [true, false], times: [at, null] });
  });

  it('answers how many rows a statement changed', async () => {
    const affected = await database.transaction(['a'], async (tx) => {
      await tx.execute(`insert into counter values ('a', 'x'), ('a', 'y')`);
      return [
        await add(tx, 'a', 'x'),
        await tx.execute('update counter set value = 5 where org_id = $1', ['a']),
        await add(tx, 'a', 'none'),
      ];
    });
    expect(affected).toEqual([1, 2, 0]);
  });

  describe('statements sent without awaiting', () => {
    it('are committed with the rest', async () => {
      await database.transaction(['a'], async (tx) => {
        for (let entryNo = 1; entryNo <= 100; entryNo++) void tx.run(insertEntry, ['a', entryNo, '1']);
      });
      expect(await count('entry')).toBe('100');
    });

    it('are answered in order', async () => {
      const answers = await database.transaction(['a'], (tx) =>
        Promise.all([1, 2, 3].map((n) => tx.rows<{ n: number }>('select $1::int as n', [n]))),
      );
      expect(answers.flat().map(({ n }) => n)).toEqual([1, 2, 3]);
    });

    it('take the transaction with them when one fails, and tell which', async () => {
      const written = database.transaction(['a'], async (tx) => {
        void tx.run(insertEntry, ['a', 1, '1']);
        void tx.run(insertEntry, ['a', 1, '1']);
        void tx.run(insertEntry, ['a', 2, '1']);
      });
      await expect(written).rejects.toMatchObject({ code: '23505' });
      expect(await count('entry')).toBe('0');
    });

    it('take the transaction with them when a value cannot be sent', async () => {
      const written = database.transaction(['a'], async (tx) => {
        void tx.run(insertEntry, ['a', 1, '1']);
        void tx.run(insertEntry, ['a', 2, { quantity: 1n }]);
      });
      await expect(written).rejects.toThrow('BigInt');
      expect(await count('entry')).toBe('0');
      // The prepared statement is usable afterwards.
      for (let i = 1; i <= 6; i++) await database.transaction(['a'], (tx) => tx.run(insertEntry, ['a', i, '1']));
    });

    it('report the first failure rather than its echo', async () => {
      const written = database.transaction(['a'], async (tx) => {
        void tx.execute('select 1/0');
        await tx.execute('select 1');
      });
      await expect(written).rejects.toMatchObject({ code: '22012' });
    });
  });

  it('does not commit when a failed statement was caught and forgotten', async () => {
    const written = database.transaction(['a'], async (tx) => {
      await tx.run(insertEntry, ['a', 1, '1']);
      await tx.execute('select 1/0').catch(() => {});
    });
    await expect(written).rejects.toMatchObject({ code: '22012' });
    expect(await count('entry')).toBe('0');
  });

  it('refuses statements after the end of the transaction', async () => {
    let kept: Tx | undefined;
    await database.transaction(['a'], async (tx) => void (kept = tx));
    await expect(kept!.execute('select 1')).rejects.toThrow('The transaction is over');
  });

  it('uses a connection again after a business refusal, and leaves nothing of it', async () => {
    const refused = database.transaction(['a'], async (tx) => {
      await tx.run(insertEntry, ['a', 1, '1']);
      throw new Error('refused');
    });
    await expect(refused).rejects.toThrow('refused');
    expect(await count('entry')).toBe('0');
  });

  describe('afterCommit', () => {
    it('runs once, in order, after the commit', async () => {
      const order: string[] = [];
      let attempts = 0;
      await database.transaction(['a'], async (tx) => {
        attempts++;
        tx.afterCommit(() => order.push('first'));
        tx.afterCommit(() => order.push('second'));
        if (attempts === 1) throw Object.assign(new Error('serialisation failure'), { code: '40001' });
        order.push('work');
      });
      expect(order).toEqual(['work', 'first', 'second']);
    });

    it('does not run after a rollback', async () => {
      let ran = false;
      const work = async (tx: Tx) => {
        tx.afterCommit(() => (ran = true));
        throw new Error('no');
      };
      await expect(database.transaction(['a'], work)).rejects.toThrow('no');
      expect(ran).toBe(false);
    });
  });

  describe('TypeORM in the transaction', () => {
    it('sees what raw statements wrote, and is rolled back with them', async () => {
      const read = database.transaction(['a'], async (tx) => {
        await tx.execute(`insert into counter values ('a', 'x', 3)`);
        await tx.manager.save('counter', { orgId: 'a', name: 'y', value: 4 });
        const counters = await tx.manager.find(CounterEntity, { order: { name: 'asc' } });
        expect(counters.map(({ name, value }) => [name, Number(value)])).toEqual([
          ['x', 3],
          ['y', 4],
        ]);
        throw new Error('undo');
      });
      await expect(read).rejects.toThrow('undo');
      expect(await count('counter')).toBe('0');
    });

    it('makes a savepoint of an inner transaction', async () => {
      await database.transaction(['a'], async (tx) => {
        await tx.execute(`insert into counter values ('a', 'kept')`);
        const inner = tx.manager.transaction(async (manager) => {
          await manager.save('counter', { orgId: 'a', name: 'lost', value: 1 });
          throw new Error('inner');
        });
        await expect(inner).rejects.toThrow('inner');
      });
      expect(await test.rows('select name from ledger.counter')).toEqual([{ name: 'kept' }]);
    });
  });

  describe('what is run again', () => {
    it('a deadlock, until both are through', async () => {
      await test.rows(`insert into ledger.counter values ('a', 'x'), ('a', 'y')`);
      let attempts = 0;
      let met = 0;
      let meet: () => void;
      const meeting = new Promise<void>((resolve) => (meet = resolve));
      const inOrder = (first: string, second: string) =>
        database.transaction(['a'], async (tx) => {
          attempts++;
          await add(tx, 'a', first);
          if (++met === 2) meet();
          await meeting;
          await add(tx, 'a', second);
        });
      await Promise.all([inOrder('x', 'y'), inOrder('y', 'x')]);
      expect(attempts).toBe(3);
      expect(await test.rows('select value from ledger.counter order by name')).toEqual([{ value: '2' }, { value: '2' }]);
    });

    it('a connection that was lost, on another one', async () => {
      const backends: number[] = [];
      const attempt = database.transaction(['a'], async (tx) => {
        backends.push((await tx.run(backendId, []))[0]!.id);
        if (backends.length === 1) {
          // What pg reports when the network, not the server, ends the connection.
          throw new Error('Connection terminated unexpectedly');
        }
        await tx.run(insertEntry, ['a', 1, '1']);
      });
      await attempt;
      expect(backends).toHaveLength(2);
      expect(await count('entry')).toBe('1');
    });

    it('not more often than five times, and not at all when asked not to', async () => {
      let attempts = 0;
      const fail = async () => {
        attempts++;
        throw Object.assign(new Error('again'), { code: '40001' });
      };
      await expect(database.transaction([], fail)).rejects.toThrow('again');
      expect(attempts).toBe(6);
      await expect(database.transaction([], fail, { retries: 0 })).rejects.toThrow('again');
      expect(attempts).toBe(7);
    });

    it('no constraint violation', async () => {
      let attempts = 0;
      const written = database.transaction(['a'], async (tx) => {
        attempts++;
        await tx.run(insertEntry, ['a', 1, '1']);
        await tx.run(insertEntry, ['a', 1, '1']);
      });
      await expect(written).rejects.toMatchObject({ code: '23505' });
      expect(attempts).toBe(1);
    });
  });

  describe('a server process that is ended', () => {
    const endBackend = async (tx: Tx) => {
      const [backend] = await tx.run(backendId, []);
      await test.rows('select pg_terminate_backend($1)', [backend!.id]);
    };

    it('pauses, and the pool recovers', async () => {
      const work = database.transaction(['a'], async (tx) => {
        await endBackend(tx);
        await tx.run(selectEntries, []);
      });
      const error = await work.catch((reason: unknown) => reason);
      expect(['pause', 'retry']).toContain(classifyError(error));
      await expect(database.transaction(['a'], (tx) => tx.run(selectEntries, []))).resolves.toEqual([]);
    });

    it('is noticed between two statements, and the work is run again', async () => {
      let attempts = 0;
      await database.transaction(['a'], async (tx) => {
        if (++attempts === 1) {
          (await streamOf(tx)).destroy();
          await new Promise((resolve) => setImmediate(resolve));
        }
        await tx.execute(`insert into counter values ('a', 'x')`);
      });
      expect(attempts).toBe(2);
      expect(await count('counter')).toBe('1');
    });

    it('during the commit leaves the outcome unknown, which only repeatable work survives', async () => {
      let attempts = 0;
      const work = async (tx: Tx) => {
        if (++attempts > 1) return;
        await tx.execute(`insert into counter values ('a', 'x') on conflict do nothing`);
        const stream = await streamOf(tx);
        // After the commit is sent, before its answer is read.
        setImmediate(() => stream.destroy());
      };
      await expect(database.transaction(['a'], work)).rejects.toBeInstanceOf(CommitOutcomeUnknown);
      expect(attempts).toBe(1);
      attempts = 0;
      await database.transaction(['a'], work, { repeatable: true });
      expect(attempts).toBe(2);
    });

    /** The connection under pg's feet. */
    const streamOf = async (tx: Tx) => {
      const client = (await tx.manager.queryRunner!.connect()) as { connection: { stream: { destroy(): void } } };
      return client.connection.stream;
    };
  });

  it('reads one snapshot, and writes nothing, when read only', async () => {
    await test.rows(`insert into ledger.counter values ('a', 'x', 1)`);
    const value = (tx: Tx) => tx.rows<{ value: number }>(`select value from counter where name = 'x'`);
    await database.transaction(
      ['a'],
      async (tx) => {
        expect(await value(tx)).toEqual([{ value: 1 }]);
        await test.rows('update ledger.counter set value = 2');
        expect(await value(tx)).toEqual([{ value: 1 }]);
      },
      { readOnly: true },
    );
    await expect(database.transaction(['a'], (tx) => add(tx, 'a', 'x'), { readOnly: true })).rejects.toThrow('read-only');
  });

  it('prepares a statement anew after a migration changed its table', async () => {
    const all = statement<Record<string, unknown>>('spec_all_counters', 'select * from counter');
    const single = await test.open('ledger', { poolSizeMax: 1 });
    await single.transaction(['a'], (tx) => tx.run(all, []));
    await test.rows('alter table ledger.counter add column note text');
    await expect(single.transaction(['a'], (tx) => tx.run(all, []))).resolves.toEqual([]);
  });
});
