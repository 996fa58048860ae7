-- Recognises what a return was received as, so that only the same said again is a repeat; null while it was not, or when others told of it.
alter table customer_return add column received_digest text;
