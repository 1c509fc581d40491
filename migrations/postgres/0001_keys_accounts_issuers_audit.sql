-- 9999-12-31T00:00:00Z is the "never" of comparisons. Text that is sorted by has the collation "C": the same order as SQLite.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE issuers (
    slug          text COLLATE "C" PRIMARY KEY,
    policy        jsonb NOT NULL,
    version       bigint NOT NULL,
    rotation_days bigint,                            -- from the policy, for statements over keys
    hide_revoked  boolean NOT NULL DEFAULT false,    -- from the policy, for statements over keys
    updated_at    timestamptz NOT NULL
);

CREATE TABLE accounts (
    slug       text COLLATE "C" PRIMARY KEY,
    issuer     text COLLATE "C" NOT NULL REFERENCES issuers (slug),
    name       text NOT NULL,
    search     text NOT NULL,                        -- slug and name, lower case
    admins     jsonb NOT NULL,                       -- array of mail addresses
    plan       text,
    standing   text NOT NULL CHECK (standing IN ('good', 'suspended')),
    created_at timestamptz NOT NULL
);

CREATE TABLE operators (
    name       text COLLATE "C" PRIMARY KEY,
    role       text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    created_at timestamptz NOT NULL,
    created_by text NOT NULL
);

CREATE TABLE keys (
    id              uuid PRIMARY KEY,
    account         text COLLATE "C" NOT NULL REFERENCES accounts (slug),
    issuer          text COLLATE "C" NOT NULL,
    name            text NOT NULL,
    name_key        text COLLATE "C" NOT NULL,       -- the name in lower case, to sort by
    description     text NOT NULL,
    search          text NOT NULL,                   -- name and description, lower case
    preview         text COLLATE "C" NOT NULL,
    tail            text COLLATE "C" NOT NULL,       -- the secret's last four characters
    hash            bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
    scopes          text COLLATE "C" NOT NULL,
    allow           cidr[] NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      text COLLATE "C" NOT NULL,
    expires_at      timestamptz,
    claim_by        timestamptz NOT NULL,
    acknowledged_at timestamptz CHECK (acknowledged_at < claim_by OR last_used_at IS NOT NULL),
    last_used_at    timestamptz,
    last_used_from  text,
    revoked_at      timestamptz,
    revoked_by      text,
    revoke_reason   text,
    predecessor     uuid REFERENCES keys (id),
    successor       uuid REFERENCES keys (id),
    overlap_seconds bigint,                          -- how long the predecessor outlives the acknowledgement
    -- The instant at which the key ends or ended, by whichever cause comes first.
    ends_at         timestamptz NOT NULL GENERATED ALWAYS AS (least(
        revoked_at,
        expires_at,
        CASE WHEN acknowledged_at IS NULL AND last_used_at IS NULL THEN claim_by END,
        timestamptz '9999-12-31 00:00:00+00'
    )) STORED,
    expires_key     timestamptz NOT NULL GENERATED ALWAYS AS (coalesce(expires_at, timestamptz '9999-12-31 00:00:00+00')) STORED,
    used_key        timestamptz NOT NULL GENERATED ALWAYS AS (coalesce(last_used_at, timestamptz '1970-01-01 00:00:00+00')) STORED
);

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
CREATE INDEX keys_by_id_end     ON keys (right(id::text, 12) COLLATE "C");
CREATE INDEX keys_text          ON keys USING gin (search gin_trgm_ops);

CREATE FUNCTION keyrack_keys_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'keys are revoked, never deleted';
    END IF;
    IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
        RAISE EXCEPTION 'a revoked key stays revoked';
    END IF;
    IF NEW.id <> OLD.id OR NEW.hash <> OLD.hash OR NEW.account <> OLD.account
       OR NEW.created_at <> OLD.created_at OR NEW.claim_by <> OLD.claim_by THEN
        RAISE EXCEPTION 'a key''s identity never changes';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keys_guard BEFORE UPDATE OR DELETE ON keys FOR EACH ROW EXECUTE FUNCTION keyrack_keys_guard();
CREATE TRIGGER keys_stay BEFORE TRUNCATE ON keys FOR EACH STATEMENT EXECUTE FUNCTION keyrack_keys_guard();

CREATE TABLE audit (
    seq       bigint PRIMARY KEY,
    at        timestamptz NOT NULL,
    actor     text NOT NULL,
    host      text NOT NULL,
    client    text,
    operation uuid NOT NULL,
    action    text NOT NULL,
    subject   text NOT NULL,
    account   text,
    key       uuid,
    detail    text NOT NULL,                         -- JSON as text: its hash must not depend on formatting
    hash      bytea NOT NULL CHECK (length(hash) = 32),
    UNIQUE (operation, action, subject)
);
CREATE INDEX audit_of_key     ON audit (key, seq) WHERE key IS NOT NULL;
CREATE INDEX audit_of_account ON audit (account, seq) WHERE account IS NOT NULL;
CREATE INDEX audit_of_actor   ON audit (actor, seq);

CREATE TABLE audit_head (
    one  integer PRIMARY KEY CHECK (one = 1),
    seq  bigint NOT NULL,
    hash bytea NOT NULL
);
INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

CREATE FUNCTION keyrack_audit_grow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash WHERE seq = NEW.seq - 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the audit grows only at its end';
    END IF;
    -- Consoles that listen are told when the change commits.
    PERFORM pg_notify('keyrack_changes', '');
    RETURN NEW;
END $$;
CREATE FUNCTION keyrack_audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append-only';
END $$;
CREATE TRIGGER audit_grow BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION keyrack_audit_grow();
CREATE TRIGGER audit_not_edited BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION keyrack_audit_guard();
CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION keyrack_audit_guard();
