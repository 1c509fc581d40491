//! The console: a full-screen terminal program over the service.
//!
//! ```text
//! terminal, signals, timers, database  ->  Message  ->  update(&mut State, Message) -> Vec<Effect>  ->  worker, terminal
//!                                                              |
//!                                                         view(&State, &mut Frame)
//! ```
//!
//! One unbounded channel of [`message::Message`]s feeds one loop ([`run`]). The loop handles all that is queued, then
//! draws once, and only if [`shell::Shell::redraw`] was asked for. [`update`] and [`view`] do no I/O; [`worker`] is the
//! only file that calls the service.
//!
//! Its files are floors without a way up: [`words`] (plain data) ← [`effect`], [`message`], [`opening`] ← [`shell`] ←
//! [`layer`], [`screen`], [`widgets`], times and texts of [`view`] ← [`listing`] ← [`overlays`] and [`screens`] ← [`update`] ← [`run`].
//!
//! # How to add a screen
//! 1. `screens/NAME.rs`, with a folder where it grows: a `State` that is a [`screen::Screen`]. Its list is a
//!    [`listing::Listing`] of a [`listing::Source`], which says how the rows are told apart, filtered and read; all
//!    gestures of lists come from there.
//! 2. A row in [`words::ScreenId`]: its title and the action that shows it.
//! 3. The arm in `screens.rs` that makes it.
//!
//! Requests carry `To::Screen(ScreenId::…)`, so that replies find their way back: `shell.ask(to, request)`, or
//! [`latest::Latest`] where only the newest answer counts.
//!
//! # How to add an overlay
//! 1. `overlays/NAME.rs`: a `State` that is a [`layer::Layer`], and an `open` that makes it or says why not. Most of a
//!    layer has a default; `context`, `input` and `draw` have none.
//! 2. A variant of [`opening::Opening`] with what it is about, as plain data.
//! 3. The arm in `overlays.rs` that gives the one to the other.
//!
//! Then `shell.open(Opening::…)` opens it from everywhere, and `shell.close()` closes the one on top. Its requests carry
//! `To::Overlay(number)`; `open` is given the number. The stack holds `Box<dyn Layer>`: which overlays there are is a
//! closed choice ([`opening::Opening`]), but once open nobody asks which one it is, only what a layer can be asked.
//!
//! A screen or an overlay changes others only through the [`shell::Shell`]: `open`, `close`, `filter`, `changed`,
//! `toast`.

mod ahead;
mod choices;
mod clipboard;
mod completing;
mod edits;
mod effect;
mod fields;
mod form;
mod input;
mod kept;
mod latest;
mod layer;
mod listing;
mod log;
mod message;
mod opening;
mod overlays;
mod painter;
mod receipts;
mod run;
mod screen;
mod screens;
mod settings;
mod shell;
mod signals;
mod standing;
mod state;
mod styles;
mod sweep_state;
mod sweeping;
mod terminal;
#[cfg(test)]
mod testing;
mod toast;
mod tracked;
mod typed;
mod undo;
mod update;
mod view;
mod views;
mod widgets;
mod wish;
mod words;
mod worker;

#[doc(hidden)]
pub use input::{Decoder, Said};
pub use run::{Error, check, run};
pub use settings::TuiSettings;
pub use words::ExitReason;
