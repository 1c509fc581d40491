-- The newest uses are the first that people look at, and at a busy site the keys of one hour are very many.
DROP INDEX use_by_hour;
-- Wait without it: the list by last use; used:<1h.
CREATE INDEX use_by_time ON key_use (last_used_at);
-- Wait without it: replaced:yes.
CREATE INDEX keys_replaced ON keys (id) WHERE successor IS NOT NULL;
-- Wait without it: used:never, and with it expires:never or an end, without a look at the row.
DROP INDEX auth_unused;
CREATE INDEX auth_unused ON key_auth (id, expires_key, ends_at) WHERE listed = 1 AND first_used_at IS NULL;
