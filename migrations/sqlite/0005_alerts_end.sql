-- Old alerts are deleted by gates. SQLite's rights are the file's.
SELECT 1;
