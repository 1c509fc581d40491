-- Lanes of the audit are PostgreSQL's: a file has one writer at a time, and so one lane.
SELECT 1;
