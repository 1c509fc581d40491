//! What the tests and the benches stand on: throw-away databases and the real program in a real terminal.
//!
//! `tests/it` takes it in once, and the compiler tells what none of its files uses. A bench takes it in as `pub`, so that
//! what one bench doesn't use is no dead code.

pub mod calendar;
pub mod database;
pub mod faults;
pub mod film;
pub mod forms;
pub mod gate;
pub mod grpc;
pub mod http;
pub mod line;
pub mod mail;
pub mod pages;
pub mod patroni;
pub mod people;
pub mod pooler;
pub mod post;
pub mod postbox;
pub mod program;
pub mod pty;
pub mod schemas;
pub mod script;
pub mod servers;
pub mod sshd;

/// One asynchronous test, run on SQLite and on PostgreSQL.
///
/// ```ignore
/// on_both! {
///     async fn vg_19_twenty_active_keys_per_account(db) { … }
/// }
/// ```
///
/// makes the tests `vg_19_twenty_active_keys_per_account::on_sqlite` and `…::on_postgres`; `db` is a
/// [`database::Database`] of its own, empty and not yet migrated.
#[macro_export]
macro_rules! on_both {
    ($( $(#[$meta:meta])* async fn $name:ident($db:ident) $body:block )*) => {$(
        // A function and a module may have the same name; the module gives the tests their two names.
        $(#[$meta])*
        async fn $name($db: $crate::support::database::Database) $body

        mod $name {
            #[test]
            fn on_sqlite() {
                $crate::support::database::run_on_sqlite(super::$name);
            }

            #[test]
            fn on_postgres() {
                $crate::support::database::run_on_postgres(
                    concat!(module_path!(), "::on_postgres"),
                    super::$name,
                );
            }
        }
    )*};
}
