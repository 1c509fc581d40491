//! The screen as a person uses it.
