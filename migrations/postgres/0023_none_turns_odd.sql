-- A row is odd because it held an odd value before 0009 looked. None is added as one, and none becomes one: the mark would lift
-- every check of its row, and a gate's login may write some of these tables.
CREATE FUNCTION keyrack_none_turns_odd() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % can''t be marked as odd', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
DO $$
DECLARE
    t text;
BEGIN
    FOR t IN SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND c.relkind = 'r' AND a.attname = 'odd' AND NOT a.attisdropped LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE INSERT ON %I FOR EACH ROW WHEN (NEW.odd)
            EXECUTE FUNCTION keyrack_none_turns_odd()', t || '_none_added_odd', t);
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I FOR EACH ROW WHEN (NEW.odd AND NOT OLD.odd)
            EXECUTE FUNCTION keyrack_none_turns_odd()', t || '_none_turns_odd', t);
    END LOOP;
END $$;
