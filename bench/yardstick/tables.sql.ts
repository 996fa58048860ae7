/** The tables of the yardstick: what "reserve durably, once" needs at the very least, with text ids and decimals. */
export const TABLES = `
  create schema yardstick;
  set search_path = yardstick;
  create table balance (
    org_id text, warehouse_id text, item_id text,
    on_hand numeric(18,4) not null, reserved numeric(18,4) not null default 0,
    primary key (org_id, warehouse_id, item_id),
    check (reserved >= 0 and reserved <= on_hand)
  ) with (fillfactor = 50);
  create table reservation (
    org_id text, order_id text, line_no integer, warehouse_id text, item_id text, quantity numeric(18,4),
    primary key (org_id, order_id, line_no)
  );
  create table inbox (event_id uuid primary key);
  create table outbox (outbox_id bigint generated always as identity primary key, event jsonb not null);
`;

/** $1 organisations, $2 items of each, $3 warehouse. */
export const SEED = `
  insert into yardstick.balance (org_id, warehouse_id, item_id, on_hand)
  select org_id, $3, 'item-' || lpad(n::text, 6, '0'), 1000000000
  from unnest($1::text[]) as org_id, generate_series(1, $2::int) as n`;

/** $1 organisations and $2 items, in pairs. Locks in key order; a batch that meets another one's row waits here. */
export const LOCK_BALANCES = `
  select b.org_id, b.item_id, b.on_hand - b.reserved as free
  from unnest($1::text[], $2::text[]) as wanted (org_id, item_id)
  join balance b on b.org_id = wanted.org_id and b.warehouse_id = $3 and b.item_id = wanted.item_id
  order by b.org_id, b.item_id
  for no key update of b`;

/**
 * Everything that a batch writes, in one round trip: $1 organisations, $2 items, $3 held quantities of the balances; $4 organisations,
 * $5 orders, $6 line numbers, $7 items, $8 quantities of the reservations; $9 warehouse; $10 ids of events in; $11 events out.
 */
export const WRITE_BATCH = `
  with received as (
    insert into inbox select * from unnest($10::uuid[])
  ), held as (
    update balance b set reserved = b.reserved + change.quantity
    from unnest($1::text[], $2::text[], $3::numeric[]) as change (org_id, item_id, quantity)
    where b.org_id = change.org_id and b.warehouse_id = $9 and b.item_id = change.item_id
  ), reserved as (
    insert into reservation (org_id, order_id, line_no, warehouse_id, item_id, quantity)
    select org_id, order_id, line_no, $9, item_id, quantity
    from unnest($4::text[], $5::text[], $6::int[], $7::text[], $8::numeric[]) as line (org_id, order_id, line_no, item_id, quantity)
  )
  insert into outbox (event) select event::jsonb from unnest($11::text[]) as event
  returning outbox_id`;

export const DELETE_SENT = `delete from outbox where outbox_id = any($1::bigint[])`;

/** What an order costs when it is handled alone, as most systems do: one lock, one update and one insert per line. */
export const LOCK_ONE = `select on_hand - reserved as free from balance where org_id = $1 and warehouse_id = $2 and item_id = $3 for update`;
export const HOLD_ONE = `update balance set reserved = reserved + $4 where org_id = $1 and warehouse_id = $2 and item_id = $3`;
export const RESERVE_ONE = `insert into reservation (org_id, warehouse_id, item_id, quantity, order_id, line_no) values ($1, $2, $3, $4, $5, $6)`;
