-- The outbox: one reminder per key, threshold and expiry, and one delivery of it per admin of the account.

CREATE TABLE sweeps (
    id          uuid PRIMARY KEY,
    door        text NOT NULL CHECK (door IN ('console', 'command', 'watch')),
    begun_by    text NOT NULL,
    host        text NOT NULL,
    began_at    timestamptz NOT NULL,
    alive_until timestamptz NOT NULL,                -- a sweep that is past it without an end was killed
    ended_at    timestamptz,
    trouble     text,                                -- why it stopped early
    reminders   bigint NOT NULL DEFAULT 0,           -- in letters that were sent
    sent        bigint NOT NULL DEFAULT 0,           -- letters, as the next three
    failed      bigint NOT NULL DEFAULT 0,
    deferred    bigint NOT NULL DEFAULT 0,
    ambiguous   bigint NOT NULL DEFAULT 0
);
CREATE INDEX sweeps_by_time ON sweeps (began_at, id);

-- No reference to keys: a key is never deleted and its id never changes, and the check would make a revocation wait.
CREATE TABLE reminders (
    id          uuid PRIMARY KEY,
    key         uuid NOT NULL,
    account     text COLLATE "C" NOT NULL,
    days_before bigint NOT NULL CHECK (days_before > 0),
    expires_at  timestamptz NOT NULL,                -- the key's, when the reminder was made
    due_at      timestamptz NOT NULL,
    -- What its deliveries come to; 'failed' without any: the account has no admin.
    state       text NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'failed', 'ambiguous', 'superseded', 'cancelled')),
    why         text,                                -- of a reminder that was superseded, cancelled, or has no deliveries
    created_at  timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL,
    UNIQUE (key, days_before, expires_at)
);
CREATE INDEX reminders_by_change  ON reminders (changed_at, id);
CREATE INDEX reminders_of_account ON reminders (account, changed_at, id);
-- What is still to be done and what went wrong: few among very many that were sent.
CREATE INDEX reminders_open       ON reminders (state, changed_at, id) WHERE state IN ('pending', 'sending', 'failed', 'ambiguous');

CREATE TABLE deliveries (
    reminder      uuid NOT NULL REFERENCES reminders (id),
    recipient     text COLLATE "C" NOT NULL,
    state         text NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'failed', 'ambiguous', 'superseded', 'cancelled')),
    attempts      bigint NOT NULL DEFAULT 0,
    next_at       timestamptz NOT NULL,              -- not tried before
    expires_at    timestamptz NOT NULL,              -- the reminder's, to sort by
    letter        text COLLATE "C",                  -- Message-ID; while pending: it goes out again as part of this letter
    sweep         uuid REFERENCES sweeps (id),       -- the last one that claimed it
    claimed_until timestamptz CHECK ((claimed_until IS NOT NULL) = (state = 'sending')),
    answer        text,                              -- the mail server's words
    changed_at    timestamptz NOT NULL,
    PRIMARY KEY (reminder, recipient)
);
-- What waits, most urgent first; for one recipient; what must go out again as the letter that it was part of.
CREATE INDEX deliveries_waiting      ON deliveries (expires_at, reminder, recipient, next_at) WHERE state = 'pending' AND letter IS NULL;
CREATE INDEX deliveries_of_recipient ON deliveries (recipient, expires_at, reminder, next_at) WHERE state = 'pending' AND letter IS NULL;
CREATE INDEX deliveries_repeated     ON deliveries (next_at, letter) WHERE state = 'pending' AND letter IS NOT NULL;
CREATE INDEX deliveries_claimed      ON deliveries (claimed_until, letter) WHERE state = 'sending';
CREATE INDEX deliveries_by_letter    ON deliveries (letter) WHERE letter IS NOT NULL;
CREATE INDEX deliveries_by_address   ON deliveries (lower(recipient), reminder);

CREATE FUNCTION keyrack_outbox_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% are never deleted', TG_TABLE_NAME;
END $$;
CREATE TRIGGER sweeps_stay BEFORE DELETE OR TRUNCATE ON sweeps FOR EACH STATEMENT EXECUTE FUNCTION keyrack_outbox_stays();
CREATE TRIGGER reminders_stay BEFORE DELETE OR TRUNCATE ON reminders FOR EACH STATEMENT EXECUTE FUNCTION keyrack_outbox_stays();
CREATE TRIGGER deliveries_stay BEFORE DELETE OR TRUNCATE ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION keyrack_outbox_stays();

CREATE FUNCTION keyrack_reminders_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.key <> OLD.key OR NEW.days_before <> OLD.days_before OR NEW.expires_at <> OLD.expires_at THEN
        RAISE EXCEPTION 'a reminder''s identity never changes';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reminders_guard BEFORE UPDATE ON reminders FOR EACH ROW EXECUTE FUNCTION keyrack_reminders_guard();

CREATE FUNCTION keyrack_deliveries_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state = 'sent' AND NEW.state <> 'sent') OR NEW.reminder <> OLD.reminder OR NEW.recipient <> OLD.recipient THEN
        RAISE EXCEPTION 'a reminder that was sent stays sent';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER deliveries_guard BEFORE UPDATE ON deliveries FOR EACH ROW EXECUTE FUNCTION keyrack_deliveries_guard();

DO $$
DECLARE
    grants text[] := ARRAY[
        'GRANT SELECT ON sweeps, reminders, deliveries TO keyrack_viewer, keyrack_console, keyrack_sweeper',
        -- A console cancels what is pending when it revokes a key, and may sweep itself.
        'GRANT INSERT, UPDATE ON sweeps, reminders, deliveries TO keyrack_console, keyrack_sweeper'
    ];
    statement text;
BEGIN
    FOREACH statement IN ARRAY grants LOOP
        BEGIN
            EXECUTE statement;
        EXCEPTION WHEN undefined_object THEN
            RAISE NOTICE 'not granted, because a role is missing: %', statement;
        END;
    END LOOP;
END $$;
