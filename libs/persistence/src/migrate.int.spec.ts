import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { testPrefix, testServerUrl } from '#libs/testing';
import { dropDatabase, migrate, migrationsPending, onDatabase, openDatabase, openMessagingDatabase } from './index.js';

describe('migrate', () => {
  let url: string;
  let root: string;
  let directories: string[];

  beforeEach(async () => {
    url = onDatabase(testServerUrl(), testPrefix());
    root = await mkdtemp(join(tmpdir(), 'migrate-'));
    directories = [join(root, 'libs/messaging/migrations'), join(root, 'apps/stock/src/migrations')];
    for (const directory of directories) await mkdir(directory, { recursive: true });
    await write(0, '0001-outbox.sql', 'create table outbox (id int primary key); grant select on outbox to ${messagingRole};');
    await write(1, '0001-item.sql', 'create table item (id int primary key); grant select on item to ${role};');
  });
  afterEach(async () => {
    await dropDatabase(url);
    await rm(root, { recursive: true });
  });

  const write = (part: number, file: string, text: string) => writeFile(join(directories[part]!, file), text);
  const run = () => migrate({ url, service: 'stock', directories });
  const query = async (text: string, on = url) => {
    const client = new pg.Client({ connectionString: on });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };

  it('makes database, roles and schema, and runs each migration once, in order', async () => {
    expect(await run()).toEqual({ applied: ['messaging/0001-outbox.sql', 'stock/0001-item.sql'] });
    expect(await run()).toEqual({ applied: [] });
    await write(1, '0002-more.sql', 'alter table item add column name text');
    expect(await run()).toEqual({ applied: ['stock/0002-more.sql'] });
  });

  it('gives the messaging role its tables only, and the service its own only', async () => {
    await run();
    const service = await openDatabase({ url, service: 'stock' });
    const messaging = await openMessagingDatabase({ url, service: 'stock' });
    await service.transaction([], (tx) => tx.rows('select * from item'));
    await messaging.transaction([], (tx) => tx.rows('select * from outbox'));
    await expect(service.transaction([], (tx) => tx.rows('select * from outbox'))).rejects.toThrow('permission denied');
    await expect(messaging.transaction([], (tx) => tx.rows('select * from item'))).rejects.toThrow('permission denied');
    await Promise.all([service.close(), messaging.close()]);
  });

  it('keeps services from each other in one database', async () => {
    await run();
    await migrate({ url, service: 'sales', directories });
    const sales = await openDatabase({ url, service: 'sales' });
    await expect(sales.transaction([], (tx) => tx.rows('select * from stock.item'))).rejects.toThrow('permission denied for schema');
    await sales.close();
  });

  it('undoes a migration that fails, names it, and keeps those before it', async () => {
    await write(1, '0002-broken.sql', 'create table half (id int); select 1/0;');
    await expect(run()).rejects.toThrow('Migration stock/0002-broken.sql failed: division by zero');
    expect(await query(`select name from stock.schema_migration`)).toHaveLength(2);
    expect(await query(`select to_regclass('stock.half') as half`)).toEqual([{ half: null }]);
  });

  it('refuses a migration that was changed after it ran', async () => {
    await run();
    await write(1, '0001-item.sql', 'create table item (id bigint primary key)');
    await expect(run()).rejects.toThrow('Changed after it ran: stock/0001-item.sql');
  });

  it('does not take other line ends for a change', async () => {
    await write(1, '0002-lines.sql', 'select 1;\nselect 2;\n');
    await run();
    await write(1, '0002-lines.sql', 'select 1;\r\nselect 2;\r\n');
    expect(await run()).toEqual({ applied: [] });
  });

  it('refuses a placeholder that it does not know', async () => {
    await write(1, '0002-typo.sql', 'grant select on item to ${rol}');
    await expect(run()).rejects.toThrow('${rol} is unknown');
  });

  it('lets several processes start at once on an empty server, an index built concurrently included', async () => {
    await write(1, '0002-fill.sql', 'insert into item select generate_series(1, 100000)');
    await write(1, '0003-index.sql', '-- no transaction\ncreate index concurrently item_by_parity on item ((id % 2));\nanalyze item;\n');
    const services = ['stock', 'stock', 'stock', 'sales'];
    const results = await Promise.all(services.map((service) => migrate({ url, service, directories })));
    expect(results.map(({ applied }) => applied.length).sort()).toEqual([0, 0, 4, 4]);
  });

  it('gives up on a lock that is never free', async () => {
    await run();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('select pg_advisory_lock(4865646173)');
    await expect(migrate({ url, service: 'stock', directories, lockTimeoutMs: 200 })).rejects.toThrow('Another process has been migrating');
    await client.end();
  });

  it('says which migrations are pending', async () => {
    await run();
    const database = await openDatabase({ url, service: 'stock' });
    expect(await migrationsPending(database, directories)).toEqual([]);
    await write(1, '0002-more.sql', 'select 1');
    expect(await migrationsPending(database, directories)).toEqual(['stock/0002-more.sql']);
    await database.close();
  });

  it('works for a user that is no superuser', async () => {
    const owner = testPrefix();
    await query(`create role "${owner}" login createdb createrole password 'secret'`, testServerUrl());
    const own = new URL(url);
    own.username = owner;
    own.password = 'secret';
    try {
      await write(1, '0002-secure.sql', 'alter table item enable row level security; alter table item force row level security;');
      await write(
        1,
        '0003-due.sql',
        `create policy due on item to \${messagingRole} using (true);
         grant select on item to \${messagingRole};
         create function due() returns setof int language sql security definer set search_path = \${schema} as 'select id from item';
         alter function due owner to \${messagingRole};`,
      );
      await migrate({ url: own.href, service: 'stock', directories });
      const service = await openDatabase({ url: own.href, service: 'stock' });
      const messaging = await openMessagingDatabase({ url: own.href, service: 'stock' });
      await query('insert into stock.item values (7)');
      expect(await service.transaction([], (tx) => tx.rows('select * from item'))).toEqual([]);
      expect(await service.transaction([], (tx) => tx.rows('select due()'))).toEqual([{ due: 7 }]);
      await expect(messaging.transaction([], (tx) => tx.execute('create table mine (id int)'))).rejects.toThrow('permission denied');
      expect(await messaging.transaction([], (tx) => tx.rows('select * from outbox'))).toEqual([]);
      await Promise.all([service.close(), messaging.close()]);
    } finally {
      await dropDatabase(own.href);
      await query(`drop role "${owner}"`, testServerUrl());
    }
  });

  it('drops a database with its roles, and none of another whose name begins alike', async () => {
    const other = `${url}_stock`;
    await run();
    await migrate({ url: other, service: 'stock', directories });
    await dropDatabase(url);
    const name = new URL(url).pathname.slice(1);
    const roles = await query(`select rolname from pg_roles where rolname like '${name}%' order by 1`, testServerUrl());
    expect(roles).toEqual([{ rolname: `${name}_stock_messaging` }, { rolname: `${name}_stock_stock` }]);
    await dropDatabase(other);
    expect(await query(`select rolname from pg_roles where rolname like '${name}%'`, testServerUrl())).toEqual([]);
  });
});
