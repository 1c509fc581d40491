-- Who may do what is the file's mode here; PostgreSQL asks it of the login.
SELECT 1;
