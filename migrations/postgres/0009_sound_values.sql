-- The database itself refuses what no record can hold: instants beyond the years 1 to 9999 ('infinity' among them), counts
-- below zero, texts longer than any that is taken, what is no list of addresses. Rows that hold such a value already keep it
-- and are marked as odd, so that they can be changed otherwise: a constraint that is merely NOT VALID would refuse the
-- revocation of such a key. Each table is read once, at about a second for a million rows, and locked meanwhile.
DO $$
DECLARE
    t record;
    sound text;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('issuers', '{updated_at}'::text[], 'version >= 1 AND rotation_days BETWEEN 0 AND 365000 AND length(slug) <= 200 AND jsonb_typeof(policy) = ''object'''),
        ('accounts', '{created_at}'::text[], 'length(slug) <= 200 AND length(name) <= 1000 AND length(plan) <= 1000 AND jsonb_typeof(admins) = ''array'''),
        ('operators', '{created_at}'::text[], 'length(name) <= 1000 AND length(created_by) <= 1000'),
        ('keys', '{created_at,expires_at,claim_by,acknowledged_at,last_used_at,revoked_at}'::text[], 'overlap_seconds BETWEEN 0 AND 31536000000 AND length(account) <= 200 AND length(issuer) <= 200 AND length(name) <= 1000 AND length(description) <= 10000 AND length(preview) <= 200 AND length(limits) <= 1000 AND length(created_by) <= 1000 AND length(revoked_by) <= 1000 AND length(revoke_reason) <= 10000 AND length(last_used_from) <= 1000'),
        ('sweeps', '{began_at,alive_until,ended_at}'::text[], 'reminders >= 0 AND sent >= 0 AND written >= 0 AND failed >= 0 AND deferred >= 0 AND ambiguous >= 0'),
        ('reminders', '{expires_at,due_at,created_at,changed_at}'::text[], 'days_before BETWEEN 1 AND 365000'),
        ('deliveries', '{next_at,expires_at,claimed_until,changed_at}'::text[], 'attempts >= 0'),
        ('gates', '{began_at,beat_at,applied_at}'::text[], 'lease_ms >= 0 AND applied_seq >= 0 AND flushed >= 0'),
        ('usage_minutes', '{minute}'::text[], 'allowed >= 0 AND refused >= 0 AND limited >= 0'),
        ('key_networks', '{first_at}'::text[], ''),
        ('alerts', '{hour,raised_at,told_at,acknowledged_at}'::text[], 'length(kind) <= 200'),
        ('limit_windows', '{ends_at}'::text[], '')
    ) AS of(name, times, others) LOOP
        sound := concat_ws(' AND ', nullif(t.others, ''), (SELECT string_agg(format(
            'isfinite(%1$I) AND %1$I >= ''0001-01-01 00:00:00+00'' AND %1$I < ''10000-01-01 00:00:00+00''', c), ' AND ')
            FROM unnest(t.times) AS c));
        EXECUTE format('ALTER TABLE %I ADD COLUMN IF NOT EXISTS odd boolean NOT NULL DEFAULT false', t.name);
        EXECUTE format('UPDATE %I SET odd = true WHERE NOT (%s)', t.name, sound);
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT IF EXISTS %I', t.name, t.name || '_sound');
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (odd OR (%s)) NOT VALID', t.name, t.name || '_sound', sound);
    END LOOP;
END $$;

-- Nothing of the audit is ever changed, so that what comes into it is all there is to look at.
CREATE OR REPLACE FUNCTION keyrack_audit_sound() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit can''t hold this' USING ERRCODE = 'check_violation';
END $$;
DROP TRIGGER IF EXISTS audit_sound ON audit;
CREATE TRIGGER audit_sound BEFORE INSERT ON audit FOR EACH ROW
    WHEN (NEW.seq < 1 OR NOT isfinite(NEW.at) OR NEW.at < '0001-01-01 00:00:00+00' OR NEW.at >= '10000-01-01 00:00:00+00')
    EXECUTE FUNCTION keyrack_audit_sound();
