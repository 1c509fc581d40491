-- What a key is may be edited while it has not ended; and it has an owner and tags.

ALTER TABLE keys ADD COLUMN owner TEXT;
ALTER TABLE keys ADD COLUMN owner_key TEXT;  -- the owner folded, to look for
ALTER TABLE keys ADD COLUMN owner_mail TEXT;
ALTER TABLE keys ADD COLUMN tags TEXT NOT NULL DEFAULT '';  -- space-separated, in their order
-- whoever asks what somebody owns, by name or address.
CREATE INDEX keys_owner ON keys (owner_key, id) WHERE owner_key IS NOT NULL;
CREATE INDEX keys_owner_mail ON keys (lower(owner_mail)) WHERE owner_mail IS NOT NULL;

-- The tags of each key one by one, for whoever asks which keys have one. Follows the column by itself.
CREATE TABLE key_tags (
    tag TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES key_auth (seq),
    PRIMARY KEY (tag, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER keys_tags_new AFTER INSERT ON keys WHEN new.tags <> '' BEGIN
    INSERT INTO key_tags (tag, seq) SELECT DISTINCT value, new.seq FROM json_each('["' || replace(new.tags, ' ', '","') || '"]');
END;
CREATE TRIGGER keys_tags_anew AFTER UPDATE OF tags ON keys WHEN new.tags IS NOT old.tags BEGIN
    DELETE FROM key_tags WHERE seq = old.seq AND tag IN (SELECT value FROM json_each('["' || replace(old.tags, ' ', '","') || '"]'));
    INSERT INTO key_tags (tag, seq) SELECT DISTINCT value, new.seq FROM json_each('["' || replace(new.tags, ' ', '","') || '"]')
        WHERE new.tags <> '';
END;

-- What was revoked stays as it is; whether a key has ended by the clock, who changes it asks.
CREATE TRIGGER auth_edited_alive BEFORE UPDATE OF scopes, allow ON key_auth
WHEN old.revoked_at IS NOT NULL AND (new.scopes IS NOT old.scopes OR new.allow IS NOT old.allow) BEGIN
    SELECT RAISE(ABORT, 'what has ended stays as it is');
END;
CREATE TRIGGER keys_owner_sound_new BEFORE INSERT ON keys
WHEN length(new.owner) > 1000 OR length(new.owner_key) > 10000 OR length(new.owner_mail) > 1000 OR length(new.tags) > 10000 BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: keys can''t hold this');
END;
CREATE TRIGGER keys_owner_sound BEFORE UPDATE OF owner, owner_key, owner_mail, tags ON keys
WHEN (new.owner IS NOT old.owner AND length(new.owner) > 1000)
  OR (new.owner_key IS NOT old.owner_key AND length(new.owner_key) > 10000)
  OR (new.owner_mail IS NOT old.owner_mail AND length(new.owner_mail) > 1000)
  OR (new.tags IS NOT old.tags AND length(new.tags) > 10000) BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: keys can''t hold this');
END;
