-- Keys that are refused for a while, and creation that is stopped for a while. Both end by the clock: no process needs to live.
-- A program that knows of none of it would let pass what is held, so that no older one can read this.

ALTER TABLE key_auth
    ADD COLUMN IF NOT EXISTS paused_at     timestamptz,
    ADD COLUMN IF NOT EXISTS paused_until  timestamptz,  -- the key is refused before this instant
    ADD COLUMN IF NOT EXISTS paused_by     text,
    ADD COLUMN IF NOT EXISTS pause_message text,         -- what the refused are told, where the policy says so
    ADD COLUMN IF NOT EXISTS pause_reason  text;
ALTER TABLE key_auth ADD CONSTRAINT key_auth_pause_sound CHECK (odd OR (isfinite(paused_at) AND isfinite(paused_until)
    AND paused_until >= '0001-01-01 00:00:00+00' AND paused_until < '10000-01-01 00:00:00+00'
    AND length(paused_by) <= 1000 AND length(pause_message) <= 10000 AND length(pause_reason) <= 10000)) NOT VALID;
-- whoever asks what is paused.
CREATE INDEX IF NOT EXISTS auth_paused ON key_auth (paused_until, id) WHERE paused_until IS NOT NULL;

-- A freeze refuses all keys that its filter fits, those made later too; a creation stop lets no key be made. Rows stay.
CREATE TABLE holds (
    n         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind      text NOT NULL CHECK (kind IN ('freeze', 'creation')),
    filter    text NOT NULL,                         -- of a freeze, in the filter language; else empty
    account   text COLLATE "C",                      -- of a creation stop: of whose keys; null: anybody's
    issuer    text COLLATE "C",
    made_at   timestamptz NOT NULL,
    until     timestamptz NOT NULL,
    made_by   text NOT NULL,
    message   text,
    reason    text,
    lifted_at timestamptz,                           -- when somebody lifted it, or it was found to be over
    lifted_by text,
    CONSTRAINT holds_sound CHECK (isfinite(made_at) AND isfinite(until) AND isfinite(lifted_at) AND until < '10000-01-01 00:00:00+00'
        AND length(filter) <= 10000 AND length(account) <= 200 AND length(issuer) <= 200 AND length(made_by) <= 1000
        AND length(message) <= 10000 AND length(reason) <= 10000 AND length(lifted_by) <= 1000)
);
-- each verdict on a key that is read anew, and each creation.
CREATE INDEX holds_held ON holds (kind, n) WHERE lifted_at IS NULL;

UPDATE readable SET since = 14;

CREATE FUNCTION keyrack_holds_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refused text;
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'freezes are lifted, never deleted';
    END IF;
    IF TG_OP = 'INSERT' THEN
        refused := CASE
            WHEN NEW.made_by <> session_user OR NOT keyrack_is_now(NEW.made_at) THEN 'it is made by who is logged in, and now'
            WHEN NEW.until <= NEW.made_at OR NEW.lifted_at IS NOT NULL OR NEW.lifted_by IS NOT NULL THEN 'it begins before it ends'
        END;
    ELSIF (NEW.n, NEW.kind, NEW.filter, NEW.account, NEW.issuer, NEW.made_at, NEW.until, NEW.made_by, NEW.message, NEW.reason)
            IS DISTINCT FROM (OLD.n, OLD.kind, OLD.filter, OLD.account, OLD.issuer, OLD.made_at, OLD.until, OLD.made_by, OLD.message, OLD.reason) THEN
        RAISE EXCEPTION 'what a freeze says never changes';
    ELSIF OLD.lifted_at IS NOT NULL AND (NEW.lifted_at, NEW.lifted_by) IS DISTINCT FROM (OLD.lifted_at, OLD.lifted_by) THEN
        RAISE EXCEPTION 'what is lifted stays lifted';
    ELSIF NEW.lifted_at IS DISTINCT FROM OLD.lifted_at THEN
        refused := CASE
            WHEN NEW.lifted_by IS NULL AND (NEW.lifted_at <> OLD.until OR OLD.until > keyrack_now()) THEN 'it is not over'
            WHEN NEW.lifted_by IS NOT NULL AND (NEW.lifted_by <> session_user OR NOT keyrack_is_now(NEW.lifted_at))
                THEN 'it is lifted by who is logged in, and now'
        END;
    END IF;
    IF refused IS NOT NULL AND NOT keyrack_is_superuser() THEN
        RAISE EXCEPTION '%', refused;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION keyrack_holds_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF keyrack_is_superuser() THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        PERFORM keyrack_owe(ARRAY[CASE NEW.kind WHEN 'freeze' THEN 'freeze.add' ELSE 'creation.stop' END], NULL, ARRAY[NEW.n::text]);
    ELSIF NEW.lifted_by IS NOT NULL AND OLD.lifted_by IS NULL THEN
        PERFORM keyrack_owe(ARRAY[CASE NEW.kind WHEN 'freeze' THEN 'freeze.lift' ELSE 'creation.allow' END], NULL, ARRAY[NEW.n::text]);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER holds_demand BEFORE INSERT OR UPDATE OR DELETE ON holds FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('admin');
CREATE TRIGGER holds_guard BEFORE INSERT OR UPDATE OR DELETE ON holds FOR EACH ROW EXECUTE FUNCTION keyrack_holds_guard();
CREATE TRIGGER holds_stay BEFORE TRUNCATE ON holds FOR EACH STATEMENT EXECUTE FUNCTION keyrack_holds_guard();
CREATE TRIGGER holds_changed AFTER INSERT OR UPDATE ON holds FOR EACH ROW EXECUTE FUNCTION keyrack_holds_changed();

-- As 0011 has them, and with pauses and holds.
CREATE OR REPLACE FUNCTION keyrack_auth_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refused text;
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
    refused := CASE
        WHEN NEW.issuer <> OLD.issuer THEN 'what a key is never changes'
        WHEN NEW.revoked_at IS NULL OR OLD.revoked_at IS NOT NULL
            THEN CASE WHEN (NEW.revoked_by, NEW.revoke_reason) IS DISTINCT FROM (OLD.revoked_by, OLD.revoke_reason)
                THEN 'what is said of a revocation is said with it' END
        WHEN NEW.revoked_by IS DISTINCT FROM session_user::text OR NOT keyrack_is_now(NEW.revoked_at)
            THEN 'a key is revoked by who is logged in, and now'
    END;
    IF refused IS NULL AND NEW.expires_at IS DISTINCT FROM OLD.expires_at AND (NEW.expires_at IS NULL OR NEW.expires_at > OLD.expires_at
            OR NOT isfinite(NEW.expires_at)) THEN
        refused := 'a key''s end only comes nearer';
    END IF;
    IF refused IS NULL AND NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at AND (OLD.acknowledged_at IS NOT NULL
            OR NOT keyrack_is_now(NEW.acknowledged_at) OR OLD.revoked_at IS NOT NULL
            OR (OLD.first_used_at IS NULL AND OLD.claim_by <= keyrack_now())) THEN
        refused := 'a key is confirmed once, and in time';
    END IF;
    IF refused IS NULL AND NEW.first_used_at IS DISTINCT FROM OLD.first_used_at THEN
        refused := CASE
            WHEN OLD.acknowledged_at IS NULL AND OLD.claim_by <= keyrack_now()
                THEN 'a key that nobody confirmed in time has ended'
            WHEN OLD.first_used_at IS NOT NULL OR NOT isfinite(NEW.first_used_at)
                OR NEW.first_used_at < OLD.created_at - interval '1 hour' OR NEW.first_used_at > keyrack_now() + interval '1 hour'
                THEN 'a key''s first use lies between its creation and now'
        END;
        -- A gate's clock may be a little off.
        IF refused IS NULL THEN
            NEW.first_used_at := least(greatest(NEW.first_used_at, OLD.created_at), keyrack_now());
        END IF;
    END IF;
    IF refused IS NULL AND (NEW.paused_at, NEW.paused_until, NEW.paused_by, NEW.pause_message, NEW.pause_reason)
            IS DISTINCT FROM (OLD.paused_at, OLD.paused_until, OLD.paused_by, OLD.pause_message, OLD.pause_reason) THEN
        refused := CASE
            WHEN NEW.paused_until IS NULL THEN CASE WHEN num_nonnulls(NEW.paused_at, NEW.paused_by, NEW.pause_message, NEW.pause_reason) > 0
                THEN 'what is said of a pause goes with it' END
            WHEN OLD.ends_at <= keyrack_now() THEN 'what has ended can''t be paused'
            WHEN NEW.paused_by IS DISTINCT FROM session_user::text OR NOT keyrack_is_now(NEW.paused_at)
                THEN 'a key is paused by who is logged in, and now'
            WHEN NOT isfinite(NEW.paused_until) OR NEW.paused_until <= NEW.paused_at
                OR NEW.paused_until > NEW.paused_at + interval '3651 days' THEN 'a pause ends, and later than it begins'
        END;
    END IF;
    IF refused IS NOT NULL AND NOT keyrack_is_superuser() THEN
        RAISE EXCEPTION '%', refused;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION keyrack_keys_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    bad record;
    present timestamptz := keyrack_now();
BEGIN
    IF keyrack_is_superuser() OR NOT EXISTS (SELECT FROM added) THEN
        RETURN NULL;
    END IF;
    IF (SELECT coalesce(demo_by = session_user AND demo_until > present, false) FROM audit_head) THEN
        PERFORM keyrack_owe(ARRAY['demo.load', 'key.create', 'key.rotate'], array_agg(id), NULL) FROM added;
        RETURN NULL;
    END IF;
    PERFORM keyrack_owe(ARRAY['key.create'], array_agg(id) FILTER (WHERE predecessor IS NULL), NULL),
            keyrack_owe(ARRAY['key.rotate'], array_agg(id) FILTER (WHERE predecessor IS NOT NULL), NULL) FROM added;
    -- What is counted here still holds at the end.
    PERFORM 1 FROM accounts WHERE slug IN (SELECT k.account FROM added n JOIN key_auth k ON k.id = n.id) ORDER BY slug FOR UPDATE;
    SELECT n.id, CASE
            WHEN k.id IS NULL THEN 'its secret comes first'
            WHEN k.odd OR n.odd THEN 'it is odd'
            WHEN a.standing <> 'good' THEN 'the account is suspended'
            WHEN EXISTS (SELECT FROM holds h WHERE h.kind = 'creation' AND h.lifted_at IS NULL AND h.until > present
                AND coalesce(h.account = k.account, true) AND coalesce(h.issuer = k.issuer, true)) THEN 'creation is stopped'
            WHEN k.issuer <> a.issuer THEN 'the account has another issuer'
            WHEN n.created_by <> session_user OR NOT keyrack_is_now(k.created_at) OR k.claim_by <> k.created_at + interval '10 minutes'
                THEN 'it is made by who is logged in, and now'
            WHEN k.acknowledged_at IS NOT NULL OR k.first_used_at IS NOT NULL OR k.revoked_at IS NOT NULL OR n.successor IS NOT NULL
                THEN 'a new key was neither confirmed nor used'
            WHEN k.expires_at <= k.created_at OR NOT isfinite(k.expires_at) THEN 'it would have ended'
            -- A date is the end of a day somewhere.
            WHEN (i.policy -> 'expiry' ->> 'max-days')::bigint * 86400 + 172800
                < coalesce(extract(epoch FROM k.expires_at - k.created_at), 1e15)
                THEN 'it would live longer than its policy allows'
            WHEN n.predecessor IS NOT NULL AND p.account IS DISTINCT FROM k.account THEN 'it replaces a key of another account'
            WHEN EXISTS (SELECT FROM key_auth s WHERE s.id = o.successor AND s.ends_at > k.created_at) THEN 'what it replaces has a successor'
            WHEN NOT starts_with(n.preview, i.policy -> 'format' ->> 'prefix') THEN 'it has another prefix'
            WHEN (i.policy -> 'caps' ->> 'creations-per-minute')::bigint
                < (SELECT count(*) FROM key_auth c WHERE c.account = k.account AND c.created_at > k.created_at - interval '1 minute')
                THEN 'the account makes keys too fast'
            -- One that takes the place of a key at once adds none, unless that one stands beside another already.
            WHEN NOT (p.id IS NOT NULL AND n.overlap_seconds = 0
                    AND NOT EXISTS (SELECT FROM key_auth b WHERE b.id = o.predecessor AND b.ends_at > present))
                AND (i.policy -> 'caps' ->> 'active-keys')::bigint
                    < (SELECT count(*) FROM key_auth c WHERE c.account = k.account AND c.ends_at > k.created_at)
                THEN 'the account has as many keys as it may'
        END AS why
        INTO bad FROM added n LEFT JOIN key_auth k ON k.id = n.id LEFT JOIN accounts a ON a.slug = k.account LEFT JOIN issuers i ON i.slug = a.issuer
        LEFT JOIN keys o ON o.id = n.predecessor LEFT JOIN key_auth p ON p.id = n.predecessor ORDER BY why LIMIT 1;
    IF bad.why IS NOT NULL THEN
        RAISE EXCEPTION 'key % can''t be made: %', bad.id, bad.why;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION keyrack_keys_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    demo text;
BEGIN
    IF keyrack_is_superuser() THEN
        RETURN NULL;
    END IF;
    IF (SELECT coalesce(demo_by = session_user AND demo_until > keyrack_now(), false) FROM audit_head) THEN
        demo := 'demo.load';
    END IF;
    IF TG_TABLE_NAME = 'keys' THEN
        PERFORM keyrack_owe(ARRAY['key.rotate', demo], c.successors, NULL), keyrack_owe(ARRAY['key.edit', demo], c.edited, NULL)
            FROM (SELECT array_agg(n.successor) FILTER (WHERE n.successor IS DISTINCT FROM o.successor) AS successors,
                    -- Migrations spell names anew.
                    array_agg(n.id) FILTER (WHERE (n.name <> o.name AND normalize(n.name, NFC) <> normalize(o.name, NFC))
                        OR (n.description <> o.description AND normalize(n.description, NFC) <> normalize(o.description, NFC))) AS edited
                FROM after n JOIN before o ON o.id = n.id) AS c;
        RETURN NULL;
    END IF;
    PERFORM keyrack_owe(ARRAY['key.revoke', demo], c.revoked, NULL), keyrack_owe(ARRAY['key.acknowledge', demo], c.acknowledged, NULL),
            keyrack_owe(ARRAY['key.retire', 'key.edit', demo], c.retired, NULL), keyrack_owe(ARRAY['key.limit', demo], c.limited, NULL),
            keyrack_owe(ARRAY['key.edit', demo], c.edited, NULL), keyrack_owe(ARRAY['key.pause', demo], c.paused, NULL),
            keyrack_owe(ARRAY['key.resume', demo], c.resumed, NULL)
        FROM (SELECT array_agg(n.id) FILTER (WHERE n.revoked_at IS DISTINCT FROM o.revoked_at) AS revoked,
                array_agg(n.id) FILTER (WHERE n.acknowledged_at IS DISTINCT FROM o.acknowledged_at) AS acknowledged,
                array_agg(n.id) FILTER (WHERE n.expires_at IS DISTINCT FROM o.expires_at) AS retired,
                array_agg(n.id) FILTER (WHERE n.limits IS DISTINCT FROM o.limits) AS limited,
                array_agg(n.id) FILTER (WHERE n.scopes <> o.scopes OR n.allow <> o.allow) AS edited,
                array_agg(n.id) FILTER (WHERE n.paused_until IS NOT NULL AND (n.paused_at, n.paused_until, n.paused_by, n.pause_message, n.pause_reason)
                    IS DISTINCT FROM (o.paused_at, o.paused_until, o.paused_by, o.pause_message, o.pause_reason)) AS paused,
                array_agg(n.id) FILTER (WHERE n.paused_until IS NULL AND o.paused_until IS NOT NULL) AS resumed
            FROM after n JOIN before o ON o.id = n.id) AS c;
    RETURN NULL;
END $$;

DROP TRIGGER auth_demand ON key_auth;
CREATE TRIGGER auth_demand BEFORE INSERT OR UPDATE OF id, account, issuer, hash, scopes, allow, created_at, expires_at, claim_by,
    acknowledged_at, revoked_at, revoked_by, revoke_reason, limits, paused_at, paused_until, paused_by, pause_message, pause_reason
    ON key_auth FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('operator');

CREATE OR REPLACE FUNCTION keyrack_audit_end() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    lie record;
    demo boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM added) THEN
        RETURN NULL;
    END IF;
    UPDATE audit_head h SET seq = a.seq, hash = a.hash FROM (SELECT seq, hash FROM added ORDER BY seq DESC LIMIT 1) AS a;
    -- Consoles that listen are told when the change commits.
    PERFORM pg_notify('keyrack_changes', '');
    IF keyrack_is_superuser() THEN
        RETURN NULL;
    END IF;
    PERFORM keyrack_refuse(CASE WHEN EXISTS (SELECT FROM added WHERE action LIKE 'issuer.%' OR action LIKE 'operator.%' OR action LIKE 'demo.%' OR action LIKE 'clock.%'
            OR action LIKE 'freeze.%' OR action LIKE 'creation.%'
            OR (action = 'audit.accept' AND (detail::jsonb ->> 'leaves') IS DISTINCT FROM 'false')) THEN 'admin' ELSE 'operator' END,
        'write this into the audit');
    IF EXISTS (SELECT FROM added WHERE action = 'demo.load' AND subject = 'accounts') AND NOT EXISTS (SELECT FROM keys) THEN
        UPDATE audit_head SET demo_by = session_user, demo_until = keyrack_now() + interval '1 hour';
    END IF;
    SELECT coalesce(demo_by = session_user AND demo_until > keyrack_now(), false) INTO demo FROM audit_head;
    IF demo THEN
        RETURN NULL;
    END IF;
    -- Who may only send letters tells of letters, and what is told of keys is so.
    SELECT a.action, a.subject INTO lie FROM added a LEFT JOIN key_auth k ON k.id = a.key LEFT JOIN keys m ON m.id = a.key WHERE
        a.action = 'demo.load'
        OR (a.action NOT LIKE 'sweep.%' AND a.action NOT LIKE 'reminder.%' AND NOT has_table_privilege(session_user, 'keys', 'INSERT'))
        OR (a.action = 'key.revoke' AND k.revoked_by IS DISTINCT FROM session_user::text)
        OR (a.action IN ('key.create', 'key.rotate') AND m.created_by IS DISTINCT FROM session_user::text)
        OR (a.action = 'key.pause' AND k.paused_by IS DISTINCT FROM session_user::text)
        OR (a.action = 'key.resume' AND k.paused_until IS NOT NULL)
        OR (a.action = 'key.acknowledge' AND k.acknowledged_at IS NULL)
        OR (a.action = 'key.retire' AND k.expires_at IS NULL)
        OR ((a.action LIKE 'freeze.%' OR a.action LIKE 'creation.%') AND NOT EXISTS (SELECT FROM holds h WHERE h.n::text = a.subject
            AND (h.kind = 'freeze') = (a.action LIKE 'freeze.%')
            AND CASE WHEN a.action IN ('freeze.add', 'creation.stop') THEN h.made_by = session_user ELSE h.lifted_by = session_user END))
        OR (a.action LIKE 'key.%' AND (k.account IS DISTINCT FROM a.account OR a.subject <> a.key::text)) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the audit would tell of % for %, which was not done', lie.action, lie.subject;
    END IF;
    RETURN NULL;
END $$;

-- As in 0010.
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['keyrack_auth_guard()', 'keyrack_keys_added()', 'keyrack_keys_changed()', 'keyrack_audit_end()',
            'keyrack_holds_guard()', 'keyrack_holds_changed()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', one, current_schema());
        EXECUTE format('ALTER FUNCTION %s SET jit = off', one);
    END LOOP;
END $$;

DO $$
DECLARE
    grants text[] := ARRAY[
        'GRANT SELECT ON holds TO keyrack_viewer, keyrack_console, keyrack_operator, keyrack_admin, keyrack_sweeper, keyrack_gate',
        'GRANT INSERT, UPDATE (lifted_at, lifted_by) ON holds TO keyrack_admin, keyrack_console',
        'GRANT UPDATE (paused_at, paused_until, paused_by, pause_message, pause_reason) ON key_auth TO keyrack_operator, keyrack_admin, keyrack_console'
    ];
    statement text;
BEGIN
    FOREACH statement IN ARRAY grants LOOP
        BEGIN
            EXECUTE format(statement, current_schema());
        EXCEPTION WHEN undefined_object THEN
            RAISE NOTICE 'not granted, because a role is missing: %', statement;
        END;
    END LOOP;
END $$;
