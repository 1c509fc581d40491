-- A gate's login may delete old alerts, and never those that tell of what it did just now.
CREATE FUNCTION keyrack_alerts_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.raised_at > clock_timestamp() - interval '1 day' THEN
        RAISE EXCEPTION 'an alert stays for a day' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN old;
END $$;
CREATE TRIGGER alerts_stay BEFORE DELETE ON alerts FOR EACH ROW EXECUTE FUNCTION keyrack_alerts_stay();
