-- What each change asks is planned once a session and answered by an index, however long the audit is.

-- `EXISTS (… WHERE a.seq > head.seq)` was planned as if a third of all rows fitted, and read the whole audit to find none.
CREATE OR REPLACE FUNCTION keyrack_audit_begin() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    head audit_head%ROWTYPE;
BEGIN
    SELECT * INTO head FROM audit_head FOR UPDATE;
    IF (SELECT max(a.seq) FROM audit a) > head.seq THEN
        RAISE EXCEPTION 'the audit has a row behind its end: see keyrack audit verify';
    END IF;
    UPDATE audit_head SET first = seq + 1, xact = pg_current_xact_id(), began = transaction_timestamp()
        WHERE xact IS DISTINCT FROM pg_current_xact_id() OR began IS DISTINCT FROM transaction_timestamp();
    PERFORM set_config('keyrack.last', head.seq || ' ' || encode(head.hash, 'hex'), true);
    RETURN NULL;
END $$;

-- A function in SQL is planned anew by each statement that calls it, one in PL/pgSQL is not.
CREATE OR REPLACE FUNCTION keyrack_is_superuser() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user);
END $$;

CREATE OR REPLACE FUNCTION keyrack_hold_role() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    held text;
BEGIN
    SELECT o.role INTO held FROM operators o WHERE o.name = session_user FOR SHARE;
    RETURN held;
END $$;

CREATE OR REPLACE FUNCTION keyrack_owe(actions text[], keys uuid[], subjects text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(keyrack_owe.keys::text[], keyrack_owe.subjects) <> '{}' THEN
        INSERT INTO owed (actions, keys, subjects) VALUES (keyrack_owe.actions, keyrack_owe.keys, keyrack_owe.subjects);
    END IF;
END $$;

-- As in 0010.
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['keyrack_audit_begin()', 'keyrack_is_superuser()', 'keyrack_hold_role()', 'keyrack_owe(text[], uuid[], text[])'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', one, current_schema());
        EXECUTE format('ALTER FUNCTION %s SET jit = off', one);
    END LOOP;
END $$;

-- The server takes a small table that it has not counted for one of a thousand rows, and reads the whole audit to join it.
ANALYZE audit_head;
