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

/// The steps of red, green and blue in the cube of the next 216; greys come after it.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
/// What red, green and blue weigh.
const WEIGHTS: [u32; 3] = [3, 6, 1];

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
        (Colours::Many, Number::Rgb(r, g, b)) => of_256([r, g, b]),
        (_, Number::Index(index @ ..16)) => Color::Indexed(index),
        (Colours::Many, Number::Index(index)) => Color::Indexed(index),
        (_, Number::Rgb(r, g, b)) => of_sixteen([r, g, b]),
        (_, Number::Index(index)) => of_sixteen(drawn(index)),
    }
}

/// How far two colours are apart: the eye sees green best and blue worst.
fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    let parts = one.iter().zip(other).zip(WEIGHTS);
    parts.map(|((a, b), weight)| u32::from(a.abs_diff(b)).pow(2) * weight).sum()
}

fn of_sixteen(colour: [u8; 3]) -> Color {
    let place = (0..16u8).min_by_key(|place| distance(SIXTEEN[usize::from(*place)], colour));
    Color::Indexed(place.unwrap_or(0))
}

/// The nearest of the 240 colours that all terminals of 256 draw alike: of the cube, or of the greys.
fn of_256(colour: [u8; 3]) -> Color {
    let step = |part: u8| (0..6u8).min_by_key(|step| STEPS[usize::from(*step)].abs_diff(part)).unwrap_or(0);
    let [red, green, blue] = colour.map(step);
    let cube = 16 + 36 * red + 6 * green + blue;
    let mean = colour.iter().zip(WEIGHTS).map(|(part, weight)| u32::from(*part) * weight).sum::<u32>() / 10;
    let grey = 232 + u8::try_from(mean.saturating_sub(3) / 10).unwrap_or(0).min(23);
    let far = |place: &u8| distance(drawn(*place), colour);
    Color::Indexed([cube, grey].into_iter().min_by_key(far).unwrap_or(cube))
}

/// What a terminal of 256 colours draws for a number.
fn drawn(place: u8) -> [u8; 3] {
    match place.checked_sub(16) {
        None => SIXTEEN[usize::from(place)],
        Some(place @ 0..216) => [place / 36, place / 6 % 6, place % 6].map(|step| STEPS[usize::from(step)]),
        Some(place) => [8 + 10 * (place - 216); 3],
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_256_no_other_colour_is_nearer() {
        for part in 0..4096u32 {
            let colour = [part >> 8, part >> 4 & 15, part & 15].map(|part| u8::try_from(part * 17).unwrap());
            let Color::Indexed(found) = of_256(colour) else { panic!("{colour:?} has no number") };
            let least = (16..=255u8).map(|place| distance(drawn(place), colour)).min().unwrap();
            assert_eq!(distance(drawn(found), colour), least, "{colour:?} became {found}");
        }
    }

    #[test]
    fn a_colour_of_the_256_is_itself() {
        for place in 16..=255u8 {
            let Color::Indexed(found) = of_256(drawn(place)) else { panic!("{place} has no number") };
            assert_eq!(drawn(found), drawn(place));
        }
    }
}
