-- As 0025 has it; a new endpoint skips nothing that has not happened, and no sender keeps others from an endpoint for long.

CREATE OR REPLACE FUNCTION keyrack_endpoints_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    refused text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        refused := CASE
            WHEN NEW.created_by <> session_user OR NOT keyrack_is_now(NEW.created_at) THEN 'it is added by who is logged in, and now'
            WHEN num_nonnulls(NEW.last_id, NEW.taken_at, NEW.answer, NEW.failing_since, NEW.retry_at, NEW.lease_by, NEW.lease_until) > 0
                OR NEW.tries <> 0 OR NEW.turns <> 0 THEN 'a new endpoint has taken nothing'
            WHEN NEW.next_seq > (SELECT seq + 1 FROM audit_head) THEN 'nothing is skipped that has not happened'
        END;
    ELSIF (NEW.name, NEW.url, NEW.place, NEW.kinds, NEW.secret, NEW.created_at, NEW.created_by)
            IS DISTINCT FROM (OLD.name, OLD.url, OLD.place, OLD.kinds, OLD.secret, OLD.created_at, OLD.created_by) THEN
        RAISE EXCEPTION 'what an endpoint is never changes: remove it and add it again';
    ELSIF NEW.next_seq < OLD.next_seq THEN
        RAISE EXCEPTION 'what an endpoint has got it has';
    ELSIF NEW.next_seq > (SELECT seq + 1 FROM audit_head) THEN
        refused := 'nothing is skipped that has not happened';
    ELSIF NEW.turns <> OLD.turns + 1 THEN
        refused := 'a sender counts what it writes';
    ELSIF NEW.lease_until > keyrack_now() + interval '2 minutes' THEN
        refused := 'a sender has an endpoint for half a minute, and then for another';
    END IF;
    IF refused IS NOT NULL AND NOT keyrack_is_superuser() THEN
        RAISE EXCEPTION '%', refused;
    END IF;
    RETURN NEW;
END $$;

-- As in 0010.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION keyrack_endpoints_guard() SET search_path = %I, pg_temp', current_schema());
    ALTER FUNCTION keyrack_endpoints_guard() SET jit = off;
END $$;
