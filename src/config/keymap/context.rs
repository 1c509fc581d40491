//! Where a key is pressed.

use strum::{IntoStaticStr, VariantArray};

/// A place in the console with bindings of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
pub enum Context {
    /// Everywhere, above any dialog.
    #[strum(serialize = "Everywhere")]
    Always,
    /// On every screen, while nothing lies over it.
    #[strum(serialize = "On every screen")]
    Global,
    /// In every list.
    #[strum(serialize = "In a list")]
    Table,
    /// In the table of keys.
    Keys,
    /// In the list of keys that end soon.
    Expiring,
    Reminders,
    /// Beside the list of keys, while the detail has the focus.
    #[strum(serialize = "A key's detail")]
    Detail,
    Accounts,
    Audit,
    Issuers,
    Operators,
    Alerts,
    Hygiene,
    /// In the list of open overlaps.
    Rotations,
    /// In the list of how everything stands.
    Overview,
    /// A line of text: the filter, a path, the exposed key.
    #[strum(serialize = "A line of text")]
    Prompt,
    /// A form with several fields.
    #[strum(serialize = "A form")]
    Form,
    /// A question with buttons.
    #[strum(serialize = "A question")]
    Dialog,
    /// What a search for leaked secrets found.
    #[strum(serialize = "Leaked secrets")]
    Findings,
    /// Whose an exposed key is.
    #[strum(serialize = "An exposed key")]
    Exposed,
    /// Everything of an operator who leaves.
    #[strum(serialize = "Somebody leaves")]
    Leaver,
    /// What waits for a second person.
    #[strum(serialize = "What waits for approval")]
    Approvals,
    /// Everything about an account.
    #[strum(serialize = "An account")]
    AccountPage,
    /// The one time a secret is shown.
    #[strum(serialize = "The reveal")]
    Reveal,
    /// The question whether to leave it without the secret.
    #[strum(serialize = "Leaving the reveal")]
    Leaving,
    /// A list with a search line: palette, themes, accounts.
    #[strum(serialize = "A list to choose from")]
    Picker,
    /// A page to read: help, a row's detail, a policy.
    #[strum(serialize = "A page to read")]
    Reader,
    /// What every key does.
    #[strum(serialize = "The help")]
    HelpPage,
    /// What a sweep would send.
    #[strum(serialize = "What a sweep would send")]
    Preview,
    /// How a sweep is doing.
    #[strum(serialize = "A sweep")]
    Sweeping,
}

impl Context {
    pub const ALL: &[Self] = Self::VARIANTS;

    /// This context and those whose bindings hold in it too, nearest first.
    ///
    /// What lies over a screen holds the keys of that screen back, so that no key of a dialog reaches the list below.
    pub fn chain(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |context| context.around())
    }

    /// The context whose bindings hold in this one too.
    fn around(self) -> Option<Self> {
        Some(match self {
            Self::Always => return None,
            Self::Table | Self::Detail => Self::Global,
            Self::Keys | Self::Expiring | Self::Reminders | Self::Accounts => Self::Table,
            Self::Audit | Self::Issuers | Self::Operators | Self::Alerts => Self::Table,
            Self::Hygiene | Self::Rotations | Self::Overview => Self::Table,
            Self::Leaving | Self::Findings | Self::Exposed | Self::Leaver => Self::Dialog,
            Self::Global | Self::Prompt | Self::Form | Self::Dialog | Self::Reveal => Self::Always,
            Self::Picker | Self::Reader | Self::HelpPage | Self::AccountPage | Self::Approvals => {
                Self::Always
            }
            Self::Preview | Self::Sweeping => Self::Always,
        })
    }

    /// Whether characters always go into a text here. In a form they do so only while the cursor is in a text field.
    pub fn takes_text(self) -> bool {
        matches!(self, Self::Always | Self::Prompt | Self::Picker)
    }

    /// Heading in the help.
    pub fn title(self) -> &'static str {
        self.into()
    }
}
