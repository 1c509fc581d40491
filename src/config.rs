//! Settings, key bindings and themes: what a person may decide about Keyrack, and where they decided it.
//!
//! Nothing here draws or reads a terminal; [`display`] tells what it can. Colours are [`theme::Colour`]s and keys are key names, which the console
//! translates for its terminal.

pub(crate) mod display;
pub(crate) mod document;
pub(crate) mod keymap;
#[cfg(test)]
mod page;
pub mod settings;
pub(crate) mod theme;

pub use document::ConfigError;
