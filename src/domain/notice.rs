//! What an account's admins are told of their keys when somebody decides so.

use strum::{EnumString, IntoStaticStr};

/// What there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Occasion {
    /// The key was found where it must not be.
    Exposed,
    /// The key is replaced and ends soon, and its replacement is there.
    Replaced,
    /// The key has ended, and something still uses it.
    AfterEnd,
}

impl Occasion {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
