-- How PostgreSQL plans what it does at each change: on PostgreSQL alone.
SELECT 1;
