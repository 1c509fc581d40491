-- Where keys are tried from after their end, and for what: counted by the hour, so many places an hour and key at most.
CREATE TABLE late_tries (
    key      uuid NOT NULL,
    hour     timestamptz NOT NULL,                   -- the hour's beginning
    network  text COLLATE "C" NOT NULL,              -- /24 of IPv4, /48 of IPv6; '' where nobody said, '*' for all that are too many
    endpoint text COLLATE "C" NOT NULL,              -- by the name of its route; '' where there is none
    tries    bigint NOT NULL CHECK (tries >= 0),
    last_at  timestamptz NOT NULL,
    PRIMARY KEY (key, hour, network, endpoint)
);
-- whoever forgets those that are too old.
CREATE INDEX late_by_hour ON late_tries (hour);

-- Gates count them, and take none back.
CREATE FUNCTION keyrack_late_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF (NOT (isfinite(NEW.hour) AND isfinite(NEW.last_at) AND greatest(NEW.hour, NEW.last_at) <= keyrack_now() + interval '1 hour')
        OR (TG_OP = 'UPDATE' AND ((NEW.key, NEW.hour, NEW.network, NEW.endpoint) IS DISTINCT FROM (OLD.key, OLD.hour, OLD.network, OLD.endpoint)
            OR NEW.tries < OLD.tries OR NEW.last_at < OLD.last_at))) AND NOT keyrack_is_superuser() THEN
        RAISE EXCEPTION 'tries are counted, never taken back' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER late_guard BEFORE INSERT OR UPDATE ON late_tries FOR EACH ROW EXECUTE FUNCTION keyrack_late_guard();

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION keyrack_late_guard() SET search_path = %I, pg_temp', current_schema());
    ALTER FUNCTION keyrack_late_guard() SET jit = off;
END $$;

DO $$
DECLARE
    grants text[] := ARRAY[
        'GRANT SELECT ON late_tries TO keyrack_viewer, keyrack_console, keyrack_operator, keyrack_admin, keyrack_sweeper, keyrack_gate',
        'GRANT INSERT, DELETE, UPDATE (tries, last_at) ON late_tries TO keyrack_gate'
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
