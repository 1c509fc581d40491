//! What is known of an action.

use super::{Action, Context};

/// An action, where it holds and how people are told about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    pub action: Action,
    /// A word or two for the footer.
    pub label: &'static str,
    pub contexts: &'static [Context],
    /// Keys as shipped, the one to show first.
    pub keys: &'static [&'static str],
    /// The place among the hints of the footer, the smallest first; 0 for none.
    pub hint: u8,
    /// Whether the palette offers it.
    pub palette: bool,
    /// Other words that people look for it by.
    pub also: &'static str,
}

pub(super) const fn entry(
    action: Action,
    label: &'static str,
    contexts: &'static [Context],
    keys: &'static [&'static str],
) -> Registered {
    Registered { action, label, contexts, keys, hint: 0, palette: false, also: "" }
}

impl Registered {
    /// Whether it does something at `context`.
    pub(super) fn holds_at(&self, context: Context) -> bool {
        context.chain().any(|one| self.contexts.contains(&one))
    }

    pub(super) const fn hint(self, hint: u8) -> Self {
        Self { hint, ..self }
    }

    pub(super) const fn also(self, also: &'static str) -> Self {
        Self { also, ..self }
    }

    pub(super) const fn in_palette(self) -> Self {
        Self { palette: true, ..self }
    }
}
