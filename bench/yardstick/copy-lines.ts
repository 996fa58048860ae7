import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

/** What a file of lines becomes at the very least: the rows of its kind, by `COPY` into a table of its own and one `insert` for each table. */
interface Copied {
  readonly columns: string;
  readonly inserts: readonly string[];
}

/** The tables that lines end in, without keys to other tables, tenants to keep apart, or anything to check. */
export const COPY_TABLES = `
  create schema if not exists yardstick;
  set search_path = yardstick;
  create table item (
    org_id text, item_id text, name text not null, unit_price numeric(18,4), reorder_point numeric(18,4), primary key (org_id, item_id)
  );
  create table stock (
    org_id text, warehouse_id text, item_id text, on_hand numeric(18,4) not null, value numeric(22,4) not null,
    primary key (org_id, warehouse_id, item_id)
  );
  create table layer (
    org_id text, warehouse_id text, item_id text, layer_no bigint, quantity numeric(18,4) not null, value numeric(22,4) not null,
    primary key (org_id, warehouse_id, item_id, layer_no)
  );
  create table entry (
    org_id text, warehouse_id text, item_id text, entry_no bigint, quantity_delta numeric(18,4) not null, balance_after numeric(18,4) not null,
    unit_cost numeric(18,4), value_delta numeric(22,4), recorded_at timestamptz not null, primary key (org_id, warehouse_id, item_id, entry_no)
  );
`;

const COPIED: Readonly<Record<'items' | 'stock', Copied>> = {
  items: {
    columns: 'item_id text, name text, unit_price numeric, reorder_point numeric',
    inserts: ['insert into item select $1, item_id, name, unit_price, reorder_point from staged'],
  },
  stock: {
    columns: 'warehouse_id text, item_id text, quantity numeric, unit_cost numeric',
    inserts: [
      'insert into stock select $1, warehouse_id, item_id, quantity, quantity * unit_cost from staged',
      'insert into layer select $1, warehouse_id, item_id, 1, quantity, quantity * unit_cost from staged',
      'insert into entry select $1, warehouse_id, item_id, 1, quantity, quantity, unit_cost, quantity * unit_cost, now() from staged',
    ],
  },
};

/** Brings a CSV file into the tables of the yardstick, in one transaction. */
export async function copyLines(client: Client, kind: 'items' | 'stock', orgId: string, file: string): Promise<void> {
  const { columns, inserts } = COPIED[kind];
  await client.query('begin; set local search_path = yardstick');
  await client.query(`create temp table staged (${columns}) on commit drop`);
  await pipeline(Readable.from([file]), client.query(copyFrom('copy staged from stdin (format csv, header)')));
  for (const insert of inserts) await client.query(insert, [orgId]);
  await client.query('commit');
}
