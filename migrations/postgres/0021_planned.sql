-- What is planned of a key: from when on it works, and when it is revoked. Both follow from the clock: no process needs to live.
--
-- `expires_at` is when the key stops, by its expiry or by its planned revocation, whichever comes first: all that decides by it
-- goes on to decide rightly. The expiry itself is `own_expiry` where a revocation is planned, else `expires_at`.
-- A program that knows of none of it would let pass what may not yet, so that no older one can read this.

ALTER TABLE key_auth
    ADD COLUMN IF NOT EXISTS not_before  timestamptz,  -- the key is refused before this instant
    ADD COLUMN IF NOT EXISTS revoke_at   timestamptz,  -- from then on it is revoked
    ADD COLUMN IF NOT EXISTS planned_by  text,         -- who planned the revocation
    ADD COLUMN IF NOT EXISTS plan_reason text,
    ADD COLUMN IF NOT EXISTS own_expiry  timestamptz;
ALTER TABLE key_auth ADD CONSTRAINT key_auth_plan_sound CHECK (odd OR (isfinite(not_before) AND isfinite(revoke_at) AND isfinite(own_expiry)
    AND not_before >= '0001-01-01 00:00:00+00' AND not_before < '10000-01-01 00:00:00+00'
    AND revoke_at >= '0001-01-01 00:00:00+00' AND revoke_at < '10000-01-01 00:00:00+00'
    AND own_expiry >= '0001-01-01 00:00:00+00' AND own_expiry < '10000-01-01 00:00:00+00'
    AND length(planned_by) <= 1000 AND length(plan_reason) <= 10000
    AND CASE WHEN revoke_at IS NULL THEN num_nonnulls(own_expiry, planned_by, plan_reason) = 0
        ELSE expires_at IS NOT DISTINCT FROM least(own_expiry, revoke_at) END)) NOT VALID;
-- whoever asks what is planned, or what was revoked by plan.
CREATE INDEX IF NOT EXISTS auth_planned ON key_auth (not_before, id) WHERE not_before IS NOT NULL;
CREATE INDEX IF NOT EXISTS auth_revoke_at ON key_auth (revoke_at, id) WHERE revoke_at IS NOT NULL;

UPDATE readable SET since = 21;

-- As 0014, 0017 and 0020 have them, and with plans.
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
    IF refused IS NULL AND OLD.ends_at <= keyrack_now() AND ((NEW.scopes, NEW.allow, NEW.not_before, NEW.revoke_at, NEW.planned_by, NEW.plan_reason)
            IS DISTINCT FROM (OLD.scopes, OLD.allow, OLD.not_before, OLD.revoke_at, OLD.planned_by, OLD.plan_reason)
            OR (NEW.expires_at IS DISTINCT FROM OLD.expires_at AND (NEW.expires_at IS NULL OR NEW.expires_at > OLD.expires_at))) THEN
        refused := 'what has ended stays as it is';
    END IF;
    IF refused IS NULL AND NEW.expires_at IS DISTINCT FROM OLD.expires_at AND NOT isfinite(NEW.expires_at) THEN
        refused := 'a key''s end lies in the calendar';
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
    IF refused IS NULL AND (NEW.revoke_at, NEW.planned_by, NEW.plan_reason) IS DISTINCT FROM (OLD.revoke_at, OLD.planned_by, OLD.plan_reason)
            AND NEW.revoke_at IS NOT NULL AND (NEW.planned_by IS DISTINCT FROM session_user::text OR NEW.revoke_at <= keyrack_now()) THEN
        refused := 'a revocation is planned by who is logged in, and ahead';
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
    long uuid;
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
                    array_agg(n.id) FILTER (WHERE (n.owner, n.owner_mail, n.tags) IS DISTINCT FROM (o.owner, o.owner_mail, o.tags)
                        OR (n.name <> o.name AND normalize(n.name, NFC) <> normalize(o.name, NFC))
                        OR (n.description <> o.description AND normalize(n.description, NFC) <> normalize(o.description, NFC))) AS edited
                FROM after n JOIN before o ON o.id = n.id) AS c;
        RETURN NULL;
    END IF;
    -- As at their making: what is given more time stays within its policy's.
    IF demo IS NULL THEN
        SELECT n.id INTO long FROM after n JOIN before o ON o.id = n.id JOIN issuers i ON i.slug = n.issuer
            CROSS JOIN LATERAL (SELECT CASE WHEN n.revoke_at IS NULL THEN n.expires_at ELSE n.own_expiry END AS new,
                CASE WHEN o.revoke_at IS NULL THEN o.expires_at ELSE o.own_expiry END AS old) AS own
            WHERE (n.expires_at IS DISTINCT FROM o.expires_at AND coalesce(n.expires_at, 'infinity') > coalesce(o.expires_at, 'infinity')
                AND (i.policy -> 'expiry' ->> 'max-days')::bigint * 86400 + 172800 < coalesce(extract(epoch FROM n.expires_at - n.created_at), 1e15))
            OR (own.new IS DISTINCT FROM own.old AND coalesce(own.new, 'infinity') > coalesce(own.old, 'infinity')
                AND (i.policy -> 'expiry' ->> 'max-days')::bigint * 86400 + 172800 < coalesce(extract(epoch FROM own.new - n.created_at), 1e15)) LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'key % would live longer than its policy allows', long;
        END IF;
    END IF;
    PERFORM keyrack_owe(ARRAY['key.revoke', demo], c.revoked, NULL), keyrack_owe(ARRAY['key.acknowledge', demo], c.acknowledged, NULL),
            keyrack_owe(ARRAY['key.retire', 'key.edit', demo], c.retired, NULL), keyrack_owe(ARRAY['key.limit', demo], c.limited, NULL),
            keyrack_owe(ARRAY['key.edit', demo], c.edited, NULL), keyrack_owe(ARRAY['key.pause', demo], c.paused, NULL),
            keyrack_owe(ARRAY['key.resume', demo], c.resumed, NULL)
        FROM (SELECT array_agg(n.id) FILTER (WHERE n.revoked_at IS DISTINCT FROM o.revoked_at) AS revoked,
                array_agg(n.id) FILTER (WHERE n.acknowledged_at IS DISTINCT FROM o.acknowledged_at) AS acknowledged,
                array_agg(n.id) FILTER (WHERE (n.expires_at, n.own_expiry) IS DISTINCT FROM (o.expires_at, o.own_expiry)) AS retired,
                array_agg(n.id) FILTER (WHERE n.limits IS DISTINCT FROM o.limits) AS limited,
                array_agg(n.id) FILTER (WHERE n.scopes <> o.scopes OR n.allow <> o.allow
                    OR (n.not_before, n.revoke_at, n.planned_by, n.plan_reason)
                    IS DISTINCT FROM (o.not_before, o.revoke_at, o.planned_by, o.plan_reason)) AS edited,
                array_agg(n.id) FILTER (WHERE n.paused_until IS NOT NULL AND (n.paused_at, n.paused_until, n.paused_by, n.pause_message, n.pause_reason)
                    IS DISTINCT FROM (o.paused_at, o.paused_until, o.paused_by, o.pause_message, o.pause_reason)) AS paused,
                array_agg(n.id) FILTER (WHERE n.paused_until IS NULL AND o.paused_until IS NOT NULL) AS resumed
            FROM after n JOIN before o ON o.id = n.id) AS c;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION keyrack_expiry_required() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    endless uuid;
BEGIN
    IF keyrack_is_superuser() OR NOT EXISTS (SELECT FROM issuers i WHERE i.policy -> 'expiry' ->> 'require-expiry' = 'true')
        OR (SELECT coalesce(demo_by = session_user AND demo_until > keyrack_now(), false) FROM audit_head) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        SELECT n.id INTO endless FROM after n JOIN issuers i ON i.slug = n.issuer
            WHERE CASE WHEN n.revoke_at IS NULL THEN n.expires_at ELSE n.own_expiry END IS NULL AND i.policy -> 'expiry' ->> 'require-expiry' = 'true' LIMIT 1;
    ELSE
        SELECT n.id INTO endless FROM after n JOIN before o ON o.id = n.id JOIN issuers i ON i.slug = n.issuer
            WHERE CASE WHEN n.revoke_at IS NULL THEN n.expires_at ELSE n.own_expiry END IS NULL
            AND CASE WHEN o.revoke_at IS NULL THEN o.expires_at ELSE o.own_expiry END IS NOT NULL AND i.policy -> 'expiry' ->> 'require-expiry' = 'true' LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION 'key % would never expire, and its policy requires an expiry', endless;
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER auth_demand ON key_auth;
CREATE TRIGGER auth_demand BEFORE INSERT OR UPDATE OF id, account, issuer, hash, scopes, allow, created_at, expires_at, claim_by,
    acknowledged_at, revoked_at, revoked_by, revoke_reason, limits, paused_at, paused_until, paused_by, pause_message, pause_reason,
    not_before, revoke_at, planned_by, plan_reason, own_expiry
    ON key_auth FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('operator');

-- As in 0010.
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['keyrack_auth_guard()', 'keyrack_keys_added()', 'keyrack_keys_changed()', 'keyrack_expiry_required()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', one, current_schema());
        EXECUTE format('ALTER FUNCTION %s SET jit = off', one);
    END LOOP;
END $$;

DO $$
DECLARE
    grants text[] := ARRAY[
        'GRANT UPDATE (not_before, revoke_at, planned_by, plan_reason, own_expiry) ON key_auth TO keyrack_operator, keyrack_admin, keyrack_console'
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
