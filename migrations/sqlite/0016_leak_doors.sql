-- Who may end a key that leaked is the file's mode here; PostgreSQL asks it of the gate's login.
SELECT 1;
