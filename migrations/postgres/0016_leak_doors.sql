-- What a gate may do about a key that leaked: by this function alone, for the key whose secret's hash it names, and only if an
-- admin gave its login the role of an operator. It writes the audit's row, and revokes if that is wanted.
CREATE FUNCTION keyrack_leaked(secret bytea, source text, place text, ends boolean, operation uuid, host text)
    RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    leak record;
    -- Time never goes back.
    present timestamptz := greatest(keyrack_now(), (SELECT a.at FROM audit a JOIN audit_head h ON h.seq = a.seq));
    why text := left(source || coalesce(': ' || place, ''), 500);
    done boolean;
BEGIN
    IF NOT keyrack_is_superuser() THEN
        IF NOT has_table_privilege(session_user, 'gates', 'INSERT') THEN
            RAISE EXCEPTION 'gates tell of leaked keys' USING ERRCODE = 'insufficient_privilege';
        END IF;
        PERFORM keyrack_refuse('operator', 'tell of leaked keys');
    END IF;
    SELECT k.id, k.account, k.revoked_at, m.name, m.preview INTO leak
        FROM key_auth k JOIN keys m ON m.id = k.id WHERE k.hash = secret FOR UPDATE OF k;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    done := ends AND leak.revoked_at IS NULL;
    IF done THEN
        UPDATE key_auth SET revoked_at = present, revoked_by = session_user, revoke_reason = why WHERE id = leak.id;
    END IF;
    INSERT INTO audit (at, actor, host, client, operation, action, subject, account, key, detail) VALUES (present, session_user, host, left(source, 100),
        operation, CASE WHEN done THEN 'key.revoke' ELSE 'leak.report' END, leak.id::text, leak.account, leak.id,
        jsonb_strip_nulls(jsonb_build_object('name', leak.name, 'preview', leak.preview, 'reason', CASE WHEN done THEN why END,
            'source', source, 'place', place))::text);
    RETURN done;
END $$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION keyrack_leaked(bytea, text, text, boolean, uuid, text) SET search_path = %I, pg_temp', current_schema());
    ALTER FUNCTION keyrack_leaked(bytea, text, text, boolean, uuid, text) SET jit = off;
END $$;

-- The audit tells of keys by who may make some. This makes none: a gate may not write what goes before it.
DO $$
BEGIN
    GRANT INSERT ON keys TO keyrack_gate;
EXCEPTION WHEN undefined_object THEN
    RAISE NOTICE 'not granted, because the role keyrack_gate is missing';
END $$;
