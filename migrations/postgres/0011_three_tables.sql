-- Keys in three tables: `key_auth` is what a verdict and a cap need, `keys` what people read, search and sort by, `key_use` the
-- last use. Each fact has one home.
--
-- The program carries out the parts of this file one after the other, rows in portions, before it applies the whole: whoever
-- reads or writes by the version before goes on until the switch. What was done already is left as it is here.

-- part: tables
CREATE TABLE IF NOT EXISTS key_auth (
    hash            bytea PRIMARY KEY CHECK (length(hash) = 32),
    id              uuid NOT NULL UNIQUE,
    account         text COLLATE "C" NOT NULL,
    issuer          text COLLATE "C" NOT NULL,
    scopes          text COLLATE "C" NOT NULL,
    allow           cidr[] NOT NULL,
    limits          text,                            -- budgets agreed for this key, like '5000/1h 100/1m'; null: the policy's
    created_at      timestamptz NOT NULL,
    claim_by        timestamptz NOT NULL,
    expires_at      timestamptz,
    acknowledged_at timestamptz,
    first_used_at   timestamptz,                     -- the first use that is known of
    revoked_at      timestamptz,
    revoked_by      text,
    revoke_reason   text,
    odd             boolean NOT NULL DEFAULT false,
    -- The instant at which the key ends or ended, by whichever cause comes first.
    ends_at         timestamptz NOT NULL GENERATED ALWAYS AS (least(
        revoked_at,
        expires_at,
        CASE WHEN acknowledged_at IS NULL AND first_used_at IS NULL THEN claim_by END,
        timestamptz '9999-12-31 00:00:00+00'
    )) STORED,
    expires_key     timestamptz NOT NULL GENERATED ALWAYS AS (coalesce(expires_at, timestamptz '9999-12-31 00:00:00+00')) STORED
);

-- A row for each key that was ever used. A use moves no index, but once an hour, so that it fits into its page (HOT).
CREATE TABLE IF NOT EXISTS key_use (
    id                 uuid PRIMARY KEY,
    last_used_at       timestamptz NOT NULL,
    last_used_from     text,
    last_used_endpoint text,
    odd                boolean NOT NULL DEFAULT false,
    -- To sort by.
    hour               double precision NOT NULL GENERATED ALWAYS AS (floor(extract(epoch FROM last_used_at AT TIME ZONE 'UTC')::double precision / 3600)) STORED
) WITH (fillfactor = 50);

-- How far the rows were moved, and those that others changed meanwhile. Both go with the switch.
CREATE TABLE IF NOT EXISTS keys_moved (one integer PRIMARY KEY CHECK (one = 1), upto uuid NOT NULL, until uuid NOT NULL);
INSERT INTO keys_moved VALUES (1, '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000') ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS keys_changed (id uuid PRIMARY KEY);
CREATE OR REPLACE FUNCTION keyrack_keys_moving() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO keys_changed VALUES (NEW.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION keyrack_keys_moving() SET search_path = %I, pg_temp', current_schema());
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'keys_moving' AND tgrelid = 'keys'::regclass) THEN
        CREATE TRIGGER keys_moving AFTER INSERT OR UPDATE ON keys FOR EACH ROW EXECUTE FUNCTION keyrack_keys_moving();
    END IF;
END $$;

-- part: rows
UPDATE keys_moved SET until = coalesce((SELECT id FROM keys WHERE id > keys_moved.upto ORDER BY id OFFSET 1000000000000 LIMIT 1),
    'ffffffff-ffff-ffff-ffff-ffffffffffff');
INSERT INTO key_auth (hash, id, account, issuer, scopes, allow, limits, created_at, claim_by, expires_at, acknowledged_at,
    first_used_at, revoked_at, revoked_by, revoke_reason, odd)
    SELECT k.hash, k.id, k.account, k.issuer, k.scopes, k.allow, k.limits, k.created_at, k.claim_by, k.expires_at, k.acknowledged_at,
        CASE WHEN k.last_used_at IS NOT NULL THEN least(greatest(k.last_used_at, '0001-01-01 00:00:00+00'), '9999-12-31 23:59:59+00') END, k.revoked_at, k.revoked_by, k.revoke_reason, k.odd
    FROM keys k, keys_moved m WHERE k.id > m.upto AND k.id <= m.until;
INSERT INTO key_use (id, last_used_at, last_used_from, last_used_endpoint, odd)
    SELECT k.id, k.last_used_at, k.last_used_from, k.last_used_endpoint, k.odd
    FROM keys k, keys_moved m WHERE k.id > m.upto AND k.id <= m.until AND k.last_used_at IS NOT NULL;
UPDATE keys_moved SET upto = until;

-- part: indexes
-- Without these would wait:
-- whoever looks for what ends next or ended last (status).
CREATE INDEX IF NOT EXISTS auth_by_ends    ON key_auth (ends_at, id);
-- whoever opens the list: newest first.
CREATE INDEX IF NOT EXISTS auth_by_created ON key_auth (created_at, id);
-- whoever sorts the list by account.
CREATE INDEX IF NOT EXISTS auth_by_account ON key_auth (account, id);
-- whoever sorts the list by scopes.
CREATE INDEX IF NOT EXISTS auth_by_scopes  ON key_auth (scopes, id);
-- whoever looks for keys that nobody uses, and the list by last use.
CREATE INDEX IF NOT EXISTS auth_unused     ON key_auth (id) WHERE first_used_at IS NULL;
-- the sweep, and whoever asks what expires when.
CREATE INDEX IF NOT EXISTS auth_by_expiry  ON key_auth (expires_key, id, ends_at);
-- a creation, for the cap a minute; and whoever opens an account.
CREATE INDEX IF NOT EXISTS auth_of_account ON key_auth (account, created_at, id);
-- a creation, for the cap on active keys; and the list of accounts.
CREATE INDEX IF NOT EXISTS auth_active     ON key_auth (account, ends_at, id);
-- the count over the list, of which policies hide the revoked.
CREATE INDEX IF NOT EXISTS auth_revoked    ON key_auth (issuer) WHERE revoked_at IS NOT NULL;
-- whoever has the end of an id.
CREATE INDEX IF NOT EXISTS auth_id_end     ON key_auth (right(id::text, 12) COLLATE "C");
-- whoever sorts the list by last use, or asks who was used since.
CREATE INDEX IF NOT EXISTS use_by_hour     ON key_use (hour);

-- part: switch
LOCK TABLE keys IN ACCESS EXCLUSIVE MODE;
DELETE FROM key_use WHERE id IN (SELECT id FROM keys_changed);
DELETE FROM key_auth WHERE id IN (SELECT id FROM keys_changed);
INSERT INTO key_auth (hash, id, account, issuer, scopes, allow, limits, created_at, claim_by, expires_at, acknowledged_at,
    first_used_at, revoked_at, revoked_by, revoke_reason, odd)
    SELECT k.hash, k.id, k.account, k.issuer, k.scopes, k.allow, k.limits, k.created_at, k.claim_by, k.expires_at, k.acknowledged_at,
        CASE WHEN k.last_used_at IS NOT NULL THEN least(greatest(k.last_used_at, '0001-01-01 00:00:00+00'), '9999-12-31 23:59:59+00') END, k.revoked_at, k.revoked_by, k.revoke_reason, k.odd
    FROM keys k JOIN keys_changed c ON c.id = k.id;
INSERT INTO key_use (id, last_used_at, last_used_from, last_used_endpoint, odd)
    SELECT k.id, k.last_used_at, k.last_used_from, k.last_used_endpoint, k.odd
    FROM keys k JOIN keys_changed c ON c.id = k.id WHERE k.last_used_at IS NOT NULL;
DROP TRIGGER keys_moving ON keys;
DROP FUNCTION keyrack_keys_moving();
DROP TABLE keys_changed;
DROP TABLE keys_moved;

-- A column that goes would keep its rights.
DO $$
DECLARE
    revokes text[] := ARRAY[
        'REVOKE UPDATE ON keys FROM keyrack_operator',
        'REVOKE UPDATE ON keys FROM keyrack_admin',
        'REVOKE UPDATE ON keys FROM keyrack_console',
        'REVOKE UPDATE ON keys FROM keyrack_gate'
    ];
    statement text;
BEGIN
    FOREACH statement IN ARRAY revokes LOOP
        BEGIN
            EXECUTE statement;
        EXCEPTION WHEN undefined_object THEN NULL;
        END;
    END LOOP;
END $$;
DROP TRIGGER IF EXISTS keys_demand ON keys;
DROP TRIGGER IF EXISTS keys_changed ON keys;
DROP TRIGGER IF EXISTS keys_added ON keys;
-- The columns' own indexes and constraints go with them; the space is reused row by row.
ALTER TABLE keys DROP CONSTRAINT IF EXISTS keys_sound,
    DROP COLUMN ends_at, DROP COLUMN expires_key, DROP COLUMN used_key,
    DROP COLUMN account, DROP COLUMN issuer, DROP COLUMN hash, DROP COLUMN scopes, DROP COLUMN allow, DROP COLUMN created_at,
    DROP COLUMN expires_at, DROP COLUMN claim_by, DROP COLUMN acknowledged_at, DROP COLUMN last_used_at, DROP COLUMN last_used_from,
    DROP COLUMN last_used_endpoint, DROP COLUMN limits, DROP COLUMN revoked_at, DROP COLUMN revoked_by, DROP COLUMN revoke_reason;
-- whoever sorts the list by name; by preview, or types the beginning of one; by who made a key; has four characters of a
-- leaked key; looks for a part of a name or a description.
ALTER INDEX keys_by_name RENAME TO keys_name;
ALTER INDEX keys_by_preview RENAME TO keys_preview;
ALTER INDEX keys_by_creator RENAME TO keys_creator;
ALTER INDEX keys_by_tail RENAME TO keys_tail;
DROP INDEX keys_by_id_end;

-- A creation writes both rows, in either order.
ALTER TABLE key_auth ADD CONSTRAINT key_auth_account_fkey FOREIGN KEY (account) REFERENCES accounts (slug);
ALTER TABLE key_auth ADD CONSTRAINT key_auth_id_fkey FOREIGN KEY (id) REFERENCES keys (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE keys ADD CONSTRAINT keys_id_fkey FOREIGN KEY (id) REFERENCES key_auth (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE key_use ADD CONSTRAINT key_use_id_fkey FOREIGN KEY (id) REFERENCES key_auth (id);

-- What no record can hold is refused, as 0009 has it.
ALTER TABLE key_auth ADD CONSTRAINT key_auth_acknowledged_at_check CHECK (acknowledged_at < claim_by OR first_used_at IS NOT NULL) NOT VALID;
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('key_auth', '{created_at,expires_at,claim_by,acknowledged_at,first_used_at,revoked_at}'::text[], 'length(account) <= 200 AND length(issuer) <= 200 AND length(limits) <= 1000 AND length(revoked_by) <= 1000 AND length(revoke_reason) <= 10000'),
        ('keys', '{}'::text[], 'overlap_seconds BETWEEN 0 AND 31536000000 AND length(name) <= 1000 AND length(description) <= 10000 AND length(preview) <= 200 AND length(created_by) <= 1000'),
        ('key_use', '{last_used_at}'::text[], 'length(last_used_from) <= 1000')
    ) AS of(name, times, others) LOOP
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (odd OR (%s)) NOT VALID', t.name, t.name || '_sound',
            concat_ws(' AND ', t.others, (SELECT string_agg(format(
            'isfinite(%1$I) AND %1$I >= ''0001-01-01 00:00:00+00'' AND %1$I < ''10000-01-01 00:00:00+00''', c), ' AND ')
            FROM unnest(t.times) AS c)));
    END LOOP;
END $$;

-- The oldest version of the schema whose program can still read this one.
CREATE TABLE readable (one integer PRIMARY KEY CHECK (one = 1), since bigint NOT NULL);
INSERT INTO readable (one, since) VALUES (1, 11);

-- Who may do what, as 0010 has it.
CREATE OR REPLACE FUNCTION keyrack_keys_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'keys are revoked, never deleted';
    END IF;
    IF NEW.id <> OLD.id THEN
        RAISE EXCEPTION 'a key''s identity never changes';
    END IF;
    IF (NEW.created_by <> OLD.created_by OR NEW.preview <> OLD.preview OR NEW.tail <> OLD.tail
            OR (NEW.predecessor, NEW.overlap_seconds) IS DISTINCT FROM (OLD.predecessor, OLD.overlap_seconds)) AND NOT keyrack_is_superuser() THEN
        RAISE EXCEPTION 'what a key is never changes';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION keyrack_auth_guard() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF refused IS NOT NULL AND NOT keyrack_is_superuser() THEN
        RAISE EXCEPTION '%', refused;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER auth_guard BEFORE UPDATE OR DELETE ON key_auth FOR EACH ROW EXECUTE FUNCTION keyrack_auth_guard();
CREATE TRIGGER auth_stays BEFORE TRUNCATE ON key_auth FOR EACH STATEMENT EXECUTE FUNCTION keyrack_auth_guard();

CREATE FUNCTION keyrack_use_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    used record;
    present timestamptz := keyrack_now();
    before timestamptz;
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'keys are revoked, never deleted';
    END IF;
    IF keyrack_is_superuser() THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        before := OLD.last_used_at;
        IF NEW.id <> OLD.id THEN
            RAISE EXCEPTION 'a key''s identity never changes';
        END IF;
    END IF;
    -- A demo tells of a past; else only gates know of uses.
    IF (SELECT coalesce(demo_by = session_user AND demo_until > present, false) FROM audit_head) THEN
        RETURN NEW;
    END IF;
    IF NOT has_table_privilege(session_user, 'gates', 'INSERT') THEN
        RAISE EXCEPTION 'uses are counted by gates' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT created_at, first_used_at INTO used FROM key_auth WHERE id = NEW.id;
    IF used.first_used_at IS NULL THEN
        RAISE EXCEPTION 'a key''s last use comes after its first';
    END IF;
    IF NOT isfinite(NEW.last_used_at) OR NEW.last_used_at < before OR NEW.last_used_at < used.created_at - interval '1 hour'
        OR NEW.last_used_at > present + interval '1 hour' THEN
        RAISE EXCEPTION 'a key''s last use lies between the one before and now';
    END IF;
    NEW.last_used_at := least(greatest(NEW.last_used_at, used.created_at), greatest(present, before));
    RETURN NEW;
END $$;
CREATE TRIGGER use_guard BEFORE INSERT OR UPDATE OR DELETE ON key_use FOR EACH ROW EXECUTE FUNCTION keyrack_use_guard();
CREATE TRIGGER use_stays BEFORE TRUNCATE ON key_use FOR EACH STATEMENT EXECUTE FUNCTION keyrack_use_guard();

-- A new key is judged when both of its rows are there; the other one is owed until then.
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
            keyrack_owe(ARRAY['key.edit', demo], c.edited, NULL)
        FROM (SELECT array_agg(n.id) FILTER (WHERE n.revoked_at IS DISTINCT FROM o.revoked_at) AS revoked,
                array_agg(n.id) FILTER (WHERE n.acknowledged_at IS DISTINCT FROM o.acknowledged_at) AS acknowledged,
                array_agg(n.id) FILTER (WHERE n.expires_at IS DISTINCT FROM o.expires_at) AS retired,
                array_agg(n.id) FILTER (WHERE n.limits IS DISTINCT FROM o.limits) AS limited,
                array_agg(n.id) FILTER (WHERE n.scopes <> o.scopes OR n.allow <> o.allow) AS edited
            FROM after n JOIN before o ON o.id = n.id) AS c;
    RETURN NULL;
END $$;

CREATE TRIGGER keys_demand BEFORE INSERT OR UPDATE ON keys FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('operator');
CREATE TRIGGER auth_demand BEFORE INSERT OR UPDATE OF id, account, issuer, hash, scopes, allow, created_at, expires_at, claim_by,
    acknowledged_at, revoked_at, revoked_by, revoke_reason, limits ON key_auth FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('operator');
CREATE TRIGGER keys_added AFTER INSERT ON keys REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keyrack_keys_added();
CREATE TRIGGER keys_changed AFTER UPDATE ON keys REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION keyrack_keys_changed();
CREATE TRIGGER auth_changed AFTER UPDATE ON key_auth REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION keyrack_keys_changed();

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
    SELECT a.action, a.subject INTO lie FROM added a LEFT JOIN key_auth k ON k.id = a.key LEFT JOIN keys m ON m.id = a.key WHERE
        a.action = 'demo.load'
        OR (a.action NOT LIKE 'sweep.%' AND a.action NOT LIKE 'reminder.%' AND NOT has_table_privilege(session_user, 'keys', 'INSERT'))
        OR (a.action = 'key.revoke' AND k.revoked_by IS DISTINCT FROM session_user::text)
        OR (a.action IN ('key.create', 'key.rotate') AND m.created_by IS DISTINCT FROM session_user::text)
        OR (a.action = 'key.acknowledge' AND k.acknowledged_at IS NULL)
        OR (a.action = 'key.retire' AND k.expires_at IS NULL)
        OR (a.action LIKE 'key.%' AND (k.account IS DISTINCT FROM a.account OR a.subject <> a.key::text)) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the audit would tell of % for %, which was not done', lie.action, lie.subject;
    END IF;
    RETURN NULL;
END $$;

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
            IF EXISTS (SELECT FROM key_auth WHERE id = OLD.key AND ends_at > keyrack_now()) THEN
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

DO $$
DECLARE
    grants text[] := ARRAY[
        'GRANT SELECT ON key_auth, key_use, readable TO keyrack_viewer, keyrack_console, keyrack_operator, keyrack_admin, keyrack_sweeper, keyrack_gate',
        'GRANT INSERT ON key_auth, key_use TO keyrack_operator, keyrack_admin, keyrack_console',
        'GRANT UPDATE (successor) ON keys TO keyrack_operator, keyrack_admin, keyrack_console',
        'GRANT UPDATE (acknowledged_at, expires_at, revoked_at, revoked_by, revoke_reason) ON key_auth TO keyrack_operator, keyrack_admin, keyrack_console',
        'GRANT UPDATE (limits) ON key_auth TO keyrack_operator, keyrack_admin, keyrack_console',
        'GRANT UPDATE (first_used_at) ON key_auth TO keyrack_gate',
        'GRANT INSERT, UPDATE (last_used_at, last_used_from, last_used_endpoint) ON key_use TO keyrack_gate'
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
