-- For tests: what events had as their effect, doubles included.
create table ${schema}.effect (org_id text not null, n int not null);
grant select, insert on ${schema}.effect to ${role};
