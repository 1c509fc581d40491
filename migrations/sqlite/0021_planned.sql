-- What is planned of a key: from when on it works, and when it is revoked. Both follow from the clock: no process needs to live.
--
-- `expires_at` is when the key stops, by its expiry or by its planned revocation, whichever comes first: all that decides by it
-- goes on to decide rightly. The expiry itself is `own_expiry` where a revocation is planned, else `expires_at`.
-- A program that knows of none of it would let pass what may not yet, so that no older one can read this.

ALTER TABLE key_auth ADD COLUMN not_before INTEGER;   -- the key is refused before this instant
ALTER TABLE key_auth ADD COLUMN revoke_at INTEGER;    -- from then on it is revoked
ALTER TABLE key_auth ADD COLUMN planned_by TEXT;      -- who planned the revocation
ALTER TABLE key_auth ADD COLUMN plan_reason TEXT;
ALTER TABLE key_auth ADD COLUMN own_expiry INTEGER;
-- whoever asks what is planned, or what was revoked by plan.
CREATE INDEX auth_planned ON key_auth (not_before, id) WHERE not_before IS NOT NULL;
CREATE INDEX auth_revoke_at ON key_auth (revoke_at, id) WHERE revoke_at IS NOT NULL;

UPDATE readable SET since = 21;

-- What was revoked stays as it is; whether a key has ended by the clock, who changes it asks.
CREATE TRIGGER auth_planned_alive BEFORE UPDATE OF not_before, revoke_at, planned_by, plan_reason ON key_auth
WHEN old.revoked_at IS NOT NULL AND (new.not_before IS NOT old.not_before OR new.revoke_at IS NOT old.revoke_at
  OR new.planned_by IS NOT old.planned_by OR new.plan_reason IS NOT old.plan_reason) BEGIN
    SELECT RAISE(ABORT, 'what has ended stays as it is');
END;
CREATE TRIGGER auth_plan_sound_new BEFORE INSERT ON key_auth
WHEN new.not_before NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.revoke_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.own_expiry NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR length(new.planned_by) > 1000 OR length(new.plan_reason) > 10000
  OR (new.revoke_at IS NULL AND coalesce(new.own_expiry, new.planned_by, new.plan_reason) IS NOT NULL)
  OR (new.revoke_at IS NOT NULL AND new.expires_at IS NOT min(new.revoke_at, coalesce(new.own_expiry, new.revoke_at))) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: keys can''t hold this');
END;
CREATE TRIGGER auth_plan_sound BEFORE UPDATE OF expires_at, not_before, revoke_at, planned_by, plan_reason, own_expiry ON key_auth
WHEN (new.expires_at IS NOT old.expires_at OR new.not_before IS NOT old.not_before OR new.revoke_at IS NOT old.revoke_at
  OR new.planned_by IS NOT old.planned_by OR new.plan_reason IS NOT old.plan_reason OR new.own_expiry IS NOT old.own_expiry)
  AND (new.not_before NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.revoke_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.own_expiry NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR length(new.planned_by) > 1000 OR length(new.plan_reason) > 10000
  OR (new.revoke_at IS NULL AND coalesce(new.own_expiry, new.planned_by, new.plan_reason) IS NOT NULL)
  OR (new.revoke_at IS NOT NULL AND new.expires_at IS NOT min(new.revoke_at, coalesce(new.own_expiry, new.revoke_at)))) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: keys can''t hold this');
END;
