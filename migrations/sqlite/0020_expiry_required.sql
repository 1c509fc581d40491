-- A policy may require an expiry of every key. On PostgreSQL the server refuses what the service would; whoever may write
-- SQLite's file may write anything into it.
SELECT 1;
