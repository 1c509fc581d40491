-- A letter that became a file is written, not sent. And what a clock that ran ahead once sent may be sent again: only then
-- does a delivery's last change lie before the one that it had. SQLite changes no CHECK, so the tables are made anew.
ALTER TABLE sweeps ADD COLUMN written INTEGER NOT NULL DEFAULT 0;     -- letters

CREATE TABLE reminders_anew (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16),
    key         BLOB NOT NULL CHECK (length(key) = 16),
    account     TEXT NOT NULL,
    days_before INTEGER NOT NULL CHECK (days_before > 0),
    expires_at  INTEGER NOT NULL,                    -- the key's, when the reminder was made
    due_at      INTEGER NOT NULL,
    -- What its deliveries come to; 'failed' without any: the account has no admin.
    state       TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'written', 'failed', 'ambiguous', 'superseded', 'cancelled')),
    why         TEXT,                                -- of a reminder that was superseded, cancelled, or has no deliveries
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    UNIQUE (key, days_before, expires_at)
) STRICT;
CREATE TABLE deliveries_anew (
    reminder      BLOB NOT NULL REFERENCES reminders_anew (id),
    recipient     TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'written', 'failed', 'ambiguous', 'superseded', 'cancelled')),
    attempts      INTEGER NOT NULL DEFAULT 0,
    next_at       INTEGER NOT NULL,                  -- not tried before
    expires_at    INTEGER NOT NULL,                  -- the reminder's, to sort by
    letter        TEXT,                              -- Message-ID; while pending: it goes out again as part of this letter
    sweep         BLOB REFERENCES sweeps (id),       -- the last one that claimed it
    claimed_until INTEGER CHECK ((claimed_until IS NOT NULL) = (state = 'sending')),
    answer        TEXT,                              -- the mail server's words, or the file
    changed_at    INTEGER NOT NULL,
    PRIMARY KEY (reminder, recipient)
) STRICT, WITHOUT ROWID;

INSERT INTO reminders_anew (id, key, account, days_before, expires_at, due_at, state, why, created_at, changed_at)
    SELECT id, key, account, days_before, expires_at, due_at, state, why, created_at, changed_at FROM reminders;
-- A mail server's answer begins with its code.
INSERT INTO deliveries_anew (reminder, recipient, state, attempts, next_at, expires_at, letter, sweep, claimed_until, answer, changed_at)
    SELECT reminder, recipient, CASE WHEN state = 'sent' AND answer LIKE 'written to %' THEN 'written' ELSE state END,
           attempts, next_at, expires_at, letter, sweep, claimed_until, answer, changed_at FROM deliveries;
DROP TABLE deliveries;
DROP TABLE reminders;
ALTER TABLE reminders_anew RENAME TO reminders;
ALTER TABLE deliveries_anew RENAME TO deliveries;
UPDATE reminders SET state = 'written' WHERE state = 'sent'
    AND EXISTS (SELECT 1 FROM deliveries d WHERE d.reminder = reminders.id AND d.state = 'written');
UPDATE sweeps SET written = sent, sent = 0
    WHERE id IN (SELECT d.sweep FROM deliveries d WHERE d.state = 'written');

CREATE INDEX reminders_by_change  ON reminders (changed_at, id);
CREATE INDEX reminders_of_account ON reminders (account, changed_at, id);
-- What is still to be done and what went wrong: few among very many that were sent.
CREATE INDEX reminders_open       ON reminders (state, changed_at, id) WHERE state IN ('pending', 'sending', 'failed', 'ambiguous');
-- What waits, most urgent first; for one recipient; what must go out again as the letter that it was part of.
CREATE INDEX deliveries_waiting      ON deliveries (expires_at, reminder, recipient, next_at) WHERE state = 'pending' AND letter IS NULL;
CREATE INDEX deliveries_of_recipient ON deliveries (recipient, expires_at, reminder, next_at) WHERE state = 'pending' AND letter IS NULL;
CREATE INDEX deliveries_repeated     ON deliveries (next_at, letter) WHERE state = 'pending' AND letter IS NOT NULL;
CREATE INDEX deliveries_claimed      ON deliveries (claimed_until, letter) WHERE state = 'sending';
CREATE INDEX deliveries_written      ON deliveries (expires_at, reminder, recipient) WHERE state = 'written';
CREATE INDEX deliveries_by_letter    ON deliveries (letter) WHERE letter IS NOT NULL;
CREATE INDEX deliveries_by_address   ON deliveries (lower(recipient), reminder);

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
WHEN (old.state = 'sent' AND new.state <> 'sent' AND new.changed_at >= old.changed_at)
  OR new.reminder IS NOT old.reminder OR new.recipient IS NOT old.recipient BEGIN
    SELECT RAISE(ABORT, 'a reminder that was sent stays sent');
END;
