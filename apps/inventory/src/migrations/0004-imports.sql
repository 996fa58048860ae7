-- Imports: a file as it came, its lines once they are read, what is wrong with them, and how far each import has got. Whatever is
-- staged here goes when its import has ended; the import and its errors stay.

create table import (
  org_id       text not null,
  import_id    uuid not null,
  kind         text not null check (kind in ('items', 'lots', 'stock')),
  dry_run      boolean not null,
  status       text not null default 'receiving'
               check (status in ('receiving', 'validating', 'applying', 'completed', 'failed', 'cancelled')),
  -- Who sent it, and where they work; null = everywhere.
  actor        text not null,
  warehouses   text[],
  -- What has come of the file, and when its last part did: the imports of an organisation are worked on in that order, one at a time.
  parts        integer not null default 0,
  bytes        bigint not null default 0,
  received_at  timestamptz,
  -- How far it is read: up to this byte, where this line begins; that many lines with data were found. Reading goes on from here.
  header       text[],
  read_bytes   bigint not null default 0,
  next_line    integer not null default 1,
  records      integer not null default 0,
  -- How far it is applied: up to this line, in the order in which lines are applied.
  last_place   text not null default '',
  last_record  integer not null default 0,
  -- Kept, because the lines that go together must be the same when they are applied again after a crash.
  chunk_lines  integer not null,
  total        integer not null default 0,
  done         integer not null default 0,
  skipped      integer not null default 0,
  error_count  integer not null default 0,
  -- Whether nothing of it is staged any more.
  cleared      boolean not null default false,
  -- The process that works on it; another one may when the time has run out. Counted are attempts that came to nothing.
  lease_holder uuid,
  lease_until  timestamptz,
  attempts     integer not null default 0,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  finished_at  timestamptz,
  primary key (org_id, import_id)
);
create index import_to_work_on on import (updated_at) where not cleared;
create index import_in_line on import (org_id, received_at, import_id) where status in ('validating', 'applying');

-- The file, in the pieces in which it came. When it has been read the bytes go, and the digest stays to recognise a repeat.
create table import_part (
  org_id     text not null,
  import_id  uuid not null,
  part_no    integer not null,
  first_byte bigint not null,
  digest     bytea not null,
  bytes      bytea,
  primary key (org_id, import_id, part_no),
  foreign key (org_id, import_id) references import
);
-- Bytes that live for a minute are not worth compressing.
alter table import_part alter column bytes set storage external;

create table import_line (
  org_id    text not null,
  import_id uuid not null,
  -- The warehouse of a line of stock, so that lines that can be received together lie together; else empty.
  place     text not null,
  record_no integer not null,
  line      integer not null,
  -- What no other line of the file may name.
  key       text not null,
  -- The item and lot of a line of stock, which may stand in several lines: they must agree.
  lot_key   text,
  fields    jsonb not null,
  -- Exists already, exactly so.
  is_there  boolean not null,
  primary key (org_id, import_id, place, record_no)
);
create unique index import_line_once on import_line (org_id, import_id, key);
create index import_line_by_lot on import_line (org_id, import_id, lot_key) where lot_key is not null;

-- The first errors of an import; their number in all is counted on the import.
create table import_error (
  org_id      text not null,
  import_id   uuid not null,
  error_no    integer not null,
  line        integer not null,
  column_name text,
  message     text not null,
  primary key (org_id, import_id, error_no),
  foreign key (org_id, import_id) references import
);

do $$
declare t text;
begin
  foreach t in array array['import', 'import_part', 'import_line', 'import_error'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy own_organisation on %I using ((select nullif(current_setting(''holdfast.orgs'', true), '''')::jsonb) ? org_id)', t);
    execute format('grant select, insert on %I to ${role}', t);
  end loop;
end $$;
grant update on import, import_part to ${role};
grant delete on import_line to ${role};

-- Imports of all organisations that somebody has to go on with, as keys only; those first that have waited longest. One whose sender has
-- gone in the middle of the file is among them. An import waits for those of its organisation that came before it: what they bring must be
-- there when it is checked.
create function due_imports(row_limit integer) returns table (org_id text, import_id uuid)
  language sql stable security definer set search_path = ${schema} as
$$ select i.org_id, i.import_id from import i
    where not i.cleared and (i.lease_until is null or i.lease_until <= now())
      and (i.status <> 'receiving' or i.updated_at < now() - interval '10 minutes')
      and not exists (select from import earlier
                       where earlier.org_id = i.org_id and earlier.status in ('validating', 'applying')
                         and (earlier.received_at, earlier.import_id) < (i.received_at, i.import_id))
    order by i.updated_at limit row_limit $$;
grant select on import to ${messagingRole};
create policy due_work on import for select to ${messagingRole} using (true);
alter function due_imports owner to ${messagingRole};
revoke execute on function due_imports from public;
grant execute on function due_imports to ${role};
