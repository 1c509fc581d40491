-- The database itself refuses what no record can hold: instants beyond the years 1 to 9999, counts below zero, texts longer
-- than any that is taken, what is no list of addresses. SQLite adds no CHECK to a table that is there, so triggers do it;
-- rows that hold such a value already keep it, and can be changed otherwise: a key among them can be revoked.

CREATE TRIGGER IF NOT EXISTS issuers_sound_new BEFORE INSERT ON issuers WHEN new.updated_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.version < 1
  OR new.rotation_days NOT BETWEEN 0 AND 365000
  OR length(new.slug) > 200
  OR CASE WHEN json_valid(new.policy) THEN json_type(new.policy) <> 'object' ELSE 1 END BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: issuers can''t hold this');
END;
CREATE TRIGGER IF NOT EXISTS issuers_sound BEFORE UPDATE OF updated_at, version, rotation_days, slug, policy ON issuers
WHEN (new.updated_at IS NOT old.updated_at AND new.updated_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.version IS NOT old.version AND new.version < 1)
  OR (new.rotation_days IS NOT old.rotation_days AND new.rotation_days NOT BETWEEN 0 AND 365000)
  OR (new.slug IS NOT old.slug AND length(new.slug) > 200)
  OR (new.policy IS NOT old.policy AND CASE WHEN json_valid(new.policy) THEN json_type(new.policy) <> 'object' ELSE 1 END) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: issuers can''t hold this');
END;

CREATE TRIGGER IF NOT EXISTS accounts_sound_new BEFORE INSERT ON accounts WHEN new.created_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR length(new.slug) > 200
  OR length(new.name) > 1000
  OR length(new.plan) > 1000
  OR CASE WHEN json_valid(new.admins) THEN json_type(new.admins) <> 'array' ELSE 1 END BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: accounts can''t hold this');
END;
CREATE TRIGGER IF NOT EXISTS accounts_sound BEFORE UPDATE OF created_at, slug, name, plan, admins ON accounts
WHEN (new.created_at IS NOT old.created_at AND new.created_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.slug IS NOT old.slug AND length(new.slug) > 200)
  OR (new.name IS NOT old.name AND length(new.name) > 1000)
  OR (new.plan IS NOT old.plan AND length(new.plan) > 1000)
  OR (new.admins IS NOT old.admins AND CASE WHEN json_valid(new.admins) THEN json_type(new.admins) <> 'array' ELSE 1 END) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: accounts can''t hold this');
END;

CREATE TRIGGER IF NOT EXISTS operators_sound_new BEFORE INSERT ON operators WHEN new.created_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR length(new.name) > 1000
  OR length(new.created_by) > 1000 BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: operators can''t hold this');
END;
CREATE TRIGGER IF NOT EXISTS operators_sound BEFORE UPDATE OF created_at, name, created_by ON operators
WHEN (new.created_at IS NOT old.created_at AND new.created_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.name IS NOT old.name AND length(new.name) > 1000)
  OR (new.created_by IS NOT old.created_by AND length(new.created_by) > 1000) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: operators can''t hold this');
END;

CREATE TRIGGER IF NOT EXISTS keys_sound_new BEFORE INSERT ON keys WHEN new.created_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.expires_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.claim_by NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.acknowledged_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.last_used_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.revoked_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.overlap_seconds NOT BETWEEN 0 AND 31536000000
  OR length(new.account) > 200
  OR length(new.issuer) > 200
  OR length(new.name) > 1000
  OR length(new.description) > 10000
  OR length(new.preview) > 200
  OR length(new.limits) > 1000
  OR length(new.created_by) > 1000
  OR length(new.revoked_by) > 1000
  OR length(new.revoke_reason) > 10000
  OR length(new.last_used_from) > 1000 BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: keys can''t hold this');
END;
CREATE TRIGGER IF NOT EXISTS keys_sound BEFORE UPDATE OF created_at, expires_at, claim_by, acknowledged_at, last_used_at, revoked_at, overlap_seconds, account, issuer, name, description, preview, limits, created_by, revoked_by, revoke_reason, last_used_from ON keys
WHEN (new.created_at IS NOT old.created_at AND new.created_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.expires_at IS NOT old.expires_at AND new.expires_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.claim_by IS NOT old.claim_by AND new.claim_by NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.acknowledged_at IS NOT old.acknowledged_at AND new.acknowledged_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.last_used_at IS NOT old.last_used_at AND new.last_used_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.revoked_at IS NOT old.revoked_at AND new.revoked_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.overlap_seconds IS NOT old.overlap_seconds AND new.overlap_seconds NOT BETWEEN 0 AND 31536000000)
  OR (new.account IS NOT old.account AND length(new.account) > 200)
  OR (new.issuer IS NOT old.issuer AND length(new.issuer) > 200)
  OR (new.name IS NOT old.name AND length(new.name) > 1000)
  OR (new.description IS NOT old.description AND length(new.description) > 10000)
  OR (new.preview IS NOT old.preview AND length(new.preview) > 200)
  OR (new.limits IS NOT old.limits AND length(new.limits) > 1000)
  OR (new.created_by IS NOT old.created_by AND length(new.created_by) > 1000)
  OR (new.revoked_by IS NOT old.revoked_by AND length(new.revoked_by) > 1000)
  OR (new.revoke_reason IS NOT old.revoke_reason AND length(new.revoke_reason) > 10000)
  OR (new.last_used_from IS NOT old.last_used_from AND length(new.last_used_from) > 1000) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: keys can''t hold this');
END;

CREATE TRIGGER IF NOT EXISTS audit_sound_new BEFORE INSERT ON audit WHEN new.at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.seq < 1
  OR length(new.operation) <> 16
  OR length(new.key) <> 16 BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: audit can''t hold this');
END;

CREATE TRIGGER IF NOT EXISTS sweeps_sound_new BEFORE INSERT ON sweeps WHEN new.began_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.alive_until NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.ended_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.reminders < 0
  OR new.sent < 0
  OR new.written < 0
  OR new.failed < 0
  OR new.deferred < 0
  OR new.ambiguous < 0 BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: sweeps can''t hold this');
END;
CREATE TRIGGER IF NOT EXISTS sweeps_sound BEFORE UPDATE OF began_at, alive_until, ended_at, reminders, sent, written, failed, deferred, ambiguous ON sweeps
WHEN (new.began_at IS NOT old.began_at AND new.began_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.alive_until IS NOT old.alive_until AND new.alive_until NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.ended_at IS NOT old.ended_at AND new.ended_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.reminders IS NOT old.reminders AND new.reminders < 0)
  OR (new.sent IS NOT old.sent AND new.sent < 0)
  OR (new.written IS NOT old.written AND new.written < 0)
  OR (new.failed IS NOT old.failed AND new.failed < 0)
  OR (new.deferred IS NOT old.deferred AND new.deferred < 0)
  OR (new.ambiguous IS NOT old.ambiguous AND new.ambiguous < 0) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: sweeps can''t hold this');
END;

CREATE TRIGGER IF NOT EXISTS reminders_sound_new BEFORE INSERT ON reminders WHEN new.expires_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.due_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.created_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.changed_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.days_before NOT BETWEEN 1 AND 365000 BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: reminders can''t hold this');
END;
CREATE TRIGGER IF NOT EXISTS reminders_sound BEFORE UPDATE OF expires_at, due_at, created_at, changed_at, days_before ON reminders
WHEN (new.expires_at IS NOT old.expires_at AND new.expires_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.due_at IS NOT old.due_at AND new.due_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.created_at IS NOT old.created_at AND new.created_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.changed_at IS NOT old.changed_at AND new.changed_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.days_before IS NOT old.days_before AND new.days_before NOT BETWEEN 1 AND 365000) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: reminders can''t hold this');
END;

CREATE TRIGGER IF NOT EXISTS deliveries_sound_new BEFORE INSERT ON deliveries WHEN new.next_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.expires_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.claimed_until NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.changed_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.attempts < 0
  OR length(new.reminder) <> 16
  OR length(new.sweep) <> 16 BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: deliveries can''t hold this');
END;
CREATE TRIGGER IF NOT EXISTS deliveries_sound BEFORE UPDATE OF next_at, expires_at, claimed_until, changed_at, attempts, reminder, sweep ON deliveries
WHEN (new.next_at IS NOT old.next_at AND new.next_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.expires_at IS NOT old.expires_at AND new.expires_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.claimed_until IS NOT old.claimed_until AND new.claimed_until NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.changed_at IS NOT old.changed_at AND new.changed_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.attempts IS NOT old.attempts AND new.attempts < 0)
  OR (new.reminder IS NOT old.reminder AND length(new.reminder) <> 16)
  OR (new.sweep IS NOT old.sweep AND length(new.sweep) <> 16) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: deliveries can''t hold this');
END;

CREATE TRIGGER IF NOT EXISTS gates_sound_new BEFORE INSERT ON gates WHEN new.began_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.beat_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.applied_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.lease_ms < 0
  OR new.applied_seq < 0
  OR new.flushed < 0 BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: gates can''t hold this');
END;
CREATE TRIGGER IF NOT EXISTS gates_sound BEFORE UPDATE OF began_at, beat_at, applied_at, lease_ms, applied_seq, flushed ON gates
WHEN (new.began_at IS NOT old.began_at AND new.began_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.beat_at IS NOT old.beat_at AND new.beat_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.applied_at IS NOT old.applied_at AND new.applied_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.lease_ms IS NOT old.lease_ms AND new.lease_ms < 0)
  OR (new.applied_seq IS NOT old.applied_seq AND new.applied_seq < 0)
  OR (new.flushed IS NOT old.flushed AND new.flushed < 0) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: gates can''t hold this');
END;

CREATE TRIGGER IF NOT EXISTS usage_minutes_sound_new BEFORE INSERT ON usage_minutes WHEN new.minute NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.allowed < 0
  OR new.refused < 0
  OR new.limited < 0
  OR length(new.key) <> 16 BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: usage_minutes can''t hold this');
END;
CREATE TRIGGER IF NOT EXISTS usage_minutes_sound BEFORE UPDATE OF minute, allowed, refused, limited, key ON usage_minutes
WHEN (new.minute IS NOT old.minute AND new.minute NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.allowed IS NOT old.allowed AND new.allowed < 0)
  OR (new.refused IS NOT old.refused AND new.refused < 0)
  OR (new.limited IS NOT old.limited AND new.limited < 0)
  OR (new.key IS NOT old.key AND length(new.key) <> 16) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: usage_minutes can''t hold this');
END;

CREATE TRIGGER IF NOT EXISTS key_networks_sound_new BEFORE INSERT ON key_networks WHEN new.first_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR length(new.key) <> 16 BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: key_networks can''t hold this');
END;
CREATE TRIGGER IF NOT EXISTS key_networks_sound BEFORE UPDATE OF first_at, key ON key_networks
WHEN (new.first_at IS NOT old.first_at AND new.first_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.key IS NOT old.key AND length(new.key) <> 16) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: key_networks can''t hold this');
END;

CREATE TRIGGER IF NOT EXISTS alerts_sound_new BEFORE INSERT ON alerts WHEN new.hour NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.raised_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.told_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR new.acknowledged_at NOT BETWEEN -62135596800000000 AND 253402300799999999
  OR length(new.kind) > 200
  OR length(new.key) <> 16 BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: alerts can''t hold this');
END;
CREATE TRIGGER IF NOT EXISTS alerts_sound BEFORE UPDATE OF hour, raised_at, told_at, acknowledged_at, kind, key ON alerts
WHEN (new.hour IS NOT old.hour AND new.hour NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.raised_at IS NOT old.raised_at AND new.raised_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.told_at IS NOT old.told_at AND new.told_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.acknowledged_at IS NOT old.acknowledged_at AND new.acknowledged_at NOT BETWEEN -62135596800000000 AND 253402300799999999)
  OR (new.kind IS NOT old.kind AND length(new.kind) > 200)
  OR (new.key IS NOT old.key AND length(new.key) <> 16) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: alerts can''t hold this');
END;

CREATE TRIGGER IF NOT EXISTS limit_windows_sound_new BEFORE INSERT ON limit_windows WHEN new.ends_at NOT BETWEEN -62135596800000000 AND 253402300799999999 BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: limit_windows can''t hold this');
END;
CREATE TRIGGER IF NOT EXISTS limit_windows_sound BEFORE UPDATE OF ends_at ON limit_windows
WHEN (new.ends_at IS NOT old.ends_at AND new.ends_at NOT BETWEEN -62135596800000000 AND 253402300799999999) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: limit_windows can''t hold this');
END;
