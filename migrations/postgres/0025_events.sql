-- Programs that are told of what happens: where each is, what it asks for, how far it has got. The secrets that deliveries are signed
-- with are never here.

CREATE TABLE endpoints (
    name          text COLLATE "C" PRIMARY KEY,
    url           text NOT NULL,                     -- it may hold a token: admins and senders alone read it
    place         text NOT NULL,                     -- the same without it
    kinds         text NOT NULL,                     -- of events, with blanks between; empty: all
    secret        text NOT NULL,                     -- `file PATH` or `credential NAME`, where it is sent from
    created_at    timestamptz NOT NULL,
    created_by    text NOT NULL,
    next_seq      bigint NOT NULL CHECK (next_seq >= 1), -- the number of the next event
    last_id       text,                              -- what the event before it was called
    taken_at      timestamptz,                       -- when it last took one
    answer        text,
    failing_since timestamptz,
    retry_at      timestamptz,
    tries         bigint NOT NULL DEFAULT 0,
    lease_by      text,                              -- the sender that has it, until then
    lease_until   timestamptz,
    turns         bigint NOT NULL DEFAULT 0,         -- counts what senders write
    CONSTRAINT endpoints_sound CHECK (isfinite(created_at) AND isfinite(taken_at) AND isfinite(failing_since) AND isfinite(retry_at)
        AND isfinite(lease_until) AND length(name) <= 200 AND length(url) <= 10000 AND length(place) <= 10000 AND length(kinds) <= 10000
        AND length(secret) <= 10000 AND length(created_by) <= 1000 AND length(last_id) <= 200 AND length(answer) <= 10000
        AND length(lease_by) <= 200)
);

-- whoever asks for a report, or for the audit of some time.
CREATE INDEX audit_by_time ON audit (at);

CREATE FUNCTION keyrack_endpoints_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    refused text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        refused := CASE
            WHEN NEW.created_by <> session_user OR NOT keyrack_is_now(NEW.created_at) THEN 'it is added by who is logged in, and now'
            WHEN num_nonnulls(NEW.last_id, NEW.taken_at, NEW.answer, NEW.failing_since, NEW.retry_at, NEW.lease_by, NEW.lease_until) > 0
                OR NEW.tries <> 0 OR NEW.turns <> 0 THEN 'a new endpoint has taken nothing'
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
    END IF;
    IF refused IS NOT NULL AND NOT keyrack_is_superuser() THEN
        RAISE EXCEPTION '%', refused;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION keyrack_endpoints_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NOT keyrack_is_superuser() THEN
        IF TG_OP = 'INSERT' THEN
            PERFORM keyrack_owe(ARRAY['endpoint.add'], NULL, ARRAY[NEW.name]);
        ELSE
            PERFORM keyrack_owe(ARRAY['endpoint.remove'], NULL, ARRAY[OLD.name]);
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER endpoints_demand BEFORE INSERT OR DELETE OR TRUNCATE ON endpoints FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('admin');
CREATE TRIGGER endpoints_guard BEFORE INSERT OR UPDATE ON endpoints FOR EACH ROW EXECUTE FUNCTION keyrack_endpoints_guard();
CREATE TRIGGER endpoints_changed AFTER INSERT OR DELETE ON endpoints FOR EACH ROW EXECUTE FUNCTION keyrack_endpoints_changed();

-- Who may delete from a table may lock it, and stop everybody: endpoints are removed by this alone. Answers how many were.
CREATE FUNCTION keyrack_remove_endpoint(which text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    removed bigint;
BEGIN
    IF NOT keyrack_is_superuser() THEN
        PERFORM keyrack_refuse('admin', 'remove endpoints');
    END IF;
    DELETE FROM endpoints WHERE name = which;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $$;

-- What the audit tells of endpoints is so, and told by an admin.
CREATE FUNCTION keyrack_audit_of_endpoints() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF keyrack_is_superuser() THEN
        RETURN NULL;
    END IF;
    PERFORM keyrack_refuse('admin', 'write this into the audit');
    IF (CASE NEW.action
            WHEN 'endpoint.add' THEN NOT EXISTS (SELECT FROM endpoints e WHERE e.name = NEW.subject AND e.created_by = session_user)
            WHEN 'endpoint.remove' THEN EXISTS (SELECT FROM endpoints e WHERE e.name = NEW.subject)
            ELSE true
        END) THEN
        RAISE EXCEPTION 'the audit would tell of % for %, which was not done', NEW.action, NEW.subject;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_of_endpoints AFTER INSERT ON audit FOR EACH ROW WHEN (NEW.action LIKE 'endpoint.%')
    EXECUTE FUNCTION keyrack_audit_of_endpoints();

-- As in 0010.
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['keyrack_endpoints_guard()', 'keyrack_endpoints_changed()', 'keyrack_audit_of_endpoints()',
            'keyrack_remove_endpoint(text)'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', one, current_schema());
        EXECUTE format('ALTER FUNCTION %s SET jit = off', one);
    END LOOP;
END $$;

-- Who sends reads what happened, and takes note of who has got it.
DO $$
BEGIN
    CREATE ROLE keyrack_sender NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'role keyrack_sender is missing and % may not make it', session_user;
END $$;

DO $$
DECLARE
    grants text[] := ARRAY[
        'GRANT USAGE ON SCHEMA %1$I TO keyrack_sender',
        'GRANT SELECT ON issuers, accounts, operators, keys, key_auth, key_use, readable, holds, gates, audit, audit_head, _sqlx_migrations, endpoints TO keyrack_sender',
        'GRANT UPDATE (next_seq, last_id, taken_at, answer, failing_since, retry_at, tries, lease_by, lease_until, turns) ON endpoints TO keyrack_sender',
        'GRANT SELECT (name, place, kinds, secret, created_at, created_by, next_seq, last_id, taken_at, answer, failing_since, retry_at, tries, lease_by, lease_until, turns) ON endpoints TO keyrack_viewer, keyrack_operator, keyrack_console, keyrack_sweeper',
        'GRANT SELECT ON endpoints TO keyrack_admin',
        'GRANT INSERT ON endpoints TO keyrack_admin, keyrack_console'
    ];
    statement text;
BEGIN
    FOREACH statement IN ARRAY grants LOOP
        BEGIN
            EXECUTE format(statement, current_schema());
        EXCEPTION WHEN undefined_object THEN
            RAISE NOTICE 'not granted, because a role is missing: %', statement;
        END;
    END LOOP;
END $$;
