//! The screen as a person uses it.

mod effects;
mod pictures;
mod promises;
mod rows;
mod usage;
