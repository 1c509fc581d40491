-- As 0016 has it, and a key can be paused instead: until `pauses`, unless it is paused for longer or was revoked. Answers whether
-- the key was revoked or paused by this.
CREATE FUNCTION keyrack_leaked(secret bytea, source text, place text, revokes boolean, pauses timestamptz, operation uuid, host text)
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
    SELECT k.id, k.account, k.revoked_at, k.paused_until, m.name, m.preview INTO leak
        FROM key_auth k JOIN keys m ON m.id = k.id WHERE k.hash = secret FOR UPDATE OF k;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    done := leak.revoked_at IS NULL
        AND (revokes OR coalesce(pauses > present AND coalesce(leak.paused_until < pauses, true), false));
    IF done AND revokes THEN
        UPDATE key_auth SET revoked_at = present, revoked_by = session_user, revoke_reason = why WHERE id = leak.id;
    ELSIF done THEN
        UPDATE key_auth SET paused_at = present, paused_until = pauses, paused_by = session_user, pause_message = NULL, pause_reason = why
            WHERE id = leak.id;
    END IF;
    INSERT INTO audit (at, actor, host, client, operation, action, subject, account, key, detail) VALUES (present, session_user, host, left(source, 100),
        operation, CASE WHEN NOT done THEN 'leak.report' WHEN revokes THEN 'key.revoke' ELSE 'key.pause' END, leak.id::text, leak.account, leak.id,
        jsonb_strip_nulls(jsonb_build_object('name', leak.name, 'preview', leak.preview, 'reason', CASE WHEN done THEN why END,
            'until', CASE WHEN done AND NOT revokes THEN to_char(pauses AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END,
            'source', source, 'place', place))::text);
    RETURN done;
END $$;

-- Gates of the version before ask this; who may is asked behind it.
CREATE OR REPLACE FUNCTION keyrack_leaked(secret bytea, source text, place text, ends boolean, operation uuid, host text)
    RETURNS boolean LANGUAGE sql AS 'SELECT keyrack_leaked(secret, source, place, ends, NULL, operation, host)';
ALTER FUNCTION keyrack_leaked(bytea, text, text, boolean, uuid, text) SECURITY INVOKER;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION keyrack_leaked(bytea, text, text, boolean, timestamptz, uuid, text) SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION keyrack_leaked(bytea, text, text, boolean, uuid, text) SET search_path = %I, pg_temp', current_schema());
    ALTER FUNCTION keyrack_leaked(bytea, text, text, boolean, timestamptz, uuid, text) SET jit = off;
END $$;
