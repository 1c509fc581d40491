//! Parts of pictures that know nothing of the console's state: they are given what to show and where.

pub mod bars;
pub mod buttons;
pub mod choice;
pub mod dialog;
pub mod facts;
pub mod filter_line;
pub mod fit;
pub mod list;
pub mod picker;
pub mod scope_grid;
pub mod scroll;
pub mod secret_field;
pub mod sheet;
pub mod sparkline;
pub mod tabs;
#[cfg(test)]
mod tests;
pub mod text_field;
