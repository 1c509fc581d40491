-- The database refuses what the service would: the role that a login has in Keyrack is asked for every change, the audit's
-- actor, time, number and hash are the server's, and no change is committed without its row of the audit. Superusers pass,
-- as they could take all of this away; so could the tables' owner, who does not pass.

-- What the running transaction wrote of the audit, for `keyrack_settle`; and who fills an empty database with a demo, until
-- when: only a demo tells of a past.
ALTER TABLE audit_head ADD COLUMN IF NOT EXISTS first bigint;
ALTER TABLE audit_head ADD COLUMN IF NOT EXISTS xact xid8;
ALTER TABLE audit_head ADD COLUMN IF NOT EXISTS began timestamptz;
ALTER TABLE audit_head ADD COLUMN IF NOT EXISTS demo_by text;
ALTER TABLE audit_head ADD COLUMN IF NOT EXISTS demo_until timestamptz;
-- The login whose gate it is. Gates that ran before this take theirs with their next sign of life.
ALTER TABLE gates ADD COLUMN IF NOT EXISTS login text;

-- Rows of the audit that the running transaction owes: it is empty but for what is not committed.
CREATE TABLE IF NOT EXISTS owed (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actions  text[] NOT NULL,                        -- one of these, for each
    keys     uuid[],
    subjects text[]
);
-- Who claims letters takes turns by this row, which no login can touch.
CREATE TABLE IF NOT EXISTS turns (one integer PRIMARY KEY CHECK (one = 1));
INSERT INTO turns (one) VALUES (1) ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION keyrack_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT pg_catalog.clock_timestamp() $$;

-- Whether an instant lies in the running transaction, which waits for no longer than a minute; where the server's clock was
-- set back, time stands still at the newest change.
CREATE OR REPLACE FUNCTION keyrack_is_now(at timestamptz) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    present timestamptz := keyrack_now();
BEGIN
    RETURN coalesce(at <= present + interval '1 second' AND at >= present - interval '1 second'
        - least(pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp(), interval '1 minute'), false)
        OR coalesce(at > present AND at <= (SELECT a.at FROM audit a JOIN audit_head h ON h.seq = a.seq), false);
END $$;

CREATE OR REPLACE FUNCTION keyrack_is_superuser() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT rolsuper FROM pg_roles WHERE rolname = session_user
$$;

-- The role of the login, which it keeps until the end of the transaction.
CREATE OR REPLACE FUNCTION keyrack_hold_role() RETURNS text LANGUAGE sql VOLATILE SECURITY DEFINER AS $$
    SELECT role FROM operators WHERE name = session_user FOR SHARE
$$;

CREATE OR REPLACE FUNCTION keyrack_rank(role text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE role WHEN 'admin' THEN 3 WHEN 'operator' THEN 2 WHEN 'viewer' THEN 1 ELSE 0 END
$$;

CREATE OR REPLACE FUNCTION keyrack_refuse(needs text, what text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    has text := keyrack_hold_role();
BEGIN
    IF keyrack_rank(has) < keyrack_rank(needs) THEN
        RAISE EXCEPTION '% has the role % in Keyrack, and to % takes %', session_user, coalesce(has, '(none)'), what, needs
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

-- Arguments: the role that is needed; DELETE where there is none.
CREATE OR REPLACE FUNCTION keyrack_demand() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF keyrack_is_superuser() THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'TRUNCATE' OR (TG_OP = 'DELETE' AND TG_TABLE_NAME IN ('issuers', 'accounts')) THEN
        RAISE EXCEPTION '% are never deleted', TG_TABLE_NAME;
    END IF;
    -- The first person admits itself.
    IF TG_TABLE_NAME = 'operators' AND TG_OP <> 'DELETE' AND NOT EXISTS (SELECT FROM operators) THEN
        RETURN NULL;
    END IF;
    PERFORM keyrack_refuse(TG_ARGV[0], 'change ' || TG_TABLE_NAME);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION keyrack_owe(actions text[], keys uuid[], subjects text[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO owed (actions, keys, subjects) SELECT actions, keys, subjects WHERE coalesce(keys::text[], subjects) <> '{}'
$$;

CREATE OR REPLACE FUNCTION keyrack_settle() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET enable_seqscan = off AS $$
DECLARE
    since bigint;
    lacks text;
BEGIN
    DELETE FROM owed WHERE id = NEW.id;
    SELECT coalesce(max(first), 9223372036854775807) INTO since FROM audit_head
        WHERE one = 1 AND xact = pg_current_xact_id() AND began = transaction_timestamp();
    IF 'demo.load' = ANY (NEW.actions) AND EXISTS (SELECT FROM audit WHERE seq >= since AND action = 'demo.load') THEN
        RETURN NULL;
    END IF;
    IF NEW.keys IS NOT NULL THEN
        -- Found by the key, never by walking over all that this transaction wrote.
        SELECT o.id::text INTO lacks FROM unnest(NEW.keys) AS o (id)
            WHERE (SELECT count(*) FROM audit a WHERE a.key = o.id AND a.seq + 0 >= since AND a.action = ANY (NEW.actions)) = 0 LIMIT 1;
    ELSE
        SELECT o.name INTO lacks FROM unnest(NEW.subjects) AS o (name)
            WHERE (SELECT count(*) FROM audit a WHERE a.seq >= since AND a.subject = o.name AND a.action = ANY (NEW.actions)) = 0 LIMIT 1;
    END IF;
    IF lacks IS NULL AND NEW.actions[1] = 'key.rotate' THEN
        SELECT k.id::text INTO lacks FROM keys k JOIN keys p ON p.id = k.predecessor
            WHERE k.id = ANY (NEW.keys) AND p.successor IS DISTINCT FROM k.id LIMIT 1;
    END IF;
    IF lacks IS NOT NULL THEN
        RAISE EXCEPTION 'the change of % has no row in the audit (%)', lacks, array_to_string(NEW.actions, ' or ');
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS owed_settled ON owed;
CREATE CONSTRAINT TRIGGER owed_settled AFTER INSERT ON owed DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION keyrack_settle();

-- The audit. Its head is locked by its own trigger alone, from a transaction's first row on.
CREATE OR REPLACE FUNCTION keyrack_audit_begin() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM 1 FROM audit_head FOR UPDATE;
    IF EXISTS (SELECT FROM audit a WHERE a.seq > (SELECT seq FROM audit_head)) THEN
        RAISE EXCEPTION 'the audit has a row behind its end: see keyrack audit verify';
    END IF;
    UPDATE audit_head SET first = seq + 1, xact = pg_current_xact_id(), began = transaction_timestamp()
        WHERE xact IS DISTINCT FROM pg_current_xact_id() OR began IS DISTINCT FROM transaction_timestamp();
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION keyrack_audit_field(field bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN field IS NULL THEN '\xffffffffffffffff'::bytea ELSE int8send(length(field)) || field END
$$;

CREATE OR REPLACE FUNCTION keyrack_audit_grow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    head audit_head%ROWTYPE;
    last record;
BEGIN
    SELECT * INTO head FROM audit_head;
    -- Rows that this statement wrote before this one: the head is moved once, at its end.
    SELECT a.seq, a.hash INTO last FROM audit a WHERE a.seq > head.seq ORDER BY a.seq DESC LIMIT 1;
    IF FOUND THEN
        head.seq := last.seq;
        head.hash := last.hash;
    END IF;
    IF NEW.seq IS NULL THEN
        NEW.seq := head.seq + 1;
    ELSIF NEW.seq <> head.seq + 1 THEN
        RAISE EXCEPTION 'the audit grows only at its end';
    END IF;
    IF NEW.actor <> session_user OR NOT keyrack_is_now(NEW.at) THEN
        IF NOT (head.demo_by IS NOT DISTINCT FROM session_user::text AND head.demo_until > keyrack_now()
                AND NEW.at <= keyrack_now() AND NEW.action LIKE 'key.%') AND NOT keyrack_is_superuser() THEN
            RAISE EXCEPTION 'a row of the audit is written by who did it, when it is done' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    IF NEW.hash IS NULL OR NOT keyrack_is_superuser() THEN
        NEW.hash := sha256(head.hash || int8send(NEW.seq) || int8send((extract(epoch FROM NEW.at) * 1000000)::bigint)
            || keyrack_audit_field(convert_to(NEW.actor, 'UTF8')) || keyrack_audit_field(convert_to(NEW.host, 'UTF8'))
            || keyrack_audit_field(convert_to(NEW.client, 'UTF8')) || keyrack_audit_field(uuid_send(NEW.operation))
            || keyrack_audit_field(convert_to(NEW.action, 'UTF8')) || keyrack_audit_field(convert_to(NEW.subject, 'UTF8'))
            || keyrack_audit_field(convert_to(NEW.account, 'UTF8')) || keyrack_audit_field(uuid_send(NEW.key))
            || keyrack_audit_field(convert_to(NEW.detail, 'UTF8')));
    END IF;
    RETURN NEW;
END $$;

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
    SELECT a.action, a.subject INTO lie FROM added a LEFT JOIN keys k ON k.id = a.key WHERE
        a.action = 'demo.load'
        OR (a.action NOT LIKE 'sweep.%' AND a.action NOT LIKE 'reminder.%' AND NOT has_table_privilege(session_user, 'keys', 'INSERT'))
        OR (a.action = 'key.revoke' AND k.revoked_by IS DISTINCT FROM session_user::text)
        OR (a.action IN ('key.create', 'key.rotate') AND k.created_by IS DISTINCT FROM session_user::text)
        OR (a.action = 'key.acknowledge' AND k.acknowledged_at IS NULL)
        OR (a.action = 'key.retire' AND k.expires_at IS NULL)
        OR (a.action LIKE 'key.%' AND (k.account IS DISTINCT FROM a.account OR a.subject <> a.key::text)) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the audit would tell of % for %, which was not done', lie.action, lie.subject;
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS audit_begins ON audit;
CREATE TRIGGER audit_begins BEFORE INSERT ON audit FOR EACH STATEMENT EXECUTE FUNCTION keyrack_audit_begin();
DROP TRIGGER IF EXISTS audit_ends ON audit;
CREATE TRIGGER audit_ends AFTER INSERT ON audit REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keyrack_audit_end();

-- Keys.
CREATE OR REPLACE FUNCTION keyrack_keys_guard() RETURNS trigger LANGUAGE plpgsql AS $$
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
        WHEN (NEW.name <> OLD.name AND normalize(NEW.name, NFC) <> normalize(OLD.name, NFC))
            OR (NEW.description <> OLD.description AND normalize(NEW.description, NFC) <> normalize(OLD.description, NFC))
            OR NEW.issuer <> OLD.issuer OR NEW.created_by <> OLD.created_by OR NEW.scopes <> OLD.scopes OR NEW.allow <> OLD.allow
            OR NEW.preview <> OLD.preview OR NEW.tail <> OLD.tail
            OR (NEW.predecessor, NEW.overlap_seconds) IS DISTINCT FROM (OLD.predecessor, OLD.overlap_seconds)
            THEN 'what a key is and may do never changes'
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
            OR (OLD.last_used_at IS NULL AND OLD.claim_by <= keyrack_now())) THEN
        refused := 'a key is confirmed once, and in time';
    END IF;
    IF refused IS NULL AND NEW.last_used_at IS DISTINCT FROM OLD.last_used_at THEN
        refused := CASE
            WHEN OLD.last_used_at IS NULL AND OLD.acknowledged_at IS NULL AND OLD.claim_by <= keyrack_now()
                THEN 'a key that nobody confirmed in time has ended'
            WHEN NEW.last_used_at IS NULL OR NOT isfinite(NEW.last_used_at) OR NEW.last_used_at < OLD.last_used_at
                OR NEW.last_used_at < OLD.created_at - interval '1 hour' OR NEW.last_used_at > keyrack_now() + interval '1 hour'
                THEN 'a key''s last use lies between the one before and now'
        END;
        -- A gate's clock may be a little off.
        IF refused IS NULL THEN
            NEW.last_used_at := least(greatest(NEW.last_used_at, OLD.created_at), greatest(keyrack_now(), OLD.last_used_at));
        END IF;
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
    PERFORM 1 FROM accounts WHERE slug IN (SELECT account FROM added) ORDER BY slug FOR UPDATE;
    SELECT k.id, CASE
            WHEN k.odd THEN 'it is odd'
            WHEN a.standing <> 'good' THEN 'the account is suspended'
            WHEN k.issuer <> a.issuer THEN 'the account has another issuer'
            WHEN k.created_by <> session_user OR NOT keyrack_is_now(k.created_at) OR k.claim_by <> k.created_at + interval '10 minutes'
                THEN 'it is made by who is logged in, and now'
            WHEN k.acknowledged_at IS NOT NULL OR k.last_used_at IS NOT NULL OR k.revoked_at IS NOT NULL OR k.successor IS NOT NULL
                THEN 'a new key was neither confirmed nor used'
            WHEN k.expires_at <= k.created_at OR NOT isfinite(k.expires_at) THEN 'it would have ended'
            -- A date is the end of a day somewhere.
            WHEN (i.policy -> 'expiry' ->> 'max-days')::bigint * 86400 + 172800
                < coalesce(extract(epoch FROM k.expires_at - k.created_at), 1e15)
                THEN 'it would live longer than its policy allows'
            WHEN k.predecessor IS NOT NULL AND p.account IS DISTINCT FROM k.account THEN 'it replaces a key of another account'
            WHEN EXISTS (SELECT FROM keys s WHERE s.id = p.successor AND s.ends_at > k.created_at) THEN 'what it replaces has a successor'
            WHEN NOT starts_with(k.preview, i.policy -> 'format' ->> 'prefix') THEN 'it has another prefix'
            WHEN (i.policy -> 'caps' ->> 'creations-per-minute')::bigint
                < (SELECT count(*) FROM keys n WHERE n.account = k.account AND n.created_at > k.created_at - interval '1 minute')
                THEN 'the account makes keys too fast'
            -- One that takes the place of a key at once adds none, unless that one stands beside another already.
            WHEN NOT (p.id IS NOT NULL AND k.overlap_seconds = 0
                    AND NOT EXISTS (SELECT FROM keys b WHERE b.id = p.predecessor AND b.ends_at > present))
                AND (i.policy -> 'caps' ->> 'active-keys')::bigint
                    < (SELECT count(*) FROM keys n WHERE n.account = k.account AND n.ends_at > k.created_at)
                THEN 'the account has as many keys as it may'
        END AS why
        INTO bad FROM added k JOIN accounts a ON a.slug = k.account JOIN issuers i ON i.slug = a.issuer
        LEFT JOIN keys p ON p.id = k.predecessor ORDER BY why LIMIT 1;
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
    PERFORM keyrack_owe(ARRAY['key.revoke', demo], c.revoked, NULL), keyrack_owe(ARRAY['key.acknowledge', demo], c.acknowledged, NULL),
            keyrack_owe(ARRAY['key.retire', demo], c.retired, NULL), keyrack_owe(ARRAY['key.limit', demo], c.limited, NULL),
            keyrack_owe(ARRAY['key.rotate', demo], c.successors, NULL)
        FROM (SELECT array_agg(n.id) FILTER (WHERE n.revoked_at IS DISTINCT FROM o.revoked_at) AS revoked,
                array_agg(n.id) FILTER (WHERE n.acknowledged_at IS DISTINCT FROM o.acknowledged_at) AS acknowledged,
                array_agg(n.id) FILTER (WHERE n.expires_at IS DISTINCT FROM o.expires_at) AS retired,
                array_agg(n.id) FILTER (WHERE n.limits IS DISTINCT FROM o.limits) AS limited,
                array_agg(n.successor) FILTER (WHERE n.successor IS DISTINCT FROM o.successor) AS successors
            FROM after n JOIN before o ON o.id = n.id) AS c;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS keys_demand ON keys;
CREATE TRIGGER keys_demand BEFORE INSERT OR UPDATE OF id, account, issuer, name, name_key, description, search, preview, tail, hash, scopes, allow,
    created_at, created_by, expires_at, claim_by, acknowledged_at, revoked_at, revoked_by, revoke_reason, predecessor, successor,
    overlap_seconds, limits ON keys FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('operator');
DROP TRIGGER IF EXISTS keys_added ON keys;
CREATE TRIGGER keys_added AFTER INSERT ON keys REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keyrack_keys_added();
DROP TRIGGER IF EXISTS keys_changed ON keys;
CREATE TRIGGER keys_changed AFTER UPDATE ON keys REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION keyrack_keys_changed();

-- Issuers, accounts, operators.
CREATE OR REPLACE FUNCTION keyrack_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF keyrack_is_superuser() THEN
        RETURN NULL;
    END IF;
    IF TG_TABLE_NAME = 'issuers' THEN
        PERFORM keyrack_owe(ARRAY['issuer.apply'], NULL, array_agg(to_jsonb(a) ->> 'slug')) FROM added a;
    ELSIF TG_TABLE_NAME = 'accounts' THEN
        PERFORM keyrack_owe(ARRAY['account.create', 'demo.load'], NULL, array_agg(to_jsonb(a) ->> 'slug')) FROM added a;
    ELSE
        PERFORM keyrack_owe(ARRAY['operator.set'], NULL, array_agg(to_jsonb(a) ->> 'name')) FROM added a;
        IF EXISTS (SELECT FROM added a WHERE to_jsonb(a) ->> 'created_by' <> session_user)
            OR (keyrack_rank(keyrack_hold_role()) < 3 AND EXISTS (SELECT FROM added))
            OR ((SELECT count(*) FROM operators) = (SELECT count(*) FROM added) AND (SELECT count(*) FROM added) > 1) THEN
            RAISE EXCEPTION 'operators are made by admins, and by themselves' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION keyrack_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF keyrack_is_superuser() THEN
        RETURN NULL;
    END IF;
    IF TG_TABLE_NAME = 'issuers' THEN
        PERFORM keyrack_owe(ARRAY['issuer.apply'], NULL, array_agg(to_jsonb(n) ->> 'slug')) FROM after n;
    ELSIF TG_TABLE_NAME = 'operators' THEN
        PERFORM keyrack_owe(ARRAY['operator.set'], NULL, array_agg(to_jsonb(n) ->> 'name')) FROM after n;
    ELSE
        PERFORM keyrack_owe(ARRAY['account.suspend'], NULL, c.suspended), keyrack_owe(ARRAY['account.reinstate'], NULL, c.reinstated),
                keyrack_owe(ARRAY['account.change'], NULL, c.changed)
            FROM (SELECT array_agg(n ->> 'slug') FILTER (WHERE n ->> 'standing' <> o ->> 'standing' AND n ->> 'standing' = 'suspended') AS suspended,
                    array_agg(n ->> 'slug') FILTER (WHERE n ->> 'standing' <> o ->> 'standing' AND n ->> 'standing' = 'good') AS reinstated,
                    -- Migrations spell names anew.
                    array_agg(n ->> 'slug') FILTER (WHERE n - '{standing,name,search}'::text[] <> o - '{standing,name,search}'::text[]
                        OR normalize(n ->> 'name', NFC) <> normalize(o ->> 'name', NFC)) AS changed
                FROM (SELECT to_jsonb(a) AS n FROM after a) AS a JOIN (SELECT to_jsonb(b) AS o FROM before b) AS b
                    ON n ->> 'slug' = o ->> 'slug') AS c;
    END IF;
    RETURN NULL;
END $$;

-- What a row is never changes; the policy's version counts by one.
CREATE OR REPLACE FUNCTION keyrack_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    o jsonb := to_jsonb(OLD);
    n jsonb := to_jsonb(NEW);
BEGIN
    IF (o ->> TG_ARGV[0], o ->> 'created_at', o ->> 'issuer', o ->> 'created_by')
            IS DISTINCT FROM (n ->> TG_ARGV[0], n ->> 'created_at', n ->> 'issuer', n ->> 'created_by')
        OR (TG_TABLE_NAME = 'issuers' AND (n ->> 'version')::bigint <> (o ->> 'version')::bigint + 1) THEN
        IF NOT keyrack_is_superuser() THEN
            RAISE EXCEPTION 'what one of the % is never changes', TG_TABLE_NAME;
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION keyrack_operators_left() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF keyrack_is_superuser() THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        PERFORM keyrack_owe(ARRAY['operator.remove'], NULL, array_agg(name)) FROM before;
    END IF;
    IF NOT EXISTS (SELECT FROM operators WHERE role = 'admin') THEN
        RAISE EXCEPTION 'there is always an admin';
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS issuers_demand ON issuers;
CREATE TRIGGER issuers_demand BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON issuers FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('admin');
DROP TRIGGER IF EXISTS accounts_demand ON accounts;
CREATE TRIGGER accounts_demand BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON accounts FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('operator');
DROP TRIGGER IF EXISTS operators_demand ON operators;
CREATE TRIGGER operators_demand BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON operators FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('admin');
DROP TRIGGER IF EXISTS issuers_stay ON issuers;
CREATE TRIGGER issuers_stay BEFORE UPDATE ON issuers FOR EACH ROW EXECUTE FUNCTION keyrack_stays('slug');
DROP TRIGGER IF EXISTS accounts_stay ON accounts;
CREATE TRIGGER accounts_stay BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION keyrack_stays('slug');
DROP TRIGGER IF EXISTS operators_stay ON operators;
CREATE TRIGGER operators_stay BEFORE UPDATE ON operators FOR EACH ROW EXECUTE FUNCTION keyrack_stays('name');
DROP TRIGGER IF EXISTS issuers_added ON issuers;
CREATE TRIGGER issuers_added AFTER INSERT ON issuers REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keyrack_added();
DROP TRIGGER IF EXISTS accounts_added ON accounts;
CREATE TRIGGER accounts_added AFTER INSERT ON accounts REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keyrack_added();
DROP TRIGGER IF EXISTS operators_added ON operators;
CREATE TRIGGER operators_added AFTER INSERT ON operators REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keyrack_added();
DROP TRIGGER IF EXISTS issuers_changed ON issuers;
CREATE TRIGGER issuers_changed AFTER UPDATE ON issuers REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION keyrack_changed();
DROP TRIGGER IF EXISTS accounts_changed ON accounts;
CREATE TRIGGER accounts_changed AFTER UPDATE ON accounts REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION keyrack_changed();
DROP TRIGGER IF EXISTS operators_changed ON operators;
CREATE TRIGGER operators_changed AFTER UPDATE ON operators REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION keyrack_changed();
DROP TRIGGER IF EXISTS operators_left ON operators;
CREATE TRIGGER operators_left AFTER DELETE ON operators REFERENCING OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION keyrack_operators_left();
DROP TRIGGER IF EXISTS operators_admin ON operators;
CREATE TRIGGER operators_admin AFTER UPDATE ON operators FOR EACH STATEMENT EXECUTE FUNCTION keyrack_operators_left();

-- Reminders.
CREATE OR REPLACE FUNCTION keyrack_sweeps_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.begun_by <> session_user OR (TG_OP = 'UPDATE' AND (NEW.id, NEW.begun_by, NEW.began_at) IS DISTINCT FROM (OLD.id, OLD.begun_by, OLD.began_at)))
        AND NOT keyrack_is_superuser() THEN
        RAISE EXCEPTION 'a sweep is its sweeper''s' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS sweeps_guard ON sweeps;
CREATE TRIGGER sweeps_guard BEFORE INSERT OR UPDATE ON sweeps FOR EACH ROW EXECUTE FUNCTION keyrack_sweeps_guard();

-- A reminder is told as sent, written or refused with its key's row in the audit.
CREATE OR REPLACE FUNCTION keyrack_deliveries_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NOT keyrack_is_superuser() THEN
        PERFORM keyrack_owe(ARRAY[c.action], c.keys, NULL) FROM (
            SELECT CASE n.state WHEN 'sent' THEN 'reminder.send' WHEN 'written' THEN 'reminder.write' ELSE 'reminder.fail' END AS action,
                array_agg(DISTINCT r.key) AS keys
            FROM after n JOIN before o ON o.reminder = n.reminder AND o.recipient = n.recipient AND o.state <> n.state
                JOIN reminders r ON r.id = n.reminder
            WHERE n.state IN ('sent', 'written', 'failed') GROUP BY 1) AS c;
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS deliveries_changed ON deliveries;
CREATE TRIGGER deliveries_changed AFTER UPDATE ON deliveries REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION keyrack_deliveries_changed();
DROP TRIGGER IF EXISTS sweeps_demand ON sweeps;
CREATE TRIGGER sweeps_demand BEFORE INSERT OR UPDATE ON sweeps FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('operator');
DROP TRIGGER IF EXISTS reminders_demand ON reminders;
CREATE TRIGGER reminders_demand BEFORE INSERT OR UPDATE ON reminders FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('operator');
DROP TRIGGER IF EXISTS deliveries_demand ON deliveries;
CREATE TRIGGER deliveries_demand BEFORE INSERT OR UPDATE ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('operator');

CREATE OR REPLACE FUNCTION keyrack_take_turns() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NOT keyrack_is_superuser() THEN
        PERFORM keyrack_refuse('operator', 'claim letters');
    END IF;
    PERFORM 1 FROM turns FOR UPDATE;
END $$;

-- Alerts, and what gates write.
CREATE OR REPLACE FUNCTION keyrack_alerts_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refused text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        refused := CASE WHEN NEW.acknowledged_at IS NOT NULL OR NEW.acknowledged_by IS NOT NULL OR NEW.told_at IS NOT NULL
            OR NOT (isfinite(NEW.raised_at) AND isfinite(NEW.hour) AND greatest(NEW.raised_at, NEW.hour) < keyrack_now() + interval '2 hours')
            THEN 'an alert is raised by now, and acknowledged afterwards' END;
    ELSIF (NEW.id, NEW.kind, NEW.subject, NEW.hour, NEW.raised_at, NEW.gate, NEW.key, NEW.account, NEW.detail)
            IS DISTINCT FROM (OLD.id, OLD.kind, OLD.subject, OLD.hour, OLD.raised_at, OLD.gate, OLD.key, OLD.account, OLD.detail) THEN
        refused := 'what an alert says stays';
    ELSIF (NEW.acknowledged_at, NEW.acknowledged_by) IS DISTINCT FROM (OLD.acknowledged_at, OLD.acknowledged_by)
        AND (OLD.acknowledged_at IS NOT NULL OR NEW.acknowledged_by IS DISTINCT FROM session_user::text OR NOT keyrack_is_now(NEW.acknowledged_at)) THEN
        refused := 'an alert is acknowledged once, by who is logged in';
    END IF;
    IF refused IS NOT NULL AND NOT keyrack_is_superuser() THEN
        RAISE EXCEPTION '%', refused;
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS alerts_guard ON alerts;
CREATE TRIGGER alerts_guard BEFORE INSERT OR UPDATE ON alerts FOR EACH ROW EXECUTE FUNCTION keyrack_alerts_guard();
DROP TRIGGER IF EXISTS alerts_demand ON alerts;
CREATE TRIGGER alerts_demand BEFORE UPDATE OF acknowledged_at, acknowledged_by ON alerts FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('operator');

CREATE OR REPLACE FUNCTION keyrack_alerts_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NOT keyrack_is_superuser() THEN
        PERFORM keyrack_owe(ARRAY['alert.acknowledge'], NULL, array_agg(n.id::text)) FROM after n JOIN before o ON o.id = n.id
            WHERE n.acknowledged_at IS DISTINCT FROM o.acknowledged_at;
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS alerts_changed ON alerts;
CREATE TRIGGER alerts_changed AFTER UPDATE ON alerts REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION keyrack_alerts_changed();

CREATE OR REPLACE FUNCTION keyrack_alerts_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.raised_at > keyrack_now() - interval '1 day' THEN
        RAISE EXCEPTION 'an alert stays for a day' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END $$;

-- A gate's row is its login's, says what the server's clock says, and confirms nothing that is not there yet.
CREATE OR REPLACE FUNCTION keyrack_gates_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.login := session_user;
    END IF;
    IF keyrack_is_superuser() THEN
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP <> 'INSERT' AND coalesce(OLD.login, session_user) <> session_user THEN
        IF TG_OP = 'DELETE' AND OLD.beat_at < keyrack_now() - interval '1 day' + interval '1 minute' THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'the gate % is another login''s', OLD.name USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    NEW.login := session_user;
    NEW.beat_at := keyrack_now();
    IF TG_OP = 'INSERT' THEN
        NEW.began_at := NEW.beat_at;
        NEW.applied_at := NEW.beat_at;
    ELSE
        IF (NEW.id, NEW.name, NEW.host, NEW.listen, NEW.began_at, NEW.lease_ms)
                IS DISTINCT FROM (OLD.id, OLD.name, OLD.host, OLD.listen, OLD.began_at, OLD.lease_ms) OR NEW.flushed < OLD.flushed THEN
            RAISE EXCEPTION 'what a gate is never changes';
        END IF;
        NEW.applied_at := CASE WHEN NEW.applied_seq = OLD.applied_seq THEN OLD.applied_at ELSE NEW.beat_at END;
        IF NEW.flushed <> OLD.flushed THEN
            NEW.beat_at := OLD.beat_at;
        END IF;
    END IF;
    IF NEW.applied_seq > (SELECT seq FROM audit_head) THEN
        RAISE EXCEPTION 'a gate confirms what the audit tells, and no more';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS gates_guard ON gates;
CREATE TRIGGER gates_guard BEFORE INSERT OR UPDATE OR DELETE ON gates FOR EACH ROW EXECUTE FUNCTION keyrack_gates_guard();

CREATE OR REPLACE FUNCTION keyrack_counts_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    refused text;
BEGIN
    IF TG_TABLE_NAME = 'usage_minutes' THEN
        IF NOT (isfinite(NEW.minute) AND NEW.minute <= keyrack_now() + interval '1 hour' AND least(NEW.allowed, NEW.refused, NEW.limited) >= 0)
            OR (TG_OP = 'UPDATE' AND (NEW.key <> OLD.key OR NEW.minute <> OLD.minute OR NEW.allowed < OLD.allowed
                OR NEW.refused < OLD.refused OR NEW.limited < OLD.limited)) THEN
            refused := 'uses are counted, never taken back';
        END IF;
    ELSIF TG_TABLE_NAME = 'key_networks' THEN
        IF TG_OP = 'DELETE' THEN
            IF EXISTS (SELECT FROM keys WHERE id = OLD.key AND ends_at > keyrack_now()) THEN
                refused := 'the networks of a key that works stay';
            END IF;
        ELSIF NOT (isfinite(NEW.first_at) AND NEW.first_at <= keyrack_now() + interval '1 hour') THEN
            refused := 'a network was seen in the past';
        END IF;
    -- Windows belong to the gates of one name.
    ELSIF TG_OP = 'DELETE' THEN
        IF OLD.ends_at > keyrack_now() + interval '1 minute' AND NOT EXISTS (SELECT FROM gates WHERE login = session_user AND name = OLD.gate) THEN
            refused := 'a window is its gate''s';
        END IF;
    ELSIF NOT EXISTS (SELECT FROM gates WHERE login = session_user AND name = NEW.gate) THEN
        refused := 'a window is its gate''s';
    END IF;
    IF refused IS NOT NULL AND NOT keyrack_is_superuser() THEN
        RAISE EXCEPTION '%', refused USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS usage_minutes_guard ON usage_minutes;
CREATE TRIGGER usage_minutes_guard BEFORE INSERT OR UPDATE ON usage_minutes FOR EACH ROW EXECUTE FUNCTION keyrack_counts_guard();
DROP TRIGGER IF EXISTS key_networks_guard ON key_networks;
CREATE TRIGGER key_networks_guard BEFORE INSERT OR UPDATE OR DELETE ON key_networks FOR EACH ROW EXECUTE FUNCTION keyrack_counts_guard();
DROP TRIGGER IF EXISTS limit_windows_guard ON limit_windows;
CREATE TRIGGER limit_windows_guard BEFORE INSERT OR UPDATE OR DELETE ON limit_windows FOR EACH ROW EXECUTE FUNCTION keyrack_counts_guard();

-- Sessions of this database that hold what a change needs, and wait for nothing. Of others' sessions the server tells the
-- address and the time only if the tables' owner has pg_read_all_stats.
CREATE OR REPLACE FUNCTION keyrack_holders() RETURNS TABLE (pid integer, login text, address text, application text, since timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT a.pid, a.usename::text, coalesce(host(a.client_addr), CASE WHEN a.client_port = -1 THEN 'a socket' END), a.application_name, a.xact_start
    FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
        AND (a.xact_start IS NULL OR a.xact_start < pg_catalog.clock_timestamp() - interval '3 seconds')
        AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.granted AND l.mode <> 'AccessShareLock' AND (l.locktype = 'advisory'
            OR (l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND l.relation IN (SELECT c.oid FROM pg_class c JOIN pg_class h ON h.relnamespace = c.relnamespace
                    WHERE h.oid = to_regclass('audit_head') AND c.relkind = 'r'))))
        AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND NOT l.granted)
    ORDER BY a.xact_start NULLS LAST, a.pid
$$;

-- Ends such a session, for an admin. False: it is gone.
CREATE OR REPLACE FUNCTION keyrack_end_session(holder integer) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NOT keyrack_is_superuser() THEN
        PERFORM keyrack_refuse('admin', 'end another session');
    END IF;
    IF NOT EXISTS (SELECT FROM keyrack_holders() h WHERE h.pid = holder) THEN
        RETURN false;
    END IF;
    RETURN pg_terminate_backend(holder);
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION '%; for that a DBA lets the tables'' owner end sessions (GRANT pg_signal_backend TO %)', SQLERRM, quote_ident(current_user)
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- Functions find what they name here, and nowhere before it. Three name nothing of the schema's, and are quicker without.
DO $$
DECLARE
    one regprocedure;
BEGIN
    FOR one IN SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = current_schema() AND p.proname LIKE 'keyrack\_%'
        AND p.proname NOT IN ('keyrack_now', 'keyrack_rank', 'keyrack_audit_field') LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', one, current_schema());
        -- Compiling takes longer than any of them.
        EXECUTE format('ALTER FUNCTION %s SET jit = off', one);
    END LOOP;
END $$;

-- keyrack_console stays for the logins that have it; what they may is what their role in Keyrack is.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['keyrack_operator', 'keyrack_admin'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'role % is missing and % may not make it', role_name, session_user;
        END;
    END LOOP;
END $$;

DO $$
DECLARE
    grants text[] := ARRAY[
        -- Nobody but the audit's own trigger locks its head, and who may lock a whole table may stop everybody.
        'REVOKE UPDATE ON audit_head FROM keyrack_console',
        'REVOKE UPDATE ON audit_head FROM keyrack_sweeper',
        'REVOKE UPDATE ON accounts, sweeps, reminders, deliveries FROM keyrack_console',
        'REVOKE UPDATE ON sweeps, reminders, deliveries FROM keyrack_sweeper',
        'REVOKE UPDATE ON keys FROM keyrack_console',
        'REVOKE UPDATE ON gates, usage_minutes, key_networks, limit_windows FROM keyrack_gate',
        'GRANT UPDATE (beat_at, applied_seq, applied_at, flushed) ON gates TO keyrack_gate',
        'GRANT UPDATE (allowed, refused, limited) ON usage_minutes TO keyrack_gate',
        'GRANT UPDATE (state, ends_at) ON limit_windows TO keyrack_gate',
        'GRANT USAGE ON SCHEMA %1$I TO keyrack_operator, keyrack_admin',
        'GRANT SELECT ON issuers, accounts, operators, keys, audit, audit_head, _sqlx_migrations, sweeps, reminders, deliveries, gates, usage_minutes, key_networks, alerts TO keyrack_operator, keyrack_admin',
        'GRANT INSERT ON accounts, keys, audit, sweeps, reminders, deliveries TO keyrack_operator, keyrack_admin',
        'GRANT UPDATE (name, search, admins, plan, standing) ON accounts TO keyrack_operator, keyrack_admin, keyrack_console',
        'GRANT UPDATE (acknowledged_at, expires_at, revoked_at, revoked_by, revoke_reason, successor) ON keys TO keyrack_operator, keyrack_admin, keyrack_console',
        'GRANT UPDATE (limits) ON keys TO keyrack_operator, keyrack_admin, keyrack_console',
        'GRANT UPDATE (acknowledged_at, acknowledged_by) ON alerts TO keyrack_operator, keyrack_admin',
        'GRANT UPDATE (alive_until, ended_at, trouble, reminders, sent, written, failed, deferred, ambiguous) ON sweeps TO keyrack_operator, keyrack_admin, keyrack_console, keyrack_sweeper',
        'GRANT UPDATE (state, why, changed_at) ON reminders TO keyrack_operator, keyrack_admin, keyrack_console, keyrack_sweeper',
        'GRANT UPDATE (state, attempts, next_at, letter, sweep, claimed_until, answer, changed_at) ON deliveries TO keyrack_operator, keyrack_admin, keyrack_console, keyrack_sweeper',
        'GRANT INSERT, UPDATE ON issuers TO keyrack_admin',
        'GRANT INSERT, UPDATE, DELETE ON operators TO keyrack_admin'
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
