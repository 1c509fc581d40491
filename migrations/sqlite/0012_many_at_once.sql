-- The audit of many changes at once: on PostgreSQL alone. Here its rows are numbered and hashed by who holds the file's lock.
SELECT 1;
