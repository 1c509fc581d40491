-- The audit's trigger works with its owner's rights: nobody may slip a table of their own in before the real one.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION keyrack_audit_grow() SET search_path = %I, pg_temp', current_schema());
END $$;

-- Group roles with the least that each door needs. An admin gives one to a login: GRANT keyrack_console TO ada;
-- They belong to the whole cluster, so they may be there already, or the person who migrates may not make them.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['keyrack_viewer', 'keyrack_console', 'keyrack_sweeper', 'keyrack_gate'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'role % is missing and % may not make it', role_name, session_user;
        END;
    END LOOP;
END $$;

DO $$
DECLARE
    grants text[] := ARRAY[
        'GRANT USAGE ON SCHEMA %1$I TO keyrack_viewer, keyrack_console, keyrack_sweeper, keyrack_gate',
        'GRANT SELECT ON issuers, accounts, operators, keys, audit, audit_head, _sqlx_migrations TO keyrack_viewer, keyrack_console',
        'GRANT INSERT, UPDATE ON issuers, accounts TO keyrack_console',
        'GRANT INSERT, UPDATE, DELETE ON operators TO keyrack_console',
        'GRANT INSERT ON keys, audit TO keyrack_console',
        'GRANT UPDATE (acknowledged_at, expires_at, revoked_at, revoked_by, revoke_reason, successor, overlap_seconds) ON keys TO keyrack_console',
        -- For the lock on the row; its contents are the trigger's alone.
        'GRANT UPDATE (one) ON audit_head TO keyrack_console, keyrack_sweeper',
        'GRANT SELECT ON issuers, accounts, operators, keys, audit, audit_head, _sqlx_migrations TO keyrack_sweeper',
        'GRANT INSERT ON audit TO keyrack_sweeper',
        'GRANT SELECT ON issuers, accounts, keys, _sqlx_migrations TO keyrack_gate',
        'GRANT UPDATE (last_used_at, last_used_from) ON keys TO keyrack_gate'
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
