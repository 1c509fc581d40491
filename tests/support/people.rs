//! Who and what the tests speak of, so that no test needs a page of preparation.

/// Who opens a database first and so is its admin, on PostgreSQL. On SQLite it is the operating system's user.
pub const OWNER: &str = "ada";
