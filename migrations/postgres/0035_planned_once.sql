-- What a change's triggers ask is planned once a session. Left to itself, PostgreSQL plans some of it anew at each call, because it takes a
-- plan that knows the values for a little cheaper, and planning costs more than all that is asked. Whatever replaces one of these
-- functions says this again.
DO $$
DECLARE
    one regprocedure;
BEGIN
    FOR one IN SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.pronamespace = (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = current_schema()) AND p.proname IN (
        'keyrack_settle', 'keyrack_audit_begin', 'keyrack_audit_check', 'keyrack_audit_end', 'keyrack_four_eyes', 'keyrack_keys_added',
        'keyrack_expiry_required', 'keyrack_owe', 'keyrack_demand', 'keyrack_refuse', 'keyrack_hold_role', 'keyrack_is_superuser')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET plan_cache_mode = force_generic_plan', one);
    END LOOP;
END $$;

-- Rows come and go there all the time, and whoever writes one waits for the lock by which vacuum cuts an empty end off.
ALTER TABLE owed SET (vacuum_truncate = off);
ALTER TABLE audit_lanes SET (vacuum_truncate = off);
