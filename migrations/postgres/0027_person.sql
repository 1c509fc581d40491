-- The person behind the actor, where several share a login: a sign a line, `claimed ssh-key SHA256:…`. The actor is the session's login,
-- which the server knows; this is the client's word, so that it can't say "checked". A row without it is hashed as ever.

ALTER TABLE audit ADD COLUMN person text;
-- No row has one yet.
ALTER TABLE audit ADD CONSTRAINT audit_person CHECK (length(person) <= 10000 AND person !~ '(^|\n)checked ') NOT VALID;

-- Programs of earlier versions would take the new rows for edited ones.
UPDATE readable SET since = 27;

-- It reads no table, and has no rights and no settings of its own: those cost more than all that it does.
CREATE OR REPLACE FUNCTION keyrack_audit_grow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last text := current_setting('keyrack.last');
    place bigint := split_part(last, ' ', 1)::bigint + 1;
    missing CONSTANT bytea := '\xffffffffffffffff';
BEGIN
    IF NEW.seq IS NULL THEN
        NEW.seq := place;
    ELSIF NEW.seq <> place THEN
        RAISE EXCEPTION 'the audit grows only at its end';
    END IF;
    IF NEW.hash IS NULL OR NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user) THEN
        NEW.hash := sha256(decode(split_part(last, ' ', 2), 'hex') || int8send(NEW.seq)
            || int8send((extract(epoch FROM NEW.at) * 1000000)::bigint)
            || coalesce(int8send(length(convert_to(NEW.actor, 'UTF8'))) || convert_to(NEW.actor, 'UTF8'), missing)
            || coalesce(int8send(length(convert_to(NEW.host, 'UTF8'))) || convert_to(NEW.host, 'UTF8'), missing)
            || coalesce(int8send(length(convert_to(NEW.client, 'UTF8'))) || convert_to(NEW.client, 'UTF8'), missing)
            || coalesce(int8send(16) || uuid_send(NEW.operation), missing)
            || coalesce(int8send(length(convert_to(NEW.action, 'UTF8'))) || convert_to(NEW.action, 'UTF8'), missing)
            || coalesce(int8send(length(convert_to(NEW.subject, 'UTF8'))) || convert_to(NEW.subject, 'UTF8'), missing)
            || coalesce(int8send(length(convert_to(NEW.account, 'UTF8'))) || convert_to(NEW.account, 'UTF8'), missing)
            || coalesce(int8send(16) || uuid_send(NEW.key), missing)
            || coalesce(int8send(length(convert_to(NEW.detail, 'UTF8'))) || convert_to(NEW.detail, 'UTF8'), missing)
            || coalesce(int8send(length(convert_to(NEW.person, 'UTF8'))) || convert_to(NEW.person, 'UTF8'), ''));
    END IF;
    PERFORM set_config('keyrack.last', NEW.seq || ' ' || encode(NEW.hash, 'hex'), true);
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION keyrack_audit_check() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    head audit_head%ROWTYPE;
    demo boolean;
    super boolean := keyrack_is_superuser();
    present timestamptz := keyrack_now();
    earliest timestamptz := present - interval '1 second'
        - least(pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp(), interval '1 minute');
    newest timestamptz;
BEGIN
    SELECT * INTO head FROM audit_head;
    SELECT a.at INTO newest FROM audit a WHERE a.seq = head.seq;
    demo := coalesce(head.demo_by = session_user AND head.demo_until > present, false);
    -- As `keyrack_is_now` has it, for all rows at once.
    IF NOT super AND EXISTS (SELECT FROM added a WHERE (a.actor <> session_user
            OR NOT coalesce((a.at <= present + interval '1 second' AND a.at >= earliest) OR (a.at > present AND a.at <= newest), false))
            AND NOT (demo AND a.at <= present AND a.action LIKE 'key.%')) THEN
        RAISE EXCEPTION 'a row of the audit is written by who did it, when it is done' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF EXISTS (SELECT FROM (SELECT a.*, lag(a.hash, 1, head.hash) OVER w AS before, head.seq + row_number() OVER w AS place
                FROM added a WINDOW w AS (ORDER BY a.seq)) AS a
            WHERE a.seq <> a.place OR (NOT super AND a.hash <> sha256(a.before || int8send(a.seq)
                || int8send((extract(epoch FROM a.at) * 1000000)::bigint)
                || keyrack_audit_field(convert_to(a.actor, 'UTF8')) || keyrack_audit_field(convert_to(a.host, 'UTF8'))
                || keyrack_audit_field(convert_to(a.client, 'UTF8')) || keyrack_audit_field(uuid_send(a.operation))
                || keyrack_audit_field(convert_to(a.action, 'UTF8')) || keyrack_audit_field(convert_to(a.subject, 'UTF8'))
                || keyrack_audit_field(convert_to(a.account, 'UTF8')) || keyrack_audit_field(uuid_send(a.key))
                || keyrack_audit_field(convert_to(a.detail, 'UTF8'))
                || CASE WHEN a.person IS NULL THEN '' ELSE keyrack_audit_field(convert_to(a.person, 'UTF8')) END))) THEN
        RAISE EXCEPTION 'the audit grows only at its end';
    END IF;
    RETURN NULL;
END $$;

-- As in 0010.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION keyrack_audit_check() SET search_path = %I, pg_temp', current_schema());
    ALTER FUNCTION keyrack_audit_check() SET jit = off;
END $$;
