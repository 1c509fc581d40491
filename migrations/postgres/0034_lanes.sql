-- Lanes: changes of keys and accounts that commit side by side. One lane, as ever, is a row of the audit in each change's own
-- transaction, which holds the chain's end until its commit. With more, a change leaves its row in `audit_lanes`, holds nothing
-- that others wait for, and commits; then `keyrack_seal` numbers and chains all such rows at once, and only after that is anybody
-- told that the change is done. So there is one chain, and numbers go on being in the order of what was confirmed. Whoever writes
-- into the audit itself seals first: what a change rests on is always told before it.

ALTER TABLE audit_head ADD COLUMN lanes integer NOT NULL DEFAULT 1 CHECK (lanes BETWEEN 1 AND 1024);
-- Whether this very transaction is sealing: nobody ever sees it committed.
ALTER TABLE audit_head ADD COLUMN sealing boolean NOT NULL DEFAULT false;
-- Every transaction with a smaller number was over when last was sealed: what it left is in the chain. It keeps the search for
-- rows from walking over those that are gone.
ALTER TABLE audit_head ADD COLUMN sealed_below xid8 NOT NULL DEFAULT '0';

-- Rows of the audit that are committed and have no number yet. It is empty but for moments.
CREATE TABLE audit_lanes (
    xact       xid8 NOT NULL,
    id         bigint NOT NULL,                      -- its place, by one count with what is owed: it was written after that
    began      timestamptz NOT NULL,                 -- that transaction: numbers begin anew where a backup is restored
    written_at timestamptz NOT NULL,
    at         timestamptz NOT NULL CHECK (isfinite(at) AND at >= '0001-01-01 00:00:00+00' AND at < '10000-01-01 00:00:00+00'),
    -- Nothing lies here that the audit and its indexes could not take: it would hold up all others.
    actor      text NOT NULL CHECK (length(actor) <= 200),
    host       text NOT NULL CHECK (length(host) <= 1000),
    client     text CHECK (length(client) <= 1000),
    person     text CHECK (length(person) <= 10000 AND person !~ '(^|\n)checked '),
    operation  uuid NOT NULL,
    action     text NOT NULL CHECK (length(action) <= 100),
    subject    text NOT NULL CHECK (length(subject) <= 200),
    account    text CHECK (length(account) <= 200),
    key        uuid,
    detail     text NOT NULL CHECK (length(detail) <= 1000000),
    PRIMARY KEY (xact, id),
    UNIQUE (operation, action, subject)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

-- Who seals takes the one, and who comes meanwhile waits for the other. No login can touch them: locking them takes these functions.
CREATE TABLE lane_turns (one integer PRIMARY KEY CHECK (one = 1));
CREATE TABLE lane_waits (one integer PRIMARY KEY CHECK (one = 1));

-- What was told, with or without a number; what has none was committed after what has.
CREATE VIEW audit_told AS
    SELECT seq, at, actor, host, client, person, operation, action, subject, account, key, detail FROM audit
    UNION ALL
    SELECT 4611686018427387904 + id, at, actor, host, client, person, operation, action, subject, account, key, detail FROM audit_lanes;

CREATE FUNCTION keyrack_sealing() RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
BEGIN
    RETURN (SELECT h.sealing FROM audit_head h);
END $$;

-- The number of the oldest transaction that may have left a row. Where a backup is restored, numbers may begin anew.
CREATE FUNCTION keyrack_unsealed() RETURNS xid8 LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
BEGIN
    RETURN (SELECT CASE WHEN h.sealed_below <= pg_snapshot_xmin(pg_current_snapshot()) THEN h.sealed_below ELSE '0'::xid8 END FROM audit_head h);
END $$;

-- Numbers and chains what waits. Whoever calls it holds the chain's end.
CREATE FUNCTION keyrack_seal_all() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET enable_seqscan = off AS $$
DECLARE
    since xid8 := keyrack_unsealed();
    -- Asked before the rows are: what is over now is seen by what is asked later.
    below xid8 := pg_snapshot_xmin(pg_current_snapshot());
BEGIN
    IF NOT EXISTS (SELECT FROM audit_lanes l WHERE l.xact >= since) THEN
        RETURN;
    END IF;
    -- A number that was told stays: it is on the disk before anybody hears of it.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    UPDATE audit_head SET sealing = true;
    -- In the order in which they were written: a change that rests on another one was written after that had committed. Each tells of
    -- what was done, and none is left out: where somebody wrote a row of the same operation meanwhile, it has one of its own.
    WITH gone AS (DELETE FROM audit_lanes l WHERE l.xact >= since RETURNING l.*)
    INSERT INTO audit (at, actor, host, client, person, operation, action, subject, account, key, detail)
        SELECT g.at, g.actor, g.host, g.client, g.person,
            CASE WHEN EXISTS (SELECT FROM audit a WHERE a.operation = g.operation AND a.action = g.action AND a.subject = g.subject)
                THEN gen_random_uuid() ELSE g.operation END,
            g.action, g.subject, g.account, g.key, g.detail FROM gone g
        ORDER BY g.id;
    UPDATE audit_head SET sealing = false, sealed_below = below;
END $$;

CREATE FUNCTION keyrack_refuse_sealing() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (keyrack_is_superuser() OR has_table_privilege(session_user, 'gates', 'INSERT')
            OR keyrack_rank((SELECT o.role FROM operators o WHERE o.name = session_user)) >= 2) THEN
        RAISE EXCEPTION '% can''t number what was changed: that takes an operator or a gate', session_user USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

-- Has what these operations left sealed; NULL: whatever is committed by now. False: another sealed meanwhile, and these came too late for that,
-- so that it is to be called again. Who finds another at it waits for its end, all who wait at once, and nobody writes anything by that.
CREATE FUNCTION keyrack_seal(operations uuid[]) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET enable_seqscan = off AS $$
DECLARE
    since xid8 := keyrack_unsealed();
    turn boolean := true;
BEGIN
    -- What another is sealing at this moment still seems to wait.
    IF (operations IS NULL AND NOT EXISTS (SELECT FROM audit_lanes l WHERE l.xact >= since))
            OR (operations IS NOT NULL AND NOT EXISTS (SELECT FROM audit_lanes l WHERE l.operation = ANY (operations))) THEN
        RETURN true;
    END IF;
    PERFORM keyrack_refuse_sealing();
    IF operations IS NULL THEN
        LOCK TABLE lane_turns IN EXCLUSIVE MODE;
    ELSE
        BEGIN
            LOCK TABLE lane_turns IN EXCLUSIVE MODE NOWAIT;
        EXCEPTION WHEN lock_not_available THEN
            turn := false;
        END;
    END IF;
    IF turn THEN
        LOCK TABLE lane_waits IN EXCLUSIVE MODE;
        PERFORM 1 FROM audit_head FOR UPDATE;
        PERFORM keyrack_seal_all();
    ELSE
        LOCK TABLE lane_waits IN SHARE MODE;
    END IF;
    IF operations IS NULL OR NOT EXISTS (SELECT FROM audit_lanes l WHERE l.operation = ANY (operations)) THEN
        RETURN true;
    END IF;
    IF turn THEN
        -- Numbers of transactions began anew and came this far again: every row is looked for.
        UPDATE audit_head SET sealed_below = '0';
        PERFORM keyrack_seal_all();
    END IF;
    RETURN turn;
END $$;

-- Seals what waits that whoever changed it did not come to seal. It waits for nobody: who holds what it needs seals.
CREATE FUNCTION keyrack_seal_left() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET enable_seqscan = off AS $$
DECLARE
    since xid8;
BEGIN
    IF (SELECT h.lanes FROM audit_head h) < 2 THEN
        RETURN false;
    END IF;
    since := keyrack_unsealed();
    IF NOT EXISTS (SELECT FROM audit_lanes l WHERE l.xact >= since AND l.written_at < keyrack_now() - interval '250 milliseconds') THEN
        RETURN false;
    END IF;
    PERFORM keyrack_refuse_sealing();
    BEGIN
        LOCK TABLE lane_turns, lane_waits IN EXCLUSIVE MODE NOWAIT;
        PERFORM 1 FROM audit_head FOR UPDATE NOWAIT;
    EXCEPTION WHEN lock_not_available THEN
        RETURN false;
    END;
    PERFORM keyrack_seal_all();
    RETURN true;
END $$;

-- Lanes become more and never fewer. Who lets the audit have more than one keeps programs out that know of none.
CREATE FUNCTION keyrack_set_lanes(many integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NOT keyrack_is_superuser() THEN
        PERFORM keyrack_refuse('admin', 'give the audit more lanes');
    END IF;
    UPDATE audit_head SET lanes = many WHERE lanes < many;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lanes become more, never fewer';
    END IF;
    UPDATE readable SET since = 34 WHERE since < 34;
    IF NOT keyrack_is_superuser() THEN
        PERFORM keyrack_owe(ARRAY['audit.lanes'], NULL, ARRAY['lanes']);
    END IF;
END $$;

-- What lies in a lane.
CREATE FUNCTION keyrack_lanes_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    NEW.id := nextval('owed_id_seq');
    NEW.xact := pg_current_xact_id();
    NEW.began := transaction_timestamp();
    NEW.written_at := pg_catalog.clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER lanes_row BEFORE INSERT ON audit_lanes FOR EACH ROW EXECUTE FUNCTION keyrack_lanes_row();

CREATE FUNCTION keyrack_lanes_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND keyrack_sealing() THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the audit is append-only';
END $$;
CREATE TRIGGER lanes_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_lanes FOR EACH STATEMENT EXECUTE FUNCTION keyrack_lanes_stay();

-- As the audit's own rows are checked by `keyrack_audit_check` and `keyrack_audit_end`; nothing that is sealed is asked again.
CREATE FUNCTION keyrack_lanes_check() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    head audit_head%ROWTYPE;
    present timestamptz := keyrack_now();
    earliest timestamptz := present - interval '1 second'
        - least(pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp(), interval '1 minute');
    newest timestamptz;
    lie record;
BEGIN
    SELECT * INTO head FROM audit_head;
    IF head.lanes < 2 THEN
        RAISE EXCEPTION 'this audit has one lane';
    END IF;
    -- Who sees the past would not see that it was told already.
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'lanes are for transactions that read what is committed';
    END IF;
    -- What could not be numbered does not happen. Both are of one moment: others go on numbering.
    IF (SELECT max(a.seq) FROM audit a) IS DISTINCT FROM (SELECT h.seq FROM audit_head h) THEN
        RAISE EXCEPTION 'the audit has a row behind its end: see keyrack audit verify';
    END IF;
    IF EXISTS (SELECT FROM added a WHERE (a.action NOT LIKE 'key.%' AND a.action NOT LIKE 'account.%') OR a.action = 'key.import') THEN
        RAISE EXCEPTION 'lanes are for changes of keys and accounts';
    END IF;
    -- Also what another has sealed while this one waited.
    IF EXISTS (SELECT FROM added n JOIN audit a ON a.operation = n.operation AND a.action = n.action AND a.subject = n.subject) THEN
        RAISE EXCEPTION 'the audit tells of it already' USING ERRCODE = 'unique_violation', CONSTRAINT = 'audit_operation_action_subject_key';
    END IF;
    IF keyrack_is_superuser() THEN
        RETURN NULL;
    END IF;
    PERFORM keyrack_refuse('operator', 'write this into the audit');
    SELECT a.at INTO newest FROM audit a WHERE a.seq = head.seq;
    IF EXISTS (SELECT FROM added a WHERE a.actor <> session_user
            OR NOT coalesce((a.at <= present + interval '1 second' AND a.at >= earliest) OR (a.at > present AND a.at <= newest), false)) THEN
        RAISE EXCEPTION 'a row of the audit is written by who did it, when it is done' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT a.action, a.subject INTO lie FROM added a LEFT JOIN key_auth k ON k.id = a.key LEFT JOIN keys m ON m.id = a.key WHERE
        NOT has_table_privilege(session_user, 'keys', 'INSERT')
        OR (a.action = 'key.revoke' AND k.revoked_by IS DISTINCT FROM session_user::text)
        OR (a.action IN ('key.create', 'key.rotate') AND m.created_by IS DISTINCT FROM session_user::text)
        OR (a.action = 'key.pause' AND k.paused_by IS DISTINCT FROM session_user::text)
        OR (a.action = 'key.resume' AND k.paused_until IS NOT NULL)
        OR (a.action = 'key.acknowledge' AND k.acknowledged_at IS NULL)
        OR (a.action = 'key.retire' AND k.expires_at IS NULL)
        OR (a.action LIKE 'account.%' AND NOT EXISTS (SELECT FROM accounts c WHERE c.slug = a.account))
        OR (a.action LIKE 'key.%' AND (k.account IS DISTINCT FROM a.account OR a.subject <> a.key::text)) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the audit would tell of % for %, which was not done', lie.action, lie.subject;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lanes_checked AFTER INSERT ON audit_lanes REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keyrack_lanes_check();
CREATE TRIGGER lanes_four_eyes AFTER INSERT ON audit_lanes REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keyrack_four_eyes();

-- As 0010 has it; what a change owes may lie in a lane too.
CREATE OR REPLACE FUNCTION keyrack_settle() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET enable_seqscan = off AS $$
DECLARE
    own CONSTANT xid8 := pg_current_xact_id();
    since bigint;
    demo boolean;
    lacks text;
BEGIN
    DELETE FROM owed WHERE id = NEW.id;
    SELECT CASE WHEN h.xact = own AND h.began = transaction_timestamp() THEN h.first END,
        coalesce(h.demo_by = session_user AND h.demo_until > keyrack_now(), false) INTO since, demo FROM audit_head h;
    IF 'demo.load' = ANY (NEW.actions) AND EXISTS (SELECT FROM audit WHERE seq >= since AND action = 'demo.load') THEN
        RETURN NULL;
    END IF;
    -- Found by the key, never by walking over all that this transaction wrote. Between two rows of its own a change may have sealed
    -- what others left. A row in a lane is written after the change, which waited for whoever changed the same before.
    IF since IS NULL AND NEW.keys IS NOT NULL THEN
        SELECT o.id::text INTO lacks FROM unnest(NEW.keys) AS o (id)
            WHERE NOT EXISTS (SELECT FROM audit_lanes l WHERE l.xact = own AND l.began = transaction_timestamp() AND l.id > NEW.id AND l.key = o.id
                AND l.action = ANY (NEW.actions)) LIMIT 1;
    ELSIF since IS NULL THEN
        SELECT o.name INTO lacks FROM unnest(NEW.subjects) AS o (name)
            WHERE NOT EXISTS (SELECT FROM audit_lanes l WHERE l.xact = own AND l.began = transaction_timestamp() AND l.id > NEW.id AND l.subject = o.name
                AND l.action = ANY (NEW.actions)) LIMIT 1;
    ELSIF NEW.keys IS NOT NULL THEN
        SELECT o.id::text INTO lacks FROM unnest(NEW.keys) AS o (id)
            WHERE (SELECT count(*) FROM audit a WHERE a.key = o.id AND a.seq + 0 >= since AND a.action = ANY (NEW.actions)
                AND (demo OR a.actor = session_user)) = 0
            AND NOT EXISTS (SELECT FROM audit_lanes l WHERE l.xact = own AND l.began = transaction_timestamp() AND l.id > NEW.id AND l.key = o.id
                AND l.action = ANY (NEW.actions)) LIMIT 1;
    ELSE
        SELECT o.name INTO lacks FROM unnest(NEW.subjects) AS o (name)
            WHERE (SELECT count(*) FROM audit a WHERE a.seq >= since AND a.subject = o.name AND a.action = ANY (NEW.actions)
                AND (demo OR a.actor = session_user)) = 0
            AND NOT EXISTS (SELECT FROM audit_lanes l WHERE l.xact = own AND l.began = transaction_timestamp() AND l.id > NEW.id AND l.subject = o.name
                AND l.action = ANY (NEW.actions)) LIMIT 1;
    END IF;
    IF lacks IS NULL AND NEW.actions[1] = 'key.rotate' THEN
        SELECT k.id::text INTO lacks FROM keys k JOIN keys p ON p.id = k.predecessor
            WHERE k.id = ANY (NEW.keys) AND p.successor IS DISTINCT FROM k.id LIMIT 1;
    END IF;
    IF lacks IS NOT NULL THEN
        RAISE EXCEPTION 'the change of % has no row in the audit (%)', lacks, array_to_string(NEW.actions, ' or ');
    END IF;
    RETURN NULL;
END $$;

-- As 0031 has it; it seals first.
CREATE OR REPLACE FUNCTION keyrack_audit_begin() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    head audit_head%ROWTYPE;
BEGIN
    SELECT * INTO head FROM audit_head FOR UPDATE;
    IF (SELECT max(a.seq) FROM audit a) > head.seq THEN
        RAISE EXCEPTION 'the audit has a row behind its end: see keyrack audit verify';
    END IF;
    IF NOT head.sealing THEN
        IF head.lanes > 1 THEN
            PERFORM keyrack_seal_all();
            SELECT * INTO head FROM audit_head;
        END IF;
        UPDATE audit_head SET first = seq + 1, xact = pg_current_xact_id(), began = transaction_timestamp()
            WHERE xact IS DISTINCT FROM pg_current_xact_id() OR began IS DISTINCT FROM transaction_timestamp();
    END IF;
    PERFORM set_config('keyrack.last', head.seq || ' ' || encode(head.hash, 'hex'), true);
    RETURN NULL;
END $$;

-- As 0027 has it; who did what was asked when it came into its lane.
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
    IF NOT super AND NOT head.sealing AND EXISTS (SELECT FROM added a WHERE (a.actor <> session_user
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

-- As 0024 has it; the same, and the number of lanes is an admin's.
CREATE OR REPLACE FUNCTION keyrack_audit_end() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    lie record;
    demo boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM added) THEN
        RETURN NULL;
    END IF;
    UPDATE audit_head h SET seq = a.seq, hash = a.hash FROM (SELECT seq, hash FROM added ORDER BY seq DESC LIMIT 1) AS a;
    -- Consoles that listen are told when the change commits.
    PERFORM pg_notify('keyrack_changes', '');
    IF keyrack_is_superuser() OR keyrack_sealing() THEN
        RETURN NULL;
    END IF;
    PERFORM keyrack_refuse(CASE WHEN EXISTS (SELECT FROM added WHERE action LIKE 'issuer.%' OR action LIKE 'operator.%' OR action LIKE 'demo.%' OR action LIKE 'clock.%'
            OR action LIKE 'freeze.%' OR action LIKE 'creation.%' OR action = 'key.import' OR action LIKE 'export.%' OR action = 'audit.lanes'
            OR (action = 'audit.accept' AND (detail::jsonb ->> 'leaves') IS DISTINCT FROM 'false')) THEN 'admin' ELSE 'operator' END,
        'write this into the audit');
    IF EXISTS (SELECT FROM added WHERE action = 'demo.load' AND subject = 'accounts') AND NOT EXISTS (SELECT FROM keys) THEN
        UPDATE audit_head SET demo_by = session_user, demo_until = keyrack_now() + interval '1 hour';
    END IF;
    SELECT coalesce(demo_by = session_user AND demo_until > keyrack_now(), false) INTO demo FROM audit_head;
    IF demo THEN
        RETURN NULL;
    END IF;
    -- Who may only send letters tells of letters, and what is told of keys is so.
    SELECT a.action, a.subject INTO lie FROM added a LEFT JOIN key_auth k ON k.id = a.key LEFT JOIN keys m ON m.id = a.key WHERE
        a.action = 'demo.load'
        OR (a.action NOT LIKE 'sweep.%' AND a.action NOT LIKE 'reminder.%' AND NOT has_table_privilege(session_user, 'keys', 'INSERT'))
        OR (a.action = 'key.revoke' AND k.revoked_by IS DISTINCT FROM session_user::text)
        OR (a.action IN ('key.create', 'key.rotate', 'key.import') AND m.created_by IS DISTINCT FROM session_user::text)
        OR (a.action = 'key.import' AND k.imported_from IS NULL)
        OR (a.action = 'key.pause' AND k.paused_by IS DISTINCT FROM session_user::text)
        OR (a.action = 'key.resume' AND k.paused_until IS NOT NULL)
        OR (a.action = 'key.acknowledge' AND k.acknowledged_at IS NULL)
        OR (a.action = 'key.retire' AND k.expires_at IS NULL)
        OR (a.action = 'audit.lanes' AND (a.detail::jsonb ->> 'lanes') IS DISTINCT FROM (SELECT h.lanes::text FROM audit_head h))
        OR ((a.action LIKE 'freeze.%' OR a.action LIKE 'creation.%') AND NOT EXISTS (SELECT FROM holds h WHERE h.n::text = a.subject
            AND (h.kind = 'freeze') = (a.action LIKE 'freeze.%')
            AND CASE WHEN a.action IN ('freeze.add', 'creation.stop') THEN h.made_by = session_user ELSE h.lifted_by = session_user END))
        OR (a.action LIKE 'key.%' AND (k.account IS DISTINCT FROM a.account OR a.subject <> a.key::text)) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the audit would tell of % for %, which was not done', lie.action, lie.subject;
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER audit_four_eyes ON audit;
CREATE TRIGGER audit_four_eyes AFTER INSERT ON audit REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    WHEN (NOT keyrack_sealing()) EXECUTE FUNCTION keyrack_four_eyes();

-- As in 0010.
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['keyrack_sealing()', 'keyrack_unsealed()', 'keyrack_seal_all()', 'keyrack_refuse_sealing()', 'keyrack_seal(uuid[])', 'keyrack_seal_left()',
            'keyrack_set_lanes(integer)', 'keyrack_lanes_row()', 'keyrack_lanes_stay()', 'keyrack_lanes_check()', 'keyrack_settle()',
            'keyrack_audit_begin()', 'keyrack_audit_check()', 'keyrack_audit_end()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', one, current_schema());
        EXECUTE format('ALTER FUNCTION %s SET jit = off', one);
    END LOOP;
END $$;
-- Nobody seals but by `keyrack_seal`, which asks who it is.
REVOKE EXECUTE ON FUNCTION keyrack_seal_all() FROM PUBLIC;

DO $$
DECLARE
    grants text[] := ARRAY[
        'GRANT SELECT ON audit_told TO keyrack_viewer, keyrack_operator, keyrack_admin, keyrack_console, keyrack_sweeper, keyrack_sender',
        'GRANT INSERT ON audit_lanes TO keyrack_operator, keyrack_admin, keyrack_console'
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
