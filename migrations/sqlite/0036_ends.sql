-- Waits without it: every list of keys with an expiry, which ends before those that never expire unless one expires then or later.
-- It is almost always empty.
CREATE INDEX auth_far ON key_auth (expires_at) WHERE expires_at >= 253402214400000000;
-- Wait without it: revoked:<7d; status:revoked by status, which ends where the last one was revoked, by whichever clock.
CREATE INDEX auth_revoked_at ON key_auth (revoked_at) WHERE revoked_at IS NOT NULL;
