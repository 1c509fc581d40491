-- PostgreSQL has roles of its own; SQLite's rights are the file's.
SELECT 1;
