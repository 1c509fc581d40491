//! The screen as a person uses it.

mod effects;
mod late;
mod moved;
mod pictures;
mod place;
mod promises;
mod rows;
mod usage;
mod views;
