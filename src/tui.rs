//! The console: a full-screen terminal program over the service.
//!
//! ```text
//! terminal, signals, timers, database  ->  Message  ->  update(&mut State, Message) -> Vec<Effect>  ->  worker, terminal
//!                                                              |
//!                                                         view(&State, &mut Frame)
//! ```
//!
//! One unbounded channel of [`message::Message`]s feeds one loop ([`run`]). The loop handles all that is queued, then
//! draws once, and only if [`state::Shell::redraw`] was asked for. [`update`] and [`view`] do no I/O; [`worker`] is the
//! only file that calls the service.
//!
//! # How to add a screen
//! 1. `screens/NAME.rs` with `state`, `update`, `view`, `tests` below it: a `State` with
//!    `enter(&mut self, &mut Shell) -> Vec<Effect>` (it is shown now: ask for what it needs),
//!    `input(&mut self, &mut Shell, Input) -> Vec<Effect>`, `reply(&mut self, &mut Shell, RequestId, Reply) -> Vec<Effect>`,
//!    `changed(&mut self, &mut Shell) -> Vec<Effect>` (the database changed: read again) and
//!    `draw(&self, &Shell, &mut Frame, Rect)`.
//! 2. A variant in [`screens::ScreenId`], a field in [`screens::Screens`], an arm in each function of `screens.rs`.
//! 3. Requests carry `To::Screen(ScreenId::…)`, so that replies find their way back: `shell.ask(to, request)`, or
//!    [`latest::Latest`] where only the newest answer counts.
//!
//! # How to add an overlay
//! 1. `overlays/NAME.rs` with a `State` with `input`, `reply` and `draw` as above, and `context()`: which bindings hold.
//! 2. A variant in [`overlays::Overlay`] and an arm in each function of `overlays.rs`.
//! 3. Open it with `shell.open(Overlay::…)`, close the one on top with `shell.close()`. Requests carry
//!    `To::Overlay(number)`; `shell.open` gives the number.
//!
//! A screen or an overlay changes others only through the [`state::Shell`]: `open`, `close`, `show`, `filter`, `toast`.

pub mod clipboard;
pub mod effect;
pub mod input;
pub mod latest;
pub mod message;
pub mod overlays;
pub mod painter;
pub mod receipts;
pub mod rows;
pub mod run;
pub mod screens;
pub mod state;
pub mod styles;
pub mod sweeping;
pub mod terminal;
#[cfg(test)]
pub mod testing;
pub mod update;
pub mod view;
pub mod widgets;
pub mod worker;

pub use run::{Error, ExitReason, TuiSettings, run};
