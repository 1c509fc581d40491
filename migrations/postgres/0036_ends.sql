-- Waits without it: every list of keys with an expiry, which ends before those that never expire unless one expires then or later.
-- It is almost always empty.
CREATE INDEX IF NOT EXISTS auth_far ON key_auth (expires_at) WHERE expires_at >= timestamptz '9999-12-31 00:00:00+00';
-- Wait without it: revoked:<7d; status:revoked by status, which ends where the last one was revoked, by whichever clock.
CREATE INDEX IF NOT EXISTS auth_revoked_at ON key_auth (revoked_at) WHERE revoked_at IS NOT NULL;
