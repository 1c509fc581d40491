-- Old alerts are deleted by gates.
DO $$
BEGIN
    GRANT DELETE ON alerts TO keyrack_gate;
EXCEPTION WHEN undefined_object THEN
    RAISE NOTICE 'not granted, because the role keyrack_gate is missing';
END $$;
