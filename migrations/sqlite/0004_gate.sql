-- The gate: who enforces the keys, what they are used for, and what that gives reason to look at.
ALTER TABLE keys ADD COLUMN last_used_endpoint TEXT;
ALTER TABLE keys ADD COLUMN limits TEXT;             -- budgets agreed for this key, like '5000/1h 100/1m'; null: the policy's

-- One row for each gate that runs, or ended without saying so.
CREATE TABLE gates (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16),
    name        TEXT NOT NULL,
    host        TEXT NOT NULL,
    listen      TEXT NOT NULL,
    version     TEXT NOT NULL,
    lease_ms    INTEGER NOT NULL,                    -- out of touch for so long, it refuses everything
    began_at    INTEGER NOT NULL,
    beat_at     INTEGER NOT NULL,
    applied_seq INTEGER NOT NULL,                    -- the audit's number up to which it has applied every change
    applied_at  INTEGER NOT NULL,
    flushed     INTEGER NOT NULL DEFAULT 0           -- its batches of usage are counted once, however often they are sent
) STRICT;

CREATE TABLE usage_minutes (
    key     BLOB NOT NULL,
    minute  INTEGER NOT NULL,                        -- the minute's beginning
    allowed INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    limited INTEGER NOT NULL,
    PRIMARY KEY (key, minute)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_by_minute ON usage_minutes (minute);

-- The networks that a key was used from.
CREATE TABLE key_networks (
    key      BLOB NOT NULL,
    network  TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    PRIMARY KEY (key, network)
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    kind            TEXT NOT NULL,
    subject         TEXT NOT NULL,                   -- what it is about: a key's id, an address, a prefix
    hour            INTEGER NOT NULL,                -- the hour's beginning: one alert in it is enough
    raised_at       INTEGER NOT NULL,
    gate            TEXT NOT NULL,
    key             BLOB,
    account         TEXT,
    detail          TEXT NOT NULL,                   -- JSON
    told_at         INTEGER,                         -- when the webhook took it
    acknowledged_at INTEGER,
    acknowledged_by TEXT,
    UNIQUE (kind, subject, hour)
) STRICT;
CREATE INDEX alerts_open ON alerts (id) WHERE acknowledged_at IS NULL;
CREATE INDEX alerts_of_key ON alerts (key, id) WHERE key IS NOT NULL;

-- The windows of a gate that counts by itself, so that a restart forgets none.
CREATE TABLE limit_windows (
    gate    TEXT NOT NULL,
    subject TEXT NOT NULL,
    state   BLOB NOT NULL,
    ends_at INTEGER NOT NULL,                        -- from then on it is empty
    PRIMARY KEY (gate, subject)
) STRICT, WITHOUT ROWID;
