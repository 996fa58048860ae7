-- How many days the lots of an order must live; null = as items and organisation say.
alter table customer_order add column min_remaining_shelf_life_days integer check (min_remaining_shelf_life_days >= 0);
