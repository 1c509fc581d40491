-- Changes of many keys that a second person has to approve, and the keys as the one who asked saw them.

CREATE TABLE approvals (
    n               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    verb            text NOT NULL,
    wish            text NOT NULL,                   -- JSON: what is to be done
    many            bigint NOT NULL CHECK (many > 0),
    reason          text,
    asked_at        timestamptz NOT NULL,
    asked_by        text NOT NULL,
    ends_at         timestamptz NOT NULL,
    decided_at      timestamptz,
    decided_by      text,
    outcome         text CHECK (outcome IN ('approved', 'declined', 'overridden')),
    override_reason text,
    operation       uuid,                            -- that carried it out
    CONSTRAINT approvals_sound CHECK (isfinite(asked_at) AND isfinite(ends_at) AND isfinite(decided_at) AND length(verb) <= 200
        AND length(wish) <= 100000 AND length(reason) <= 10000 AND length(asked_by) <= 1000 AND length(decided_by) <= 1000
        AND length(override_reason) <= 10000)
);
-- each console asks what waits.
CREATE INDEX approvals_open ON approvals (ends_at) WHERE outcome IS NULL;
-- each change of many keys.
CREATE INDEX approvals_done ON approvals (operation) WHERE operation IS NOT NULL;

CREATE TABLE approval_keys (
    approval bigint NOT NULL REFERENCES approvals (n),
    key      uuid NOT NULL,
    version  text NOT NULL CHECK (length(version) <= 100),
    PRIMARY KEY (approval, key)
);

CREATE FUNCTION keyrack_approvals_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refused text;
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'what was asked for, and decided, stays';
    END IF;
    IF TG_OP = 'INSERT' THEN
        refused := CASE
            WHEN NEW.asked_by <> session_user OR NOT keyrack_is_now(NEW.asked_at) OR NEW.ends_at > NEW.asked_at + interval '1 hour'
                THEN 'it is asked for by who is logged in, now, and for an hour'
            WHEN num_nonnulls(NEW.decided_at, NEW.decided_by, NEW.outcome, NEW.override_reason, NEW.operation) > 0 THEN 'nobody has decided yet'
        END;
    ELSIF (NEW.n, NEW.verb, NEW.wish, NEW.many, NEW.reason, NEW.asked_at, NEW.asked_by, NEW.ends_at)
            IS DISTINCT FROM (OLD.n, OLD.verb, OLD.wish, OLD.many, OLD.reason, OLD.asked_at, OLD.asked_by, OLD.ends_at) THEN
        RAISE EXCEPTION 'what was asked for, and decided, stays';
    ELSIF OLD.outcome IS NULL THEN
        refused := CASE
            WHEN NEW.outcome IS NULL OR NEW.decided_by IS DISTINCT FROM session_user::text OR NOT coalesce(keyrack_is_now(NEW.decided_at), false)
                THEN 'it is decided by who is logged in, and now'
            WHEN NEW.outcome <> 'declined' AND OLD.ends_at <= keyrack_now() THEN 'nobody decided in time'
            WHEN NEW.outcome = 'approved' AND OLD.asked_by = session_user THEN 'who asked can''t approve'
            WHEN NEW.outcome = 'approved' AND NOT EXISTS (SELECT FROM operators o WHERE o.name = OLD.asked_by AND o.role IN ('operator', 'admin'))
                THEN 'who asked may change keys no more'
            WHEN NEW.outcome = 'overridden' AND (OLD.asked_by <> session_user OR coalesce(NEW.override_reason, '') = '')
                THEN 'who asked does without approval, and says why'
            WHEN NEW.outcome = 'declined' AND NEW.operation IS NOT NULL THEN 'what is declined is not carried out'
        END;
    -- New secrets are for the one who asked.
    ELSIF NOT (OLD.outcome IN ('approved', 'overridden') AND OLD.verb = 'rotate' AND OLD.operation IS NULL AND OLD.asked_by = session_user AND OLD.ends_at > keyrack_now()
            AND (NEW.decided_at, NEW.decided_by, NEW.outcome, NEW.override_reason)
                IS NOT DISTINCT FROM (OLD.decided_at, OLD.decided_by, OLD.outcome, OLD.override_reason)) THEN
        refused := 'what was asked for, and decided, stays';
    END IF;
    IF refused IS NOT NULL AND NOT keyrack_is_superuser() THEN
        RAISE EXCEPTION '%', refused;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION keyrack_approvals_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.outcome = 'overridden' AND OLD.outcome IS NULL THEN
        -- Nobody does without a second person unseen.
        INSERT INTO alerts (kind, subject, hour, raised_at, gate, detail) VALUES ('overridden', NEW.n::text,
            date_trunc('hour', NEW.decided_at, 'UTC'), NEW.decided_at, '',
            jsonb_build_object('at', to_char(NEW.decided_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'kind', 'overridden',
                'approval', NEW.n, 'by', NEW.decided_by, 'verb', NEW.verb, 'keys', NEW.many, 'reason', NEW.override_reason)::text);
    END IF;
    IF keyrack_is_superuser() THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        PERFORM keyrack_owe(ARRAY['approval.ask'], NULL, ARRAY[NEW.n::text]);
    ELSIF OLD.outcome IS NULL THEN
        PERFORM keyrack_owe(ARRAY[CASE NEW.outcome WHEN 'approved' THEN 'approval.approve' WHEN 'declined' THEN 'approval.decline'
            ELSE 'approval.override' END], NULL, ARRAY[NEW.n::text]);
    END IF;
    RETURN NULL;
END $$;

-- They are named with the request, and stay.
CREATE FUNCTION keyrack_approval_keys_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NOT keyrack_is_superuser() AND EXISTS (SELECT FROM added a LEFT JOIN approvals p ON p.n = a.approval
            WHERE p.asked_by IS DISTINCT FROM session_user::text OR p.outcome IS NOT NULL OR NOT keyrack_is_now(p.asked_at)) THEN
        RAISE EXCEPTION 'the keys of a request are named with it';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION keyrack_approval_keys_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was asked for, and decided, stays';
END $$;

CREATE TRIGGER approvals_demand BEFORE INSERT OR UPDATE OR DELETE ON approvals FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('operator');
CREATE TRIGGER approvals_guard BEFORE INSERT OR UPDATE OR DELETE ON approvals FOR EACH ROW EXECUTE FUNCTION keyrack_approvals_guard();
CREATE TRIGGER approvals_stay BEFORE TRUNCATE ON approvals FOR EACH STATEMENT EXECUTE FUNCTION keyrack_approvals_guard();
CREATE TRIGGER approvals_changed AFTER INSERT OR UPDATE ON approvals FOR EACH ROW EXECUTE FUNCTION keyrack_approvals_changed();
CREATE TRIGGER approval_keys_demand BEFORE INSERT ON approval_keys FOR EACH STATEMENT EXECUTE FUNCTION keyrack_demand('operator');
CREATE TRIGGER approval_keys_guard AFTER INSERT ON approval_keys REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION keyrack_approval_keys_guard();
CREATE TRIGGER approval_keys_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON approval_keys FOR EACH STATEMENT EXECUTE FUNCTION keyrack_approval_keys_stay();

-- What one operation does to more keys of an issuer than its policy lets one person change, it does by an approval of just these.
CREATE FUNCTION keyrack_four_eyes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    bad record;
BEGIN
    IF (SELECT count(*) FROM added) < 2 OR keyrack_is_superuser() THEN
        RETURN NULL;
    END IF;
    SELECT c.action, c.many, i.slug, i.policy -> 'bulk' ->> 'four-eyes' AS most INTO bad FROM (
            SELECT a.operation, a.action, k.issuer, count(DISTINCT a.key) AS many FROM added a JOIN key_auth k ON k.id = a.key
            WHERE a.action IN ('key.revoke', 'key.pause', 'key.edit', 'key.acknowledge', 'key.rotate', 'key.retire', 'key.limit')
            GROUP BY 1, 2, 3 HAVING count(DISTINCT a.key) > 1) AS c
        JOIN issuers i ON i.slug = c.issuer
        WHERE c.many > (i.policy -> 'bulk' ->> 'four-eyes')::bigint
            AND NOT EXISTS (SELECT FROM approvals p WHERE p.operation = c.operation AND p.outcome IN ('approved', 'overridden')
                AND CASE p.verb WHEN 'revoke' THEN c.action = 'key.revoke' WHEN 'pause' THEN c.action = 'key.pause'
                    WHEN 'edit' THEN c.action = 'key.edit'
                    WHEN 'confirm' THEN c.action IN ('key.acknowledge', 'key.retire', 'key.revoke')
                    WHEN 'rotate' THEN c.action IN ('key.rotate', 'key.acknowledge', 'key.retire', 'key.revoke') ELSE false END
                -- The end of an overlap follows from what was approved, and a replacement has an id of its own.
                AND NOT EXISTS (SELECT FROM added a JOIN keys m ON m.id = a.key
                    WHERE a.operation = c.operation AND a.action = c.action AND (a.action <> 'key.retire' OR p.verb = 'rotate')
                        AND (NOT EXISTS (SELECT FROM approval_keys q WHERE q.approval = p.n
                                AND q.key = CASE WHEN p.verb = 'rotate' AND a.action NOT IN ('key.retire', 'key.revoke') THEN m.predecessor
                                    WHEN p.verb = 'confirm' AND a.action = 'key.revoke' THEN m.successor ELSE a.key END)
                            -- Without an overlap the old key ends with the rotation, and only where there is a new one.
                            OR (p.verb = 'rotate' AND a.action = 'key.revoke' AND m.successor IS NULL))))
        LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% of % keys of % at once takes a second person: above % its policy asks for approval', bad.action, bad.many, bad.slug,
            bad.most USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_four_eyes AFTER INSERT ON audit REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keyrack_four_eyes();

-- As in 0010.
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['keyrack_approvals_guard()', 'keyrack_approvals_changed()', 'keyrack_approval_keys_guard()',
            'keyrack_approval_keys_stay()', 'keyrack_four_eyes()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', one, current_schema());
        EXECUTE format('ALTER FUNCTION %s SET jit = off', one);
    END LOOP;
END $$;

DO $$
DECLARE
    grants text[] := ARRAY[
        'GRANT SELECT ON approvals, approval_keys TO keyrack_viewer, keyrack_operator, keyrack_admin, keyrack_console, keyrack_sweeper, keyrack_sender',
        'GRANT INSERT ON approvals, approval_keys TO keyrack_operator, keyrack_admin, keyrack_console',
        'GRANT UPDATE (decided_at, decided_by, outcome, override_reason, operation) ON approvals TO keyrack_operator, keyrack_admin, keyrack_console'
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
