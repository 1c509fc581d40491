//! The theme's roles as styles that widgets take.

use ratatui::style::{Color, Modifier, Style};

use crate::config::theme::{Colour, Look, Role, Theme};

/// One style for each role. A screen names a role, never a colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Styles {
    styles: [Style; Role::ALL.len()],
}

impl Styles {
    pub fn new(theme: &Theme) -> Self {
        Self { styles: std::array::from_fn(|place| style(theme.look(Role::ALL[place]))) }
    }

    /// The style of a role: to be laid over what is there.
    pub fn of(&self, role: Role) -> Style {
        self.styles[role as usize]
    }
}

fn style(look: Look) -> Style {
    let attributes = [
        (look.bold, Modifier::BOLD),
        (look.dim, Modifier::DIM),
        (look.italic, Modifier::ITALIC),
        (look.underline, Modifier::UNDERLINED),
        (look.reverse, Modifier::REVERSED),
    ];
    let modifier = attributes
        .into_iter()
        .filter(|(on, _)| *on)
        .fold(Modifier::empty(), |sum, (_, modifier)| sum | modifier);
    Style { fg: look.fg.map(colour), bg: look.bg.map(colour), ..Style::new() }.add_modifier(modifier)
}

/// The 16 colours by their numbers: terminals draw 0–15 of the 256 in the colours of their own scheme.
fn colour(colour: Colour) -> Color {
    match colour {
        Colour::Terminal => Color::Reset,
        Colour::Ansi(number) | Colour::Indexed(number) => Color::Indexed(number),
        Colour::Rgb(r, g, b) => Color::Rgb(r, g, b),
    }
}
