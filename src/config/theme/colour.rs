//! Colours as themes write them.

/// A colour of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Colour {
    /// Whatever the terminal draws with by itself.
    Terminal,
    /// One of the 16 that the terminal's own scheme decides: 0–7, then the bright ones 8–15.
    Ansi(u8),
    /// One of the 256 of xterm.
    Indexed(u8),
    Rgb(u8, u8, u8),
}

const NAMES: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "bright-black",
    "bright-red",
    "bright-green",
    "bright-yellow",
    "bright-blue",
    "bright-magenta",
    "bright-cyan",
    "bright-white",
];

impl Colour {
    /// Reads `#rrggbb`, an index from 0 to 255, one of the 16 names, or `default`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "default" {
            return Some(Self::Terminal);
        }
        if let Some(place) = NAMES.iter().position(|name| *name == text) {
            return u8::try_from(place).ok().map(Self::Ansi);
        }
        if let Some(hex) = text.strip_prefix('#') {
            if hex.len() != 6 || !hex.is_ascii() {
                return None;
            }
            let part = |from: usize| u8::from_str_radix(&hex[from..from + 2], 16).ok();
            return Some(Self::Rgb(part(0)?, part(2)?, part(4)?));
        }
        text.parse().ok().map(Self::Indexed)
    }
}
