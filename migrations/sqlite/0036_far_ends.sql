-- Waits without it: every list of keys with an expiry, which ends before those that never expire unless one expires then or later.
-- It is almost always empty.
CREATE INDEX auth_far ON key_auth (expires_at) WHERE expires_at >= 253402214400000000;
