-- The triggers of SQLite are planned with the statement that they belong to.
SELECT 1;
