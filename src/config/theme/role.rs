//! The roles that things on the screen play.

use strum::{EnumString, IntoStaticStr, VariantArray};

/// A part that something on the screen plays. Widgets ask for roles, never for colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
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
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The name in theme files.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
