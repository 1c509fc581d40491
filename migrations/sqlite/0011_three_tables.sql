-- Keys in three tables: `key_auth` is what a verdict and a cap need, `keys` what people read, search and sort by, `key_use` the
-- last use. `seq` is one key's number in all three. Each fact has one home.
--
-- The program carries out the parts of this file one after the other, rows in portions, before it applies the whole: whoever
-- reads or writes by the version before goes on until the switch. What was done already is left as it is here.

-- part: tables
CREATE TABLE IF NOT EXISTS key_auth (
    seq             INTEGER PRIMARY KEY,
    hash            BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    id              BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    account         TEXT NOT NULL REFERENCES accounts (slug),
    issuer          TEXT NOT NULL,
    scopes          TEXT NOT NULL,
    allow           TEXT NOT NULL,                   -- networks, space-separated
    limits          TEXT,                            -- budgets agreed for this key, like '5000/1h 100/1m'; null: the policy's
    created_at      INTEGER NOT NULL,
    claim_by        INTEGER NOT NULL,
    expires_at      INTEGER,
    acknowledged_at INTEGER CHECK (acknowledged_at < claim_by OR first_used_at IS NOT NULL),
    first_used_at   INTEGER,                         -- the first use that is known of
    revoked_at      INTEGER,
    revoked_by      TEXT,
    revoke_reason   TEXT,
    listed          INTEGER NOT NULL DEFAULT 0,      -- whether the indexes that are fed in batches have it
    -- The instant at which the key ends or ended, by whichever cause comes first.
    ends_at         INTEGER NOT NULL GENERATED ALWAYS AS (min(
        coalesce(revoked_at, 253402214400000000),
        coalesce(expires_at, 253402214400000000),
        CASE WHEN acknowledged_at IS NULL AND first_used_at IS NULL THEN claim_by ELSE 253402214400000000 END
    )) STORED,
    -- Sorting needs plain columns: a row value with an expression in it would not use an index.
    expires_key     INTEGER NOT NULL GENERATED ALWAYS AS (coalesce(expires_at, 253402214400000000)) STORED
) STRICT;

CREATE TABLE IF NOT EXISTS keys_anew (
    seq             INTEGER PRIMARY KEY REFERENCES key_auth (seq),
    id              BLOB NOT NULL CHECK (length(id) = 16),
    name            TEXT NOT NULL,
    name_key        TEXT NOT NULL,                   -- the name folded, to sort by
    description     TEXT NOT NULL,
    search          TEXT NOT NULL,                   -- name and description, folded
    preview         TEXT NOT NULL,
    tail            TEXT NOT NULL,                   -- the secret's last four characters
    created_by      TEXT NOT NULL,
    predecessor     BLOB REFERENCES key_auth (id),
    successor       BLOB REFERENCES key_auth (id),
    overlap_seconds INTEGER,                         -- how long the predecessor outlives the acknowledgement
    listed          INTEGER NOT NULL DEFAULT 0       -- as in key_auth
) STRICT;

-- A row for each key that was ever used.
CREATE TABLE IF NOT EXISTS key_use (
    seq                INTEGER PRIMARY KEY REFERENCES key_auth (seq),
    last_used_at       INTEGER NOT NULL,
    last_used_from     TEXT,
    last_used_endpoint TEXT,
    -- To sort by, and moved in an index once an hour.
    hour               INTEGER NOT NULL GENERATED ALWAYS AS (last_used_at / 3600000000) STORED
) STRICT;

-- How far the rows were moved, and those that others changed meanwhile. Both go with the switch.
CREATE TABLE IF NOT EXISTS keys_moved (one INTEGER PRIMARY KEY CHECK (one = 1), upto INTEGER NOT NULL);
INSERT INTO keys_moved SELECT 1, 0 WHERE NOT EXISTS (SELECT 1 FROM keys_moved);
CREATE TABLE IF NOT EXISTS keys_changed (seq INTEGER PRIMARY KEY);
CREATE TRIGGER IF NOT EXISTS keys_moving AFTER UPDATE ON keys WHEN old.seq <= (SELECT upto FROM keys_moved) BEGIN
    INSERT INTO keys_changed SELECT old.seq WHERE NOT EXISTS (SELECT 1 FROM keys_changed WHERE seq = old.seq);
END;

-- part: rows
INSERT INTO key_auth (seq, hash, id, account, issuer, scopes, allow, limits, created_at, claim_by, expires_at, acknowledged_at,
    first_used_at, revoked_at, revoked_by, revoke_reason, listed)
    SELECT seq, hash, id, account, issuer, scopes, allow, limits, created_at, claim_by, expires_at, acknowledged_at,
        min(max(last_used_at, -62135596800000000), 253402300799999999), revoked_at, revoked_by, revoke_reason, 1
    FROM keys WHERE seq > (SELECT upto FROM keys_moved) AND seq <= (SELECT upto FROM keys_moved) + 1000000000000 ORDER BY seq;
INSERT INTO keys_anew (seq, id, name, name_key, description, search, preview, tail, created_by, predecessor, successor, overlap_seconds, listed)
    SELECT seq, id, name, name_key, description, search, preview, tail, created_by, predecessor, successor, overlap_seconds, 1
    FROM keys WHERE seq > (SELECT upto FROM keys_moved) AND seq <= (SELECT upto FROM keys_moved) + 1000000000000 ORDER BY seq;
INSERT INTO key_use (seq, last_used_at, last_used_from, last_used_endpoint)
    SELECT seq, last_used_at, last_used_from, last_used_endpoint FROM keys WHERE last_used_at IS NOT NULL
    AND seq > (SELECT upto FROM keys_moved) AND seq <= (SELECT upto FROM keys_moved) + 1000000000000 ORDER BY seq;
UPDATE keys_moved SET upto = coalesce((SELECT max(seq) FROM key_auth), 0);

-- part: indexes
-- Those WHERE listed = 1 are fed in batches, so that a creation need not write a page of each. Without them would wait:
-- whoever looks for what ends next or ended last (status).
CREATE INDEX IF NOT EXISTS auth_by_ends    ON key_auth (ends_at, id) WHERE listed = 1;
-- whoever opens the list: newest first.
CREATE INDEX IF NOT EXISTS auth_by_created ON key_auth (created_at, id) WHERE listed = 1;
-- whoever sorts the list by account.
CREATE INDEX IF NOT EXISTS auth_by_account ON key_auth (account, id) WHERE listed = 1;
-- whoever sorts the list by scopes.
CREATE INDEX IF NOT EXISTS auth_by_scopes  ON key_auth (scopes, id) WHERE listed = 1;
-- whoever looks for keys that nobody uses, and the list by last use.
CREATE INDEX IF NOT EXISTS auth_unused     ON key_auth (id) WHERE listed = 1 AND first_used_at IS NULL;
-- the sweep, and whoever asks what expires when.
CREATE INDEX IF NOT EXISTS auth_by_expiry  ON key_auth (expires_key, id, ends_at);
-- a creation, for the cap a minute; and whoever opens an account.
CREATE INDEX IF NOT EXISTS auth_of_account ON key_auth (account, created_at, id);
-- a creation, for the cap on active keys; and the list of accounts.
CREATE INDEX IF NOT EXISTS auth_active     ON key_auth (account, ends_at, id);
-- the count over the list, of which policies hide the revoked.
CREATE INDEX IF NOT EXISTS auth_revoked    ON key_auth (issuer) WHERE revoked_at IS NOT NULL;
-- whoever has the end of an id.
CREATE INDEX IF NOT EXISTS auth_id_end     ON key_auth (lower(hex(substr(id, 11)))) WHERE listed = 1;
-- whoever sorts the list by name.
CREATE INDEX IF NOT EXISTS keys_name       ON keys_anew (name_key, id) WHERE listed = 1;
-- whoever sorts the list by preview, or types the beginning of one.
CREATE INDEX IF NOT EXISTS keys_preview    ON keys_anew (preview, id) WHERE listed = 1;
-- whoever sorts the list by who made a key.
CREATE INDEX IF NOT EXISTS keys_creator    ON keys_anew (created_by, id) WHERE listed = 1;
-- whoever has four characters of a leaked key.
CREATE INDEX IF NOT EXISTS keys_tail       ON keys_anew (lower(tail)) WHERE listed = 1;
-- whoever sorts the list by last use, or asks who was used since.
CREATE INDEX IF NOT EXISTS use_by_hour     ON key_use (hour);

-- part: switch
DELETE FROM key_use WHERE seq IN (SELECT seq FROM keys_changed);
DELETE FROM keys_anew WHERE seq IN (SELECT seq FROM keys_changed);
DELETE FROM key_auth WHERE seq IN (SELECT seq FROM keys_changed);
INSERT INTO key_auth (seq, hash, id, account, issuer, scopes, allow, limits, created_at, claim_by, expires_at, acknowledged_at,
    first_used_at, revoked_at, revoked_by, revoke_reason, listed)
    SELECT seq, hash, id, account, issuer, scopes, allow, limits, created_at, claim_by, expires_at, acknowledged_at,
        min(max(last_used_at, -62135596800000000), 253402300799999999), revoked_at, revoked_by, revoke_reason, 1
    FROM keys WHERE seq IN (SELECT seq FROM keys_changed);
INSERT INTO keys_anew (seq, id, name, name_key, description, search, preview, tail, created_by, predecessor, successor, overlap_seconds, listed)
    SELECT seq, id, name, name_key, description, search, preview, tail, created_by, predecessor, successor, overlap_seconds, 1
    FROM keys WHERE seq IN (SELECT seq FROM keys_changed);
INSERT INTO key_use (seq, last_used_at, last_used_from, last_used_endpoint)
    SELECT seq, last_used_at, last_used_from, last_used_endpoint FROM keys
    WHERE last_used_at IS NOT NULL AND seq IN (SELECT seq FROM keys_changed);
DROP TABLE keys;
ALTER TABLE keys_anew RENAME TO keys;
DROP TABLE keys_changed;

-- Up to which key the indexes with `listed` are fed; those after it are few, and looked at one by one.
CREATE TABLE key_feed (one INTEGER PRIMARY KEY CHECK (one = 1), upto INTEGER NOT NULL) STRICT;
INSERT INTO key_feed SELECT 1, upto FROM keys_moved;
DROP TABLE keys_moved;

-- The oldest version of the schema whose program can still read this one.
CREATE TABLE readable (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL) STRICT;
INSERT INTO readable (one, since) VALUES (1, 11);

-- Substrings of name and description are fed in the same batches.
CREATE TRIGGER keys_text AFTER UPDATE OF listed ON keys WHEN old.listed = 0 AND new.listed = 1 BEGIN
    INSERT INTO key_text (rowid, search) VALUES (new.seq, new.search);
END;
CREATE TRIGGER keys_text_new AFTER INSERT ON keys WHEN new.listed = 1 BEGIN
    INSERT INTO key_text (rowid, search) VALUES (new.seq, new.search);
END;
-- The index holds no text of its own: it must be told what it is to forget.
CREATE TRIGGER keys_text_anew AFTER UPDATE OF search ON keys WHEN old.listed = 1 AND new.search IS NOT old.search BEGIN
    INSERT INTO key_text (key_text, rowid, search) VALUES ('delete', old.seq, old.search);
    INSERT INTO key_text (rowid, search) VALUES (new.seq, new.search);
END;

CREATE TRIGGER auth_stays_revoked BEFORE UPDATE OF revoked_at ON key_auth
WHEN old.revoked_at IS NOT NULL AND new.revoked_at IS NOT old.revoked_at BEGIN
    SELECT RAISE(ABORT, 'a revoked key stays revoked');
END;
CREATE TRIGGER auth_stays_itself BEFORE UPDATE OF seq, hash, id, account, created_at, claim_by ON key_auth
WHEN new.seq IS NOT old.seq OR new.hash IS NOT old.hash OR new.id IS NOT old.id OR new.account IS NOT old.account
  OR new.created_at IS NOT old.created_at OR new.claim_by IS NOT old.claim_by BEGIN
    SELECT RAISE(ABORT, 'a key''s identity never changes');
END;
CREATE TRIGGER auth_stays BEFORE DELETE ON key_auth BEGIN
    SELECT RAISE(ABORT, 'keys are revoked, never deleted');
END;
CREATE TRIGGER keys_stay_themselves BEFORE UPDATE OF seq, id ON keys
WHEN new.seq IS NOT old.seq OR new.id IS NOT old.id BEGIN
    SELECT RAISE(ABORT, 'a key''s identity never changes');
END;
CREATE TRIGGER keys_stay BEFORE DELETE ON keys BEGIN
    SELECT RAISE(ABORT, 'keys are revoked, never deleted');
END;
-- One key in both tables.
CREATE TRIGGER keys_belong BEFORE INSERT ON keys
WHEN NOT EXISTS (SELECT 1 FROM key_auth k WHERE k.seq = new.seq AND k.id = new.id) BEGIN
    SELECT RAISE(ABORT, 'a key''s identity never changes');
END;
CREATE TRIGGER use_stays BEFORE DELETE ON key_use BEGIN
    SELECT RAISE(ABORT, 'keys are revoked, never deleted');
END;

-- What no record can hold is refused, as 0009 has it.
CREATE TRIGGER auth_sound_new BEFORE INSERT ON key_auth WHEN new.created_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.expires_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.claim_by NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.acknowledged_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.first_used_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.revoked_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR length(new.account) > 200
  OR length(new.issuer) > 200
  OR length(new.limits) > 1000
  OR length(new.revoked_by) > 1000
  OR length(new.revoke_reason) > 10000 BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: keys can''t hold this');
END;
CREATE TRIGGER auth_sound BEFORE UPDATE OF created_at, expires_at, claim_by, acknowledged_at, first_used_at, revoked_at, account, issuer, limits, revoked_by, revoke_reason ON key_auth
WHEN (new.created_at IS NOT old.created_at AND new.created_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.expires_at IS NOT old.expires_at AND new.expires_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.claim_by IS NOT old.claim_by AND new.claim_by NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.acknowledged_at IS NOT old.acknowledged_at AND new.acknowledged_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.first_used_at IS NOT old.first_used_at AND new.first_used_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.revoked_at IS NOT old.revoked_at AND new.revoked_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.account IS NOT old.account AND length(new.account) > 200)
  OR (new.issuer IS NOT old.issuer AND length(new.issuer) > 200)
  OR (new.limits IS NOT old.limits AND length(new.limits) > 1000)
  OR (new.revoked_by IS NOT old.revoked_by AND length(new.revoked_by) > 1000)
  OR (new.revoke_reason IS NOT old.revoke_reason AND length(new.revoke_reason) > 10000) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: keys can''t hold this');
END;
CREATE TRIGGER keys_sound_new BEFORE INSERT ON keys WHEN new.overlap_seconds NOT BETWEEN 0 AND 31536000000
  OR length(new.name) > 1000
  OR length(new.description) > 10000
  OR length(new.preview) > 200
  OR length(new.created_by) > 1000 BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: keys can''t hold this');
END;
CREATE TRIGGER keys_sound BEFORE UPDATE OF overlap_seconds, name, description, preview, created_by ON keys
WHEN (new.overlap_seconds IS NOT old.overlap_seconds AND new.overlap_seconds NOT BETWEEN 0 AND 31536000000)
  OR (new.name IS NOT old.name AND length(new.name) > 1000)
  OR (new.description IS NOT old.description AND length(new.description) > 10000)
  OR (new.preview IS NOT old.preview AND length(new.preview) > 200)
  OR (new.created_by IS NOT old.created_by AND length(new.created_by) > 1000) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: keys can''t hold this');
END;
CREATE TRIGGER use_sound_new BEFORE INSERT ON key_use WHEN new.last_used_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR length(new.last_used_from) > 1000 BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: keys can''t hold this');
END;
CREATE TRIGGER use_sound BEFORE UPDATE OF last_used_at, last_used_from ON key_use
WHEN (new.last_used_at IS NOT old.last_used_at AND new.last_used_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.last_used_from IS NOT old.last_used_from AND length(new.last_used_from) > 1000) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: keys can''t hold this');
END;
