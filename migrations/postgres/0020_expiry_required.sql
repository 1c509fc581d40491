-- A policy may require an expiry of every key: then none is made without one, and none loses it.

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
            WHERE n.expires_at IS NULL AND i.policy -> 'expiry' ->> 'require-expiry' = 'true' LIMIT 1;
    ELSE
        SELECT n.id INTO endless FROM after n JOIN before o ON o.id = n.id JOIN issuers i ON i.slug = n.issuer
            WHERE n.expires_at IS NULL AND o.expires_at IS NOT NULL AND i.policy -> 'expiry' ->> 'require-expiry' = 'true' LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION 'key % would never expire, and its policy requires an expiry', endless;
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS auth_expiry_new ON key_auth;
CREATE TRIGGER auth_expiry_new AFTER INSERT ON key_auth REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION keyrack_expiry_required();
DROP TRIGGER IF EXISTS auth_expiry_anew ON key_auth;
CREATE TRIGGER auth_expiry_anew AFTER UPDATE ON key_auth REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION keyrack_expiry_required();

-- As in 0010.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION keyrack_expiry_required() SET search_path = %I, pg_temp', current_schema());
    ALTER FUNCTION keyrack_expiry_required() SET jit = off;
END $$;
