-- The person behind the actor, where several share a login: a sign a line, `checked ssh-key SHA256:…`. A row without it is hashed as ever.

ALTER TABLE audit ADD COLUMN person TEXT CHECK (length(person) <= 10000);

-- Programs of earlier versions would take the new rows for edited ones.
UPDATE readable SET since = 27;
