//! The first screen: the live table of keys.

pub mod columns;
pub mod detail;
mod empty;
mod filter;
mod rows;
mod state;
#[cfg(test)]
mod tests;
mod update;
mod usage;
mod view;
mod window;

pub use state::State;
