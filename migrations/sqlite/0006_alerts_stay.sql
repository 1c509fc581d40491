-- Old alerts are deleted, and never those that tell of what happened just now.
CREATE TRIGGER alerts_stay BEFORE DELETE ON alerts WHEN old.raised_at > (unixepoch() - 86400) * 1000000 BEGIN
    SELECT RAISE(ABORT, 'an alert stays for a day');
END;
