-- For how long a gate answers from memory after it began to read the database's state; 0: it proves each answer.
ALTER TABLE gates ADD COLUMN stale_ms bigint NOT NULL DEFAULT 0 CHECK (stale_ms BETWEEN 0 AND 60000);

-- As 0010 has it; and its lease is what it began with.
CREATE OR REPLACE FUNCTION keyrack_gates_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.login := session_user;
    END IF;
    IF keyrack_is_superuser() THEN
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP <> 'INSERT' AND coalesce(OLD.login, session_user) <> session_user THEN
        IF TG_OP = 'DELETE' AND OLD.beat_at < keyrack_now() - interval '1 day' + interval '1 minute' THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'the gate % is another login''s', OLD.name USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    NEW.login := session_user;
    NEW.beat_at := keyrack_now();
    IF TG_OP = 'INSERT' THEN
        NEW.began_at := NEW.beat_at;
        NEW.applied_at := NEW.beat_at;
    ELSE
        IF (NEW.id, NEW.name, NEW.host, NEW.listen, NEW.began_at, NEW.lease_ms, NEW.stale_ms)
                IS DISTINCT FROM (OLD.id, OLD.name, OLD.host, OLD.listen, OLD.began_at, OLD.lease_ms, OLD.stale_ms) OR NEW.flushed < OLD.flushed THEN
            RAISE EXCEPTION 'what a gate is never changes';
        END IF;
        NEW.applied_at := CASE WHEN NEW.applied_seq = OLD.applied_seq THEN OLD.applied_at ELSE NEW.beat_at END;
        IF NEW.flushed <> OLD.flushed THEN
            NEW.beat_at := OLD.beat_at;
        END IF;
    END IF;
    IF NEW.applied_seq > (SELECT seq FROM audit_head) THEN
        RAISE EXCEPTION 'a gate confirms what the audit tells, and no more';
    END IF;
    RETURN NEW;
END $$;
-- As in 0010.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION keyrack_gates_guard() SET search_path = %I, pg_temp', current_schema());
    ALTER FUNCTION keyrack_gates_guard() SET jit = off;
END $$;
