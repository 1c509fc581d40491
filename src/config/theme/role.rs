//! The roles that things on the screen play.

/// A part that something on the screen plays. Widgets ask for roles, never for colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The ground of the whole screen.
    Background,
    Text,
    /// Text of second rank: descriptions, units, ended keys.
    Muted,
    /// The one colour that leads the eye: the screen one is on, the focus.
    Accent,
    Ok,
    Warning,
    Danger,
    Info,
    Border,
    /// The frame of what lies on top.
    DialogBorder,
    Title,
    /// Headings of columns.
    Header,
    /// The selected row.
    Selection,
    /// The sign before the selected row.
    Marker,
    /// A row that is marked for doing something with several.
    Marked,
    HintKey,
    Hint,
    /// A text field.
    Input,
    /// The text field that has the cursor.
    InputFocus,
    Placeholder,
    Error,
    Label,
    /// The label of the field that has the cursor.
    LabelFocus,
    Button,
    ButtonFocus,
    /// A focused button that ends something for good.
    ButtonDanger,
    /// The secret in the reveal.
    Secret,
    /// Bars of a chart.
    Bar,
    /// Where a search fits.
    Match,
}

impl Role {
    pub const ALL: [Self; 29] = [
        Self::Background,
        Self::Text,
        Self::Muted,
        Self::Accent,
        Self::Ok,
        Self::Warning,
        Self::Danger,
        Self::Info,
        Self::Border,
        Self::DialogBorder,
        Self::Title,
        Self::Header,
        Self::Selection,
        Self::Marker,
        Self::Marked,
        Self::HintKey,
        Self::Hint,
        Self::Input,
        Self::InputFocus,
        Self::Placeholder,
        Self::Error,
        Self::Label,
        Self::LabelFocus,
        Self::Button,
        Self::ButtonFocus,
        Self::ButtonDanger,
        Self::Secret,
        Self::Bar,
        Self::Match,
    ];

    /// The name in theme files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Background => "background",
            Self::Text => "text",
            Self::Muted => "muted",
            Self::Accent => "accent",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Danger => "danger",
            Self::Info => "info",
            Self::Border => "border",
            Self::DialogBorder => "dialog-border",
            Self::Title => "title",
            Self::Header => "header",
            Self::Selection => "selection",
            Self::Marker => "marker",
            Self::Marked => "marked",
            Self::HintKey => "hint-key",
            Self::Hint => "hint",
            Self::Input => "input",
            Self::InputFocus => "input-focus",
            Self::Placeholder => "placeholder",
            Self::Error => "error",
            Self::Label => "label",
            Self::LabelFocus => "label-focus",
            Self::Button => "button",
            Self::ButtonFocus => "button-focus",
            Self::ButtonDanger => "button-danger",
            Self::Secret => "secret",
            Self::Bar => "bar",
            Self::Match => "match",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}
