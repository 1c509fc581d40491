-- What a gate does that is told of a leaked key whose policy wants it paused: the pause and its row in the audit, for the one
-- key whose hash it names. Answers whether it is paused by this: one that is paused for longer, or was revoked, stays as it is.
CREATE FUNCTION keyrack_leak_paused(secret bytea, source text, place text, ends timestamptz, operation uuid, host text)
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
    done := leak.revoked_at IS NULL AND ends > present AND coalesce(leak.paused_until < ends, true);
    IF done THEN
        UPDATE key_auth SET paused_at = present, paused_until = ends, paused_by = session_user, pause_message = NULL, pause_reason = why
            WHERE id = leak.id;
    END IF;
    INSERT INTO audit (at, actor, host, client, operation, action, subject, account, key, detail) VALUES (present, session_user, host, left(source, 100),
        operation, CASE WHEN done THEN 'key.pause' ELSE 'leak.report' END, leak.id::text, leak.account, leak.id,
        jsonb_strip_nulls(jsonb_build_object('name', leak.name, 'preview', leak.preview, 'reason', CASE WHEN done THEN why END,
            'until', CASE WHEN done THEN to_char(ends AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END,
            'source', source, 'place', place))::text);
    RETURN done;
END $$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION keyrack_leak_paused(bytea, text, text, timestamptz, uuid, text) SET search_path = %I, pg_temp', current_schema());
    ALTER FUNCTION keyrack_leak_paused(bytea, text, text, timestamptz, uuid, text) SET jit = off;
END $$;
