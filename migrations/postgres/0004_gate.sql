-- The gate: who enforces the keys, what they are used for, and what that gives reason to look at.
ALTER TABLE keys ADD COLUMN last_used_endpoint text;
ALTER TABLE keys ADD COLUMN limits text;             -- budgets agreed for this key, like '5000/1h 100/1m'; null: the policy's

-- One row for each gate that runs, or ended without saying so.
CREATE TABLE gates (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    host        text NOT NULL,
    listen      text NOT NULL,
    version     text NOT NULL,
    lease_ms    bigint NOT NULL,                     -- out of touch for so long, it refuses everything
    began_at    timestamptz NOT NULL,
    beat_at     timestamptz NOT NULL,
    applied_seq bigint NOT NULL,                     -- the audit's number up to which it has applied every change
    applied_at  timestamptz NOT NULL,
    flushed     bigint NOT NULL DEFAULT 0            -- its batches of usage are counted once, however often they are sent
);

CREATE TABLE usage_minutes (
    key     uuid NOT NULL,
    minute  timestamptz NOT NULL,                    -- the minute's beginning
    allowed bigint NOT NULL,
    refused bigint NOT NULL,
    limited bigint NOT NULL,
    PRIMARY KEY (key, minute)
);
CREATE INDEX usage_by_minute ON usage_minutes (minute);

-- The networks that a key was used from.
CREATE TABLE key_networks (
    key      uuid NOT NULL,
    network  text COLLATE "C" NOT NULL,
    first_at timestamptz NOT NULL,
    PRIMARY KEY (key, network)
);

CREATE TABLE alerts (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text COLLATE "C" NOT NULL,
    subject         text COLLATE "C" NOT NULL,       -- what it is about: a key's id, an address, a prefix
    hour            timestamptz NOT NULL,            -- the hour's beginning: one alert in it is enough
    raised_at       timestamptz NOT NULL,
    gate            text NOT NULL,
    key             uuid,
    account         text COLLATE "C",
    detail          text NOT NULL,                   -- JSON
    told_at         timestamptz,                     -- when the webhook took it
    acknowledged_at timestamptz,
    acknowledged_by text,
    UNIQUE (kind, subject, hour)
);
CREATE INDEX alerts_open ON alerts (id) WHERE acknowledged_at IS NULL;
CREATE INDEX alerts_of_key ON alerts (key, id) WHERE key IS NOT NULL;

CREATE FUNCTION keyrack_alerts_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('keyrack_changes', '');
    RETURN NULL;
END $$;
CREATE TRIGGER alerts_tell AFTER INSERT OR UPDATE ON alerts FOR EACH STATEMENT EXECUTE FUNCTION keyrack_alerts_tell();

-- The windows of a gate that counts by itself, so that a restart forgets none.
CREATE TABLE limit_windows (
    gate    text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    state   bytea NOT NULL,
    ends_at timestamptz NOT NULL,                    -- from then on it is empty
    PRIMARY KEY (gate, subject)
);

DO $$
DECLARE
    grants text[] := ARRAY[
        'GRANT SELECT ON gates, usage_minutes, key_networks, alerts TO keyrack_viewer, keyrack_console, keyrack_sweeper',
        'GRANT UPDATE (limits) ON keys TO keyrack_console',
        'GRANT UPDATE (acknowledged_at, acknowledged_by) ON alerts TO keyrack_console',
        'GRANT SELECT ON audit_head TO keyrack_gate',
        'GRANT SELECT (seq, at, action, subject, account, key) ON audit TO keyrack_gate',
        'GRANT UPDATE (last_used_endpoint) ON keys TO keyrack_gate',
        'GRANT SELECT, INSERT, UPDATE, DELETE ON gates, usage_minutes, key_networks, limit_windows TO keyrack_gate',
        'GRANT SELECT, INSERT, UPDATE (told_at) ON alerts TO keyrack_gate'
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
