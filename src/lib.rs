//! # Keyrack, the terminal console for API keys
//!
//! One binary, several doors over one house. Imports go one way:
//!
//! ```text
//! domain  <-  {store, mail}  <-  service  <-  {tui, cli, gate}  <-  main
//! ```
//!
//! * [`domain`] holds the rules: pure, without I/O, clock or randomness of its own.
//! * [`store`] is the only room that speaks SQL. It knows SQLite and PostgreSQL and behaves the same on both.
//! * [`mail`] is the only room that speaks SMTP.
//! * [`service`] has one file per operation. Permission, caps and the audit are enforced there, so that every door obeys.
//! * [`config`] turns file, environment and flags into typed settings.
//! * [`cli`], [`tui`] and [`gate`] are doors: they turn arguments, key presses or requests into service calls and results
//!   into text. The gate enforces what the others keep.
//! * [`signals`] says which signals end the program, for whoever has a terminal to give back.
//! * [`anchor`] signs how far the audit has come and brings that to a place outside of the database.
//! * [`secret_file`] reads the files that hold secrets, by one set of rules for every door.
//! * [`herald`] tells endpoints of events, in order, each until it takes them.
//! * [`https`] sends requests to receivers of alerts, events and anchors.
//!
//! Data goes one way too. In the console a terminal event becomes an action, an action a message, and
//! `update(state, message)` answers with effects that a worker carries out; the view only reads the state.
//!
//! Whatever changes the database is one type with a `carry_out(&self, tx)`, which [`service`] runs in one transaction for
//! the acting person. A dry run ([`service::Service::trying`]) is the same transaction, rolled back at the end; no door
//! judges by itself what would be refused. Roles are read at each request and never kept.
//!
//! A secret exists as [`domain::secret::PlainKey`] from its making to the reveal, and as a SHA-256
//! [`domain::secret::HashedKey`] for ever after. `tests/architecture` reads the sources and fails where a room
//! imports what it must not.
#![forbid(unsafe_code)]

pub mod anchor;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
#[doc(hidden)]
pub mod fuzzing;
pub mod gate;
pub mod harden;
pub mod herald;
pub(crate) mod https;
pub mod mail;
pub(crate) mod secret_file;
pub mod service;
pub mod signals;
pub mod store;
pub mod telemetry;
pub mod tui;
