-- Instants are microseconds since 1970-01-01T00:00:00Z. 253402214400000000 is 9999-12-31, the "never" of comparisons.

CREATE TABLE issuers (
    slug          TEXT PRIMARY KEY,
    policy        TEXT NOT NULL,                     -- JSON
    version       INTEGER NOT NULL,
    rotation_days INTEGER,                           -- from the policy, for statements over keys
    hide_revoked  INTEGER NOT NULL DEFAULT 0,        -- from the policy, for statements over keys
    updated_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
    slug       TEXT PRIMARY KEY,
    issuer     TEXT NOT NULL REFERENCES issuers (slug),
    name       TEXT NOT NULL,
    search     TEXT NOT NULL,                        -- slug and name, lower case
    admins     TEXT NOT NULL,                        -- JSON array of mail addresses
    plan       TEXT,
    standing   TEXT NOT NULL CHECK (standing IN ('good', 'suspended')),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE operators (
    name       TEXT PRIMARY KEY,
    role       TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT;

CREATE TABLE keys (
    seq             INTEGER PRIMARY KEY,
    id              BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    account         TEXT NOT NULL REFERENCES accounts (slug),
    issuer          TEXT NOT NULL,
    name            TEXT NOT NULL,
    name_key        TEXT NOT NULL,                   -- the name in lower case, to sort by
    description     TEXT NOT NULL,
    search          TEXT NOT NULL,                   -- name and description, lower case
    preview         TEXT NOT NULL,
    tail            TEXT NOT NULL,                   -- the secret's last four characters
    hash            BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    scopes          TEXT NOT NULL,
    allow           TEXT NOT NULL,                   -- networks, space-separated
    created_at      INTEGER NOT NULL,
    created_by      TEXT NOT NULL,
    expires_at      INTEGER,
    claim_by        INTEGER NOT NULL,
    acknowledged_at INTEGER CHECK (acknowledged_at < claim_by OR last_used_at IS NOT NULL),
    last_used_at    INTEGER,
    last_used_from  TEXT,
    revoked_at      INTEGER,
    revoked_by      TEXT,
    revoke_reason   TEXT,
    predecessor     BLOB REFERENCES keys (id),
    successor       BLOB REFERENCES keys (id),
    overlap_seconds INTEGER,                         -- how long the predecessor outlives the acknowledgement
    -- The instant at which the key ends or ended, by whichever cause comes first.
    ends_at         INTEGER NOT NULL GENERATED ALWAYS AS (min(
        coalesce(revoked_at, 253402214400000000),
        coalesce(expires_at, 253402214400000000),
        CASE WHEN acknowledged_at IS NULL AND last_used_at IS NULL THEN claim_by ELSE 253402214400000000 END
    )) STORED,
    -- Sorting needs plain columns: a row value with an expression in it would not use an index.
    expires_key     INTEGER NOT NULL GENERATED ALWAYS AS (coalesce(expires_at, 253402214400000000)) STORED,
    used_key        INTEGER NOT NULL GENERATED ALWAYS AS (coalesce(last_used_at, 0)) STORED
) STRICT;

-- One index for every order of the table, so that a page costs the same anywhere in it.
CREATE INDEX keys_by_ends       ON keys (ends_at, id);
CREATE INDEX keys_by_name       ON keys (name_key, id);
CREATE INDEX keys_by_account    ON keys (account, id);
CREATE INDEX keys_by_preview    ON keys (preview, id);
CREATE INDEX keys_by_scopes     ON keys (scopes, id);
CREATE INDEX keys_by_created    ON keys (created_at, id);
CREATE INDEX keys_by_expiry     ON keys (expires_key, id, ends_at);
CREATE INDEX keys_by_use        ON keys (used_key, id);
CREATE INDEX keys_by_creator    ON keys (created_by, id);
-- The keys of one account, newest first; and how many of them are active.
CREATE INDEX keys_of_account    ON keys (account, created_at, id);
CREATE INDEX keys_active        ON keys (account, ends_at, id);
CREATE INDEX keys_revoked      ON keys (issuer) WHERE revoked_at IS NOT NULL;
CREATE INDEX keys_by_tail       ON keys (lower(tail));
CREATE INDEX keys_by_id_end     ON keys (lower(hex(substr(id, 11))));

-- Substrings of name and description. Neither ever changes, and no key is ever deleted: inserting is enough.
CREATE VIRTUAL TABLE key_text USING fts5 (search, content = '', tokenize = 'trigram', detail = 'none');
CREATE TRIGGER keys_text AFTER INSERT ON keys BEGIN
    INSERT INTO key_text (rowid, search) VALUES (new.seq, new.search);
END;

CREATE TRIGGER keys_stay_revoked BEFORE UPDATE ON keys
WHEN old.revoked_at IS NOT NULL AND new.revoked_at IS NOT old.revoked_at BEGIN
    SELECT RAISE(ABORT, 'a revoked key stays revoked');
END;
CREATE TRIGGER keys_stay_themselves BEFORE UPDATE ON keys
WHEN new.id IS NOT old.id OR new.hash IS NOT old.hash OR new.account IS NOT old.account
  OR new.created_at IS NOT old.created_at OR new.claim_by IS NOT old.claim_by BEGIN
    SELECT RAISE(ABORT, 'a key''s identity never changes');
END;
CREATE TRIGGER keys_stay BEFORE DELETE ON keys BEGIN
    SELECT RAISE(ABORT, 'keys are revoked, never deleted');
END;

CREATE TABLE audit (
    seq       INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    actor     TEXT NOT NULL,
    host      TEXT NOT NULL,
    client    TEXT,
    operation BLOB NOT NULL,
    action    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    account   TEXT,
    key       BLOB,
    detail    TEXT NOT NULL,                         -- JSON
    hash      BLOB NOT NULL CHECK (length(hash) = 32),
    UNIQUE (operation, action, subject)
) STRICT;
CREATE INDEX audit_of_key     ON audit (key, seq) WHERE key IS NOT NULL;
CREATE INDEX audit_of_account ON audit (account, seq) WHERE account IS NOT NULL;
CREATE INDEX audit_of_actor   ON audit (actor, seq);

CREATE TABLE audit_head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seq  INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, zeroblob(32));

CREATE TRIGGER audit_in_order BEFORE INSERT ON audit
WHEN new.seq IS NOT (SELECT seq + 1 FROM audit_head) BEGIN
    SELECT RAISE(ABORT, 'the audit grows only at its end');
END;
CREATE TRIGGER audit_moves_head AFTER INSERT ON audit BEGIN
    UPDATE audit_head SET seq = new.seq, hash = new.hash;
END;
CREATE TRIGGER audit_not_edited BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
CREATE TRIGGER audit_not_deleted BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
