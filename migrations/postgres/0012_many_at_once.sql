-- Many rows of the audit in one statement: each hangs on the one before it without a look into a table, and at the
-- statement's end all of them are checked at once against the head, which is locked. What is remembered between two rows is
-- a setting, which the login that writes could spoil: such rows are refused there.

CREATE OR REPLACE FUNCTION keyrack_audit_begin() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    head audit_head%ROWTYPE;
BEGIN
    SELECT * INTO head FROM audit_head FOR UPDATE;
    IF EXISTS (SELECT FROM audit a WHERE a.seq > head.seq) THEN
        RAISE EXCEPTION 'the audit has a row behind its end: see keyrack audit verify';
    END IF;
    UPDATE audit_head SET first = seq + 1, xact = pg_current_xact_id(), began = transaction_timestamp()
        WHERE xact IS DISTINCT FROM pg_current_xact_id() OR began IS DISTINCT FROM transaction_timestamp();
    PERFORM set_config('keyrack.last', head.seq || ' ' || encode(head.hash, 'hex'), true);
    RETURN NULL;
END $$;

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
            || coalesce(int8send(length(convert_to(NEW.detail, 'UTF8'))) || convert_to(NEW.detail, 'UTF8'), missing));
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
                || keyrack_audit_field(convert_to(a.detail, 'UTF8'))))) THEN
        RAISE EXCEPTION 'the audit grows only at its end';
    END IF;
    RETURN NULL;
END $$;
-- Triggers fire in the order of their names: this one before the head is moved by `audit_ends`.
DROP TRIGGER IF EXISTS audit_checked ON audit;
CREATE TRIGGER audit_checked AFTER INSERT ON audit REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keyrack_audit_check();

-- As in 0010.
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['keyrack_audit_begin()', 'keyrack_audit_check()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', one, current_schema());
        EXECUTE format('ALTER FUNCTION %s SET jit = off', one);
    END LOOP;
END $$;
