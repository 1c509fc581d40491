-- Changes of many keys that a second person has to approve, and the keys as the one who asked saw them.

CREATE TABLE approvals (
    n               INTEGER PRIMARY KEY AUTOINCREMENT,
    verb            TEXT NOT NULL CHECK (length(verb) <= 200),
    wish            TEXT NOT NULL CHECK (length(wish) <= 100000),  -- JSON: what is to be done
    many            INTEGER NOT NULL CHECK (many > 0),
    reason          TEXT CHECK (length(reason) <= 10000),
    asked_at        INTEGER NOT NULL CHECK (asked_at BETWEEN -62135596800000000 AND 253402300799999999),
    asked_by        TEXT NOT NULL CHECK (length(asked_by) <= 1000),
    ends_at         INTEGER NOT NULL CHECK (ends_at <= asked_at + 3600000000),
    decided_at      INTEGER,
    decided_by      TEXT,
    outcome         TEXT CHECK (outcome IN ('approved', 'declined', 'overridden')),
    override_reason TEXT CHECK (length(override_reason) <= 10000),
    operation       BLOB                                           -- that carried it out
) STRICT;
-- each console asks what waits.
CREATE INDEX approvals_open ON approvals (ends_at) WHERE outcome IS NULL;

CREATE TABLE approval_keys (
    approval INTEGER NOT NULL REFERENCES approvals (n),
    key      BLOB NOT NULL,
    version  TEXT NOT NULL CHECK (length(version) <= 100),
    PRIMARY KEY (approval, key)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER approvals_stay_themselves BEFORE UPDATE ON approvals
WHEN new.n IS NOT old.n OR new.verb IS NOT old.verb OR new.wish IS NOT old.wish OR new.many IS NOT old.many OR new.reason IS NOT old.reason
  OR new.asked_at IS NOT old.asked_at OR new.asked_by IS NOT old.asked_by OR new.ends_at IS NOT old.ends_at
  OR (old.outcome IS NOT NULL AND (new.outcome IS NOT old.outcome OR new.decided_by IS NOT old.decided_by OR new.decided_at IS NOT old.decided_at
      OR new.override_reason IS NOT old.override_reason OR (old.operation IS NOT NULL AND new.operation IS NOT old.operation)))
  OR (new.outcome = 'approved' AND new.decided_by IS old.asked_by) BEGIN
    SELECT RAISE(ABORT, 'what was asked for, and decided, stays');
END;
CREATE TRIGGER approvals_stay BEFORE DELETE ON approvals BEGIN
    SELECT RAISE(ABORT, 'what was asked for, and decided, stays');
END;
CREATE TRIGGER approval_keys_stay BEFORE UPDATE ON approval_keys BEGIN
    SELECT RAISE(ABORT, 'what was asked for, and decided, stays');
END;
CREATE TRIGGER approval_keys_stay_there BEFORE DELETE ON approval_keys BEGIN
    SELECT RAISE(ABORT, 'what was asked for, and decided, stays');
END;

-- Nobody does without a second person unseen.
CREATE TRIGGER approvals_alert AFTER UPDATE ON approvals WHEN new.outcome = 'overridden' AND old.outcome IS NULL BEGIN
    INSERT INTO alerts (kind, subject, hour, raised_at, gate, detail) VALUES ('overridden', new.n,
        new.decided_at / 3600000000 * 3600000000, new.decided_at, '',
        json_object('at', strftime('%Y-%m-%dT%H:%M:%SZ', new.decided_at / 1000000, 'unixepoch'), 'kind', 'overridden', 'approval', new.n,
            'by', new.decided_by, 'verb', new.verb, 'keys', new.many, 'reason', new.override_reason));
END;
