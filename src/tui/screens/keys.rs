//! The first screen: the live table of keys.

pub mod columns;
mod detail;
mod filter;
mod state;
#[cfg(test)]
mod tests;
mod update;
mod view;
mod window;

pub use state::State;
