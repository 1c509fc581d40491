-- For how long a gate answers from memory after it began to read the database's state; 0: it proves each answer.
ALTER TABLE gates ADD COLUMN stale_ms INTEGER NOT NULL DEFAULT 0 CHECK (stale_ms BETWEEN 0 AND 60000);
CREATE TRIGGER gates_lease BEFORE UPDATE OF stale_ms ON gates WHEN new.stale_ms > old.stale_ms BEGIN
    SELECT RAISE(ABORT, 'a gate''s lease is never longer than it began with');
END;
