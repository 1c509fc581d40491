-- Programs that are told of what happens: where each is, what it asks for, how far it has got. The secrets that deliveries are signed
-- with are never here.

CREATE TABLE endpoints (
    name          TEXT PRIMARY KEY CHECK (length(name) <= 200),
    url           TEXT NOT NULL CHECK (length(url) <= 10000),    -- it may hold a token
    place         TEXT NOT NULL CHECK (length(place) <= 10000),  -- the same without it
    kinds         TEXT NOT NULL CHECK (length(kinds) <= 10000),  -- of events, with blanks between; empty: all
    secret        TEXT NOT NULL CHECK (length(secret) <= 10000), -- `file PATH` or `credential NAME`, where it is sent from
    created_at    INTEGER NOT NULL CHECK (created_at BETWEEN -62135596800000000 AND 253402300799999999),
    created_by    TEXT NOT NULL CHECK (length(created_by) <= 1000),
    next_seq      INTEGER NOT NULL CHECK (next_seq >= 1),        -- the number of the next event
    last_id       TEXT,                                          -- what the event before it was called
    taken_at      INTEGER,                                       -- when it last took one
    answer        TEXT CHECK (length(answer) <= 10000),
    failing_since INTEGER,
    retry_at      INTEGER,
    tries         INTEGER NOT NULL DEFAULT 0,
    lease_by      TEXT,                                          -- the sender that has it, until then
    lease_until   INTEGER,
    turns         INTEGER NOT NULL DEFAULT 0                     -- counts what senders write
) STRICT;

CREATE TRIGGER endpoints_stay_themselves BEFORE UPDATE ON endpoints
WHEN new.name IS NOT old.name OR new.url IS NOT old.url OR new.place IS NOT old.place OR new.kinds IS NOT old.kinds
  OR new.secret IS NOT old.secret OR new.created_at IS NOT old.created_at OR new.created_by IS NOT old.created_by
  OR new.next_seq < old.next_seq BEGIN
    SELECT RAISE(ABORT, 'what an endpoint is never changes: remove it and add it again');
END;

-- whoever asks for a report, or for the audit of some time.
CREATE INDEX audit_by_time ON audit (at);
