//! The first screen: the live table of keys.

mod areas;
pub mod columns;
mod counting;
pub mod detail;
mod empty;
mod reading;
mod state;
mod table;
pub mod tabs;
#[cfg(test)]
mod tests;
mod update;
mod usage;
mod view;

pub use state::State;
