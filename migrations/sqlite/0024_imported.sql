-- Keys that another product made move in with that product's hash of them: how a hash comes from its secret is told with it, and
-- in whose table the key stood before. The gates' look-up is the same: 32 bytes, by their index.

ALTER TABLE key_auth ADD COLUMN scheme TEXT NOT NULL DEFAULT 'sha256';  -- as the program's `Scheme` has them
ALTER TABLE key_auth ADD COLUMN imported_from TEXT;                     -- null: the key was made here

CREATE TRIGGER auth_scheme_new BEFORE INSERT ON key_auth
WHEN new.scheme NOT IN ('sha256', 'sha512', 'prefixed') OR length(new.imported_from) NOT BETWEEN 1 AND 100
  OR (new.scheme <> 'sha256' AND new.imported_from IS NULL) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: keys can''t hold this');
END;
CREATE TRIGGER auth_scheme_stays BEFORE UPDATE OF scheme, imported_from ON key_auth
WHEN new.scheme IS NOT old.scheme OR new.imported_from IS NOT old.imported_from BEGIN
    SELECT RAISE(ABORT, 'a key''s identity never changes');
END;
