//! Opening a database as somebody.

use super::*;

impl Service {
    /// Opens the database, brings its schema up to date, and finds out who is acting.
    ///
    /// SQLite: the operating system's user; PostgreSQL: the session user. The first person to open a new database
    /// becomes its admin.
    pub async fn open(location: &Location, clock: Clock) -> Result<Self> {
        unimplemented!()
    }

    /// Who is acting, and in which role; read anew from the database.
    pub async fn whoami(&self) -> Result<Whoami> {
        unimplemented!()
    }

    /// Where the database is, in words, without a password.
    pub fn location(&self) -> String {
        unimplemented!()
    }

    /// The database's idea of the present.
    pub async fn now(&self) -> Result<Instant> {
        unimplemented!()
    }
}
