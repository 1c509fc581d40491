-- Keys that are refused for a while, and creation that is stopped for a while. Both end by the clock: no process needs to live.
-- A program that knows of none of it would let pass what is held, so that no older one can read this.

ALTER TABLE key_auth ADD COLUMN paused_at INTEGER;
ALTER TABLE key_auth ADD COLUMN paused_until INTEGER;  -- the key is refused before this instant
ALTER TABLE key_auth ADD COLUMN paused_by TEXT;
ALTER TABLE key_auth ADD COLUMN pause_message TEXT;    -- what the refused are told, where the policy says so
ALTER TABLE key_auth ADD COLUMN pause_reason TEXT;
-- whoever asks what is paused.
CREATE INDEX auth_paused ON key_auth (paused_until, id) WHERE paused_until IS NOT NULL;

-- A freeze refuses all keys that its filter fits, those made later too; a creation stop lets no key be made. Rows stay.
CREATE TABLE holds (
    n         INTEGER PRIMARY KEY,
    kind      TEXT NOT NULL CHECK (kind IN ('freeze', 'creation')),
    filter    TEXT NOT NULL,                         -- of a freeze, in the filter language; else empty
    account   TEXT,                                  -- of a creation stop: of whose keys; null: anybody's
    issuer    TEXT,
    made_at   INTEGER NOT NULL CHECK (made_at BETWEEN -62135596800000000 AND 253402300799999999),
    until     INTEGER NOT NULL CHECK (until BETWEEN -62135596800000000 AND 253402300799999999 AND until > made_at),
    made_by   TEXT NOT NULL CHECK (length(made_by) <= 1000),
    message   TEXT CHECK (length(message) <= 10000),
    reason    TEXT CHECK (length(reason) <= 10000),
    lifted_at INTEGER CHECK (lifted_at BETWEEN -62135596800000000 AND 253402300799999999),  -- when somebody lifted it, or it was found to be over
    lifted_by TEXT
) STRICT;
-- each verdict on a key that is read anew, and each creation.
CREATE INDEX holds_held ON holds (kind, n) WHERE lifted_at IS NULL;

UPDATE readable SET since = 14;

CREATE TRIGGER holds_stay BEFORE DELETE ON holds BEGIN
    SELECT RAISE(ABORT, 'freezes are lifted, never deleted');
END;
CREATE TRIGGER holds_stay_themselves BEFORE UPDATE ON holds
WHEN new.n IS NOT old.n OR new.kind IS NOT old.kind OR new.filter IS NOT old.filter OR new.account IS NOT old.account
  OR new.issuer IS NOT old.issuer OR new.made_at IS NOT old.made_at OR new.until IS NOT old.until OR new.made_by IS NOT old.made_by
  OR new.message IS NOT old.message OR new.reason IS NOT old.reason BEGIN
    SELECT RAISE(ABORT, 'what a freeze says never changes');
END;
CREATE TRIGGER holds_stay_lifted BEFORE UPDATE OF lifted_at, lifted_by ON holds
WHEN old.lifted_at IS NOT NULL AND (new.lifted_at IS NOT old.lifted_at OR new.lifted_by IS NOT old.lifted_by) BEGIN
    SELECT RAISE(ABORT, 'what is lifted stays lifted');
END;
-- What has ended is over: a pause brings nothing back, and says nothing of it.
CREATE TRIGGER auth_paused_alive BEFORE UPDATE OF paused_until ON key_auth
WHEN old.revoked_at IS NOT NULL AND new.paused_until IS NOT NULL AND new.paused_until IS NOT old.paused_until BEGIN
    SELECT RAISE(ABORT, 'what has ended can''t be paused');
END;
CREATE TRIGGER auth_pause_sound BEFORE UPDATE OF paused_at, paused_until, paused_by, pause_message, pause_reason ON key_auth
WHEN (new.paused_at IS NOT old.paused_at AND new.paused_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.paused_until IS NOT old.paused_until AND new.paused_until NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.paused_by IS NOT old.paused_by AND length(new.paused_by) > 1000)
  OR (new.pause_message IS NOT old.pause_message AND length(new.pause_message) > 10000)
  OR (new.pause_reason IS NOT old.pause_reason AND length(new.pause_reason) > 10000) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: keys can''t hold this');
END;
