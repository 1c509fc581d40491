-- A pepper may go into the hash of a key's secret, made here or elsewhere: which one, by its version and its mark, is told with it.
-- What the database keeps of such a key is found by the gates that have the pepper, and can't be tried out without it.

DROP TRIGGER auth_scheme_new;
CREATE TRIGGER auth_scheme_new BEFORE INSERT ON key_auth
WHEN length(new.imported_from) NOT BETWEEN 1 AND 100
  OR NOT (new.scheme = 'sha256' OR new.scheme IN ('sha512', 'prefixed') AND new.imported_from IS NOT NULL
    OR new.scheme GLOB 'hmac-sha256 pepper v[1-9]* [0-9a-f]*' AND length(new.scheme) BETWEEN 38 AND 42) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: keys can''t hold this');
END;

-- Which peppers living keys need is told from this alone; other keys are not in it.
CREATE INDEX auth_by_pepper ON key_auth (scheme, ends_at) WHERE substr(scheme, 1, 5) = 'hmac-';
