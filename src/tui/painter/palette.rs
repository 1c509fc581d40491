//! The colours of a picture in those that the terminal has.

use ratatui::style::{Color, Modifier};

use crate::config::display::Colours;

/// The first 16 colours as xterm draws them; other terminals come near.
const SIXTEEN: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

/// The nearest colours for letters and ground, and what stands for those that there are not.
pub fn fit(colours: Colours, fg: Color, bg: Color, modifier: Modifier) -> (Color, Color, Modifier) {
    let (fg, bg) = (nearest(colours, fg), nearest(colours, bg));
    let Colours::Eight = colours else { return (fg, bg, modifier) };
    // Bright letters are bold ones there, but for grey, which would be black and can't be read on black.
    let (fg, bold) = match fg {
        Color::Indexed(8) => (Color::Indexed(7), false),
        Color::Indexed(bright @ 9..=15) => (Color::Indexed(bright - 8), true),
        fg => (fg, false),
    };
    let bg = match bg {
        Color::Indexed(bright @ 8..=15) => Color::Indexed(bright - 8),
        bg => bg,
    };
    (fg, bg, if bold { modifier | Modifier::BOLD } else { modifier })
}

fn nearest(colours: Colours, colour: Color) -> Color {
    match (colours, number(colour)) {
        (Colours::True, _) | (_, Number::Own) => colour,
        (Colours::None, _) => Color::Reset,
        (Colours::Many, Number::Rgb(r, g, b)) => Color::Indexed(ansi_colours::ansi256_from_rgb((r, g, b))),
        (_, Number::Index(index @ ..16)) => Color::Indexed(index),
        (Colours::Many, Number::Index(index)) => Color::Indexed(index),
        (_, Number::Rgb(r, g, b)) => of_sixteen([r, g, b]),
        (_, Number::Index(index)) => of_sixteen(ansi_colours::rgb_from_ansi256(index).into()),
    }
}

fn of_sixteen(colour: [u8; 3]) -> Color {
    let distance = |other: &[u8; 3]| -> u32 {
        // The eye sees green best and blue worst.
        let parts = other.iter().zip(colour).zip([3, 6, 1]);
        parts.map(|((a, b), weight)| u32::from(a.abs_diff(b)).pow(2) * weight).sum()
    };
    let place = (0..16u8).min_by_key(|place| distance(&SIXTEEN[usize::from(*place)]));
    Color::Indexed(place.unwrap_or(0))
}

/// A colour by its number, whatever it is called.
pub enum Number {
    /// The terminal's own.
    Own,
    Index(u8),
    Rgb(u8, u8, u8),
}

pub fn number(colour: Color) -> Number {
    Number::Index(match colour {
        Color::Reset => return Number::Own,
        Color::Rgb(r, g, b) => return Number::Rgb(r, g, b),
        Color::Indexed(index) => index,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    })
}
