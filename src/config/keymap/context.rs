//! Where a key is pressed.

/// A place in the console with bindings of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// Everywhere, above any dialog.
    Always,
    /// On every screen, while nothing lies over it.
    Global,
    /// In every list.
    Table,
    /// In the table of keys.
    Keys,
    /// In the list of keys that end soon.
    Expiring,
    Reminders,
    /// Beside the list of keys, while the detail has the focus.
    Detail,
    Accounts,
    Audit,
    Issuers,
    Operators,
    Alerts,
    /// A line of text: the filter, a path, the exposed key.
    Prompt,
    /// A form with several fields.
    Form,
    /// A question with buttons.
    Dialog,
    /// The one time a secret is shown.
    Reveal,
    /// The question whether to leave it without the secret.
    Leaving,
    /// A list with a search line: palette, themes, accounts.
    Picker,
    /// A page to read: help, a row's detail, a policy.
    Reader,
    /// What a sweep would send.
    Preview,
    /// How a sweep is doing.
    Sweeping,
}

impl Context {
    pub const ALL: [Self; 21] = [
        Self::Always,
        Self::Global,
        Self::Table,
        Self::Keys,
        Self::Expiring,
        Self::Reminders,
        Self::Detail,
        Self::Accounts,
        Self::Audit,
        Self::Issuers,
        Self::Operators,
        Self::Alerts,
        Self::Prompt,
        Self::Form,
        Self::Dialog,
        Self::Reveal,
        Self::Leaving,
        Self::Picker,
        Self::Reader,
        Self::Preview,
        Self::Sweeping,
    ];

    /// This context and those whose bindings hold in it too, nearest first.
    ///
    /// What lies over a screen holds the keys of that screen back, so that no key of a dialog reaches the list below.
    pub fn chain(self) -> &'static [Self] {
        match self {
            Self::Always => &[Self::Always],
            Self::Global => &[Self::Global, Self::Always],
            Self::Table => &[Self::Table, Self::Global, Self::Always],
            Self::Keys => &[Self::Keys, Self::Table, Self::Global, Self::Always],
            Self::Expiring => &[Self::Expiring, Self::Table, Self::Global, Self::Always],
            Self::Reminders => &[Self::Reminders, Self::Table, Self::Global, Self::Always],
            Self::Detail => &[Self::Detail, Self::Global, Self::Always],
            Self::Accounts => &[Self::Accounts, Self::Table, Self::Global, Self::Always],
            Self::Audit => &[Self::Audit, Self::Table, Self::Global, Self::Always],
            Self::Issuers => &[Self::Issuers, Self::Table, Self::Global, Self::Always],
            Self::Operators => &[Self::Operators, Self::Table, Self::Global, Self::Always],
            Self::Alerts => &[Self::Alerts, Self::Table, Self::Global, Self::Always],
            Self::Prompt => &[Self::Prompt, Self::Always],
            Self::Form => &[Self::Form, Self::Always],
            Self::Dialog => &[Self::Dialog, Self::Always],
            Self::Reveal => &[Self::Reveal, Self::Always],
            Self::Leaving => &[Self::Leaving, Self::Dialog, Self::Always],
            Self::Picker => &[Self::Picker, Self::Always],
            Self::Reader => &[Self::Reader, Self::Always],
            Self::Preview => &[Self::Preview, Self::Always],
            Self::Sweeping => &[Self::Sweeping, Self::Always],
        }
    }

    /// Whether characters always go into a text here. In a form they do so only while the cursor is in a text field.
    pub fn takes_text(self) -> bool {
        matches!(self, Self::Always | Self::Prompt | Self::Picker)
    }

    /// Heading in the help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Always => "Everywhere",
            Self::Global => "On every screen",
            Self::Table => "In a list",
            Self::Keys => "Keys",
            Self::Expiring => "Expiring",
            Self::Reminders => "Reminders",
            Self::Detail => "A key's detail",
            Self::Accounts => "Accounts",
            Self::Audit => "Audit",
            Self::Issuers => "Issuers",
            Self::Operators => "Operators",
            Self::Alerts => "Alerts",
            Self::Prompt => "A line of text",
            Self::Form => "A form",
            Self::Dialog => "A question",
            Self::Reveal => "The reveal",
            Self::Leaving => "Leaving the reveal",
            Self::Picker => "A list to choose from",
            Self::Reader => "A page to read",
            Self::Preview => "What a sweep would send",
            Self::Sweeping => "A sweep",
        }
    }
}
