-- What a key is may be edited while it has not ended; and it has an owner and tags.

ALTER TABLE keys
    ADD COLUMN IF NOT EXISTS owner      text,
    ADD COLUMN IF NOT EXISTS owner_key  text COLLATE "C",  -- the owner folded, to look for
    ADD COLUMN IF NOT EXISTS owner_mail text COLLATE "C",
    ADD COLUMN IF NOT EXISTS tags       text COLLATE "C" NOT NULL DEFAULT '';  -- space-separated, in their order
ALTER TABLE keys ADD CONSTRAINT keys_owner_sound CHECK (odd OR (length(owner) <= 1000 AND length(owner_key) <= 10000
    AND length(owner_mail) <= 1000 AND length(tags) <= 10000)) NOT VALID;
-- whoever asks what somebody owns, by name or address; which keys have a tag.
CREATE INDEX IF NOT EXISTS keys_owner ON keys (owner_key, id) WHERE owner_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS keys_owner_mail ON keys (lower(owner_mail)) WHERE owner_mail IS NOT NULL;
CREATE INDEX IF NOT EXISTS keys_tags ON keys USING gin (string_to_array(tags, ' ')) WHERE tags <> '';

-- As 0014 has them, and with edits.
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
    IF refused IS NULL AND OLD.ends_at <= keyrack_now() AND ((NEW.scopes, NEW.allow) IS DISTINCT FROM (OLD.scopes, OLD.allow)
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
    IF refused IS NOT NULL AND NOT keyrack_is_superuser() THEN
        RAISE EXCEPTION '%', refused;
    END IF;
    RETURN NEW;
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
            WHERE n.expires_at IS DISTINCT FROM o.expires_at AND coalesce(n.expires_at, 'infinity') > coalesce(o.expires_at, 'infinity')
            AND (i.policy -> 'expiry' ->> 'max-days')::bigint * 86400 + 172800 < coalesce(extract(epoch FROM n.expires_at - n.created_at), 1e15) LIMIT 1;
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
                array_agg(n.id) FILTER (WHERE n.expires_at IS DISTINCT FROM o.expires_at) AS retired,
                array_agg(n.id) FILTER (WHERE n.limits IS DISTINCT FROM o.limits) AS limited,
                array_agg(n.id) FILTER (WHERE n.scopes <> o.scopes OR n.allow <> o.allow) AS edited,
                array_agg(n.id) FILTER (WHERE n.paused_until IS NOT NULL AND (n.paused_at, n.paused_until, n.paused_by, n.pause_message, n.pause_reason)
                    IS DISTINCT FROM (o.paused_at, o.paused_until, o.paused_by, o.pause_message, o.pause_reason)) AS paused,
                array_agg(n.id) FILTER (WHERE n.paused_until IS NULL AND o.paused_until IS NOT NULL) AS resumed
            FROM after n JOIN before o ON o.id = n.id) AS c;
    RETURN NULL;
END $$;

-- As in 0010.
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['keyrack_auth_guard()', 'keyrack_keys_changed()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', one, current_schema());
        EXECUTE format('ALTER FUNCTION %s SET jit = off', one);
    END LOOP;
END $$;

DO $$
DECLARE
    grants text[] := ARRAY[
        'GRANT UPDATE (scopes, allow) ON key_auth TO keyrack_operator, keyrack_admin, keyrack_console',
        'GRANT UPDATE (name, name_key, description, search, owner, owner_key, owner_mail, tags) ON keys TO keyrack_operator, keyrack_admin, keyrack_console'
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
