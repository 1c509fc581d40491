-- A new endpoint skips nothing that has not happened.
CREATE TRIGGER endpoints_begin BEFORE INSERT ON endpoints WHEN new.next_seq > (SELECT seq + 1 FROM audit_head) BEGIN
    SELECT RAISE(ABORT, 'nothing is skipped that has not happened');
END;
