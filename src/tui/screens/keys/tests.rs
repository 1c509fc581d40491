//! The screen as a person uses it.

mod effects;
mod moved;
mod pictures;
mod promises;
mod rows;
mod usage;
