-- The outbox: one reminder per key, threshold and expiry, and one delivery of it per admin of the account.

CREATE TABLE sweeps (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16),
    door        TEXT NOT NULL CHECK (door IN ('console', 'command', 'watch')),
    begun_by    TEXT NOT NULL,
    host        TEXT NOT NULL,
    began_at    INTEGER NOT NULL,
    alive_until INTEGER NOT NULL,                    -- a sweep that is past it without an end was killed
    ended_at    INTEGER,
    trouble     TEXT,                                -- why it stopped early
    reminders   INTEGER NOT NULL DEFAULT 0,          -- in letters that were sent
    sent        INTEGER NOT NULL DEFAULT 0,          -- letters, as the next three
    failed      INTEGER NOT NULL DEFAULT 0,
    deferred    INTEGER NOT NULL DEFAULT 0,
    ambiguous   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX sweeps_by_time ON sweeps (began_at, id);

-- No reference to keys: a key is never deleted and its id never changes, and the check would make a revocation wait.
CREATE TABLE reminders (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16),
    key         BLOB NOT NULL CHECK (length(key) = 16),
    account     TEXT NOT NULL,
    days_before INTEGER NOT NULL CHECK (days_before > 0),
    expires_at  INTEGER NOT NULL,                    -- the key's, when the reminder was made
    due_at      INTEGER NOT NULL,
    -- What its deliveries come to; 'failed' without any: the account has no admin.
    state       TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'failed', 'ambiguous', 'superseded', 'cancelled')),
    why         TEXT,                                -- of a reminder that was superseded, cancelled, or has no deliveries
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    UNIQUE (key, days_before, expires_at)
) STRICT;
CREATE INDEX reminders_by_change  ON reminders (changed_at, id);
CREATE INDEX reminders_of_account ON reminders (account, changed_at, id);
-- What is still to be done and what went wrong: few among very many that were sent.
CREATE INDEX reminders_open       ON reminders (state, changed_at, id) WHERE state IN ('pending', 'sending', 'failed', 'ambiguous');

CREATE TABLE deliveries (
    reminder      BLOB NOT NULL REFERENCES reminders (id),
    recipient     TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'failed', 'ambiguous', 'superseded', 'cancelled')),
    attempts      INTEGER NOT NULL DEFAULT 0,
    next_at       INTEGER NOT NULL,                  -- not tried before
    expires_at    INTEGER NOT NULL,                  -- the reminder's, to sort by
    letter        TEXT,                              -- Message-ID; while pending: it goes out again as part of this letter
    sweep         BLOB REFERENCES sweeps (id),       -- the last one that claimed it
    claimed_until INTEGER CHECK ((claimed_until IS NOT NULL) = (state = 'sending')),
    answer        TEXT,                              -- the mail server's words
    changed_at    INTEGER NOT NULL,
    PRIMARY KEY (reminder, recipient)
) STRICT, WITHOUT ROWID;
-- What waits, most urgent first; for one recipient; what must go out again as the letter that it was part of.
CREATE INDEX deliveries_waiting      ON deliveries (expires_at, reminder, recipient, next_at) WHERE state = 'pending' AND letter IS NULL;
CREATE INDEX deliveries_of_recipient ON deliveries (recipient, expires_at, reminder, next_at) WHERE state = 'pending' AND letter IS NULL;
CREATE INDEX deliveries_repeated     ON deliveries (next_at, letter) WHERE state = 'pending' AND letter IS NOT NULL;
CREATE INDEX deliveries_claimed      ON deliveries (claimed_until, letter) WHERE state = 'sending';
CREATE INDEX deliveries_by_letter    ON deliveries (letter) WHERE letter IS NOT NULL;
CREATE INDEX deliveries_by_address   ON deliveries (lower(recipient), reminder);

CREATE TRIGGER sweeps_stay BEFORE DELETE ON sweeps BEGIN
    SELECT RAISE(ABORT, 'sweeps are never deleted');
END;
CREATE TRIGGER reminders_stay BEFORE DELETE ON reminders BEGIN
    SELECT RAISE(ABORT, 'reminders are never deleted');
END;
CREATE TRIGGER reminders_stay_themselves BEFORE UPDATE ON reminders
WHEN new.id IS NOT old.id OR new.key IS NOT old.key OR new.days_before IS NOT old.days_before
  OR new.expires_at IS NOT old.expires_at BEGIN
    SELECT RAISE(ABORT, 'a reminder''s identity never changes');
END;
CREATE TRIGGER deliveries_stay BEFORE DELETE ON deliveries BEGIN
    SELECT RAISE(ABORT, 'reminders are never deleted');
END;
CREATE TRIGGER deliveries_stay_sent BEFORE UPDATE ON deliveries
WHEN (old.state = 'sent' AND new.state <> 'sent') OR new.reminder IS NOT old.reminder OR new.recipient IS NOT old.recipient BEGIN
    SELECT RAISE(ABORT, 'a reminder that was sent stays sent');
END;
