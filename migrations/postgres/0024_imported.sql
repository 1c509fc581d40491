-- Keys that another product made move in with that product's hash of them: how a hash comes from its secret is told with it, and
-- in whose table the key stood before. The gates' look-up is the same: 32 bytes, by their index. Only admins import.

ALTER TABLE key_auth
    ADD COLUMN IF NOT EXISTS scheme        text NOT NULL DEFAULT 'sha256',  -- as the program's `Scheme` has them
    ADD COLUMN IF NOT EXISTS imported_from text;                            -- null: the key was made here
ALTER TABLE key_auth ADD CONSTRAINT key_auth_scheme_known CHECK (scheme IN ('sha256', 'sha512', 'prefixed')
    AND length(imported_from) BETWEEN 1 AND 100 AND (scheme = 'sha256' OR imported_from IS NOT NULL)) NOT VALID;

CREATE OR REPLACE FUNCTION keyrack_scheme_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.scheme <> OLD.scheme OR NEW.imported_from IS DISTINCT FROM OLD.imported_from THEN
        RAISE EXCEPTION 'a key''s identity never changes';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER auth_scheme_stays BEFORE UPDATE OF scheme, imported_from ON key_auth
    FOR EACH ROW EXECUTE FUNCTION keyrack_scheme_stays();

-- What must hold of keys that move in, all of one statement together: they are many. Refuses them otherwise.
CREATE OR REPLACE FUNCTION keyrack_imported(those uuid[], present timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    bad record;
    a record;
BEGIN
    -- What an account and its policy say is read once for all of its keys.
    FOR a IN SELECT o.slug, o.standing, o.issuer, (i.policy -> 'caps' ->> 'active-keys')::bigint AS most,
            (i.policy -> 'expiry' ->> 'max-days')::bigint * 86400 + 172800 AS longest,
            ARRAY(SELECT coalesce(f ->> 'prefix', '') || '••••••••' FROM jsonb_array_elements(coalesce(i.policy -> 'format' -> 'former', '[]')) AS f)
                || ARRAY(SELECT f || '••••••••' FROM jsonb_array_elements_text(coalesce(i.policy -> 'format' -> 'former-prefixes', '[]')) AS f)
                || ((i.policy -> 'format' ->> 'prefix') || '••••••••') AS heads,
            EXISTS (SELECT FROM holds h WHERE h.kind = 'creation' AND h.lifted_at IS NULL AND h.until > present
                AND coalesce(h.account = o.slug, true) AND coalesce(h.issuer = o.issuer, true)) AS stopped
            FROM accounts o JOIN issuers i ON i.slug = o.issuer
            WHERE o.slug IN (SELECT DISTINCT k.account FROM unnest(those) AS t (id) JOIN key_auth k ON k.id = t.id) LOOP
        SELECT k.id, CASE
                WHEN k.odd OR n.odd THEN 'it is odd'
                WHEN a.standing <> 'good' THEN 'the account is suspended'
                WHEN a.stopped THEN 'creation is stopped'
                WHEN k.issuer <> a.issuer THEN 'the account has another issuer'
                WHEN n.created_by <> session_user OR k.claim_by <> k.created_at + interval '10 minutes'
                    OR k.created_at NOT BETWEEN transaction_timestamp() - interval '1 minute' AND present + interval '1 second' THEN 'it is imported by who is logged in, and now'
                WHEN k.acknowledged_at IS DISTINCT FROM k.created_at OR num_nonnulls(k.revoked_at, k.not_before, k.revoke_at, k.paused_until,
                    n.successor, n.predecessor) > 0 THEN 'an imported key works at once'
                WHEN k.first_used_at > k.created_at OR NOT isfinite(k.first_used_at) THEN 'it was used later than now'
                WHEN k.expires_at <= k.created_at OR NOT isfinite(k.expires_at) THEN 'it would have ended'
                WHEN a.longest < coalesce(extract(epoch FROM k.expires_at - k.created_at), 1e15) THEN 'it would live longer than its policy allows'
                WHEN left(n.preview, strpos(n.preview, '••••••••') + 7) <> ALL (a.heads) THEN 'its policy has no such form'
            END AS why
            -- Found by the key, never by walking over all that its account has.
            INTO bad FROM unnest(those) AS t (id) JOIN key_auth k ON k.id = t.id JOIN keys n ON n.id = t.id
            WHERE k.account IS NOT DISTINCT FROM a.slug ORDER BY why LIMIT 1;
        IF bad.why IS NOT NULL THEN
            RAISE EXCEPTION 'key % can''t be imported: %', bad.id, bad.why;
        END IF;
        IF a.most IS NOT NULL THEN
            PERFORM 1 FROM key_auth c WHERE c.account = a.slug AND c.ends_at > present OFFSET a.most LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'account % can''t have so many keys', a.slug;
            END IF;
        END IF;
    END LOOP;
END $$;

-- As 0021, 0014 and 0011 have them, and with keys that are imported.
CREATE OR REPLACE FUNCTION keyrack_keys_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    bad record;
    present timestamptz := keyrack_now();
    imported uuid[];
BEGIN
    IF keyrack_is_superuser() OR NOT EXISTS (SELECT FROM added) THEN
        RETURN NULL;
    END IF;
    IF (SELECT coalesce(demo_by = session_user AND demo_until > present, false) FROM audit_head) THEN
        PERFORM keyrack_owe(ARRAY['demo.load', 'key.create', 'key.rotate'], array_agg(id), NULL) FROM added;
        RETURN NULL;
    END IF;
    SELECT coalesce(array_agg(n.id), '{}') INTO imported FROM added n JOIN key_auth k ON k.id = n.id WHERE k.imported_from IS NOT NULL;
    PERFORM keyrack_owe(ARRAY['key.import'], imported, NULL);
    PERFORM keyrack_owe(ARRAY['key.create'], array_agg(n.id) FILTER (WHERE n.predecessor IS NULL), NULL),
            keyrack_owe(ARRAY['key.rotate'], array_agg(n.id) FILTER (WHERE n.predecessor IS NOT NULL), NULL)
        FROM added n LEFT JOIN key_auth k ON k.id = n.id WHERE k.imported_from IS NULL;
    -- What is counted here still holds at the end.
    PERFORM 1 FROM accounts WHERE slug IN (SELECT k.account FROM added n JOIN key_auth k ON k.id = n.id) ORDER BY slug FOR UPDATE;
    IF imported <> '{}' THEN
        PERFORM keyrack_refuse('admin', 'import keys');
        PERFORM keyrack_imported(imported, present);
        IF cardinality(imported) = (SELECT count(*) FROM added) THEN
            RETURN NULL;
        END IF;
    END IF;
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
            WHEN k.revoke_at IS NOT NULL AND k.planned_by IS DISTINCT FROM session_user::text THEN 'its revocation is planned by who is logged in'
            WHEN k.not_before >= k.expires_at THEN 'it would end before it begins'
            -- A date is the end of a day somewhere.
            WHEN (i.policy -> 'expiry' ->> 'max-days')::bigint * 86400 + 172800
                < coalesce(extract(epoch FROM CASE WHEN k.revoke_at IS NULL THEN k.expires_at ELSE k.own_expiry END - k.created_at), 1e15)
                THEN 'it would live longer than its policy allows'
            WHEN n.predecessor IS NOT NULL AND p.account IS DISTINCT FROM k.account THEN 'it replaces a key of another account'
            WHEN EXISTS (SELECT FROM key_auth s WHERE s.id = o.successor AND s.ends_at > k.created_at) THEN 'what it replaces has a successor'
            WHEN NOT starts_with(n.preview, i.policy -> 'format' ->> 'prefix') THEN 'it has another prefix'
            WHEN (i.policy -> 'caps' ->> 'creations-per-minute')::bigint
                < (SELECT count(*) FROM key_auth c WHERE c.account = k.account AND c.created_at > k.created_at - interval '1 minute'
                    AND c.imported_from IS NULL)
                THEN 'the account makes keys too fast'
            -- One that takes the place of a key at once adds none, unless that one stands beside another already.
            WHEN NOT (p.id IS NOT NULL AND n.overlap_seconds = 0
                    AND NOT EXISTS (SELECT FROM key_auth b WHERE b.id = o.predecessor AND b.ends_at > present))
                AND (i.policy -> 'caps' ->> 'active-keys')::bigint
                    < (SELECT count(*) FROM key_auth c WHERE c.account = k.account AND c.ends_at > k.created_at)
                THEN 'the account has as many keys as it may'
        END AS why
        INTO bad FROM added n LEFT JOIN key_auth k ON k.id = n.id LEFT JOIN accounts a ON a.slug = k.account LEFT JOIN issuers i ON i.slug = a.issuer
        LEFT JOIN keys o ON o.id = n.predecessor LEFT JOIN key_auth p ON p.id = n.predecessor
        WHERE k.imported_from IS NULL ORDER BY why LIMIT 1;
    IF bad.why IS NOT NULL THEN
        RAISE EXCEPTION 'key % can''t be made: %', bad.id, bad.why;
    END IF;
    RETURN NULL;
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
            OR action LIKE 'freeze.%' OR action LIKE 'creation.%' OR action = 'key.import' OR action LIKE 'export.%'
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
        OR (a.action IN ('key.create', 'key.rotate', 'key.import') AND m.created_by IS DISTINCT FROM session_user::text)
        OR (a.action = 'key.import' AND k.imported_from IS NULL)
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

CREATE OR REPLACE FUNCTION keyrack_use_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    used record;
    present timestamptz := keyrack_now();
    before timestamptz;
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'keys are revoked, never deleted';
    END IF;
    -- What another product knew of a key's last use comes with the key, which tells it already.
    IF TG_OP = 'INSERT' THEN
        PERFORM 1 FROM key_auth k WHERE k.id = NEW.id AND k.imported_from IS NOT NULL AND k.first_used_at = NEW.last_used_at
            AND k.created_at >= transaction_timestamp() - interval '1 minute';
        IF FOUND THEN
            RETURN NEW;
        END IF;
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

-- As in 0010.
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['keyrack_scheme_stays()', 'keyrack_imported(uuid[], timestamptz)', 'keyrack_keys_added()', 'keyrack_audit_end()', 'keyrack_use_guard()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', one, current_schema());
        EXECUTE format('ALTER FUNCTION %s SET jit = off', one);
    END LOOP;
END $$;
