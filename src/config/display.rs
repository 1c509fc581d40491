//! What the terminal can: by its own description (terminfo), and by what it says of itself in the environment.

use termini::{NumberCapability, StringCapability, TermInfo, Value};

#[cfg(test)]
mod tests;

/// How many colours a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Colours {
    None,
    Eight,
    Sixteen,
    /// Those of xterm.
    Many,
    /// Red, green and blue by 256 steps each.
    True,
}

/// What the console and `doctor` know of the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Display {
    /// `TERM`.
    pub name: String,
    pub colours: Colours,
    /// Whether its cursor can be put anywhere.
    pub screen: bool,
    /// Whether a part of the screen can scroll.
    pub regions: bool,
    /// Whether it takes commands of the operating system (OSC), for its title and its clipboard. Others print them.
    pub commands: bool,
}

/// Terminals like xterm, for machines that have no description of them.
const LIKE_XTERM: [&str; 12] = [
    "xterm",
    "tmux",
    "screen",
    "rxvt",
    "alacritty",
    "kitty",
    "foot",
    "wezterm",
    "ghostty",
    "st-",
    "konsole",
    "vte",
];

/// Names of no terminal, or of one that can only write line by line.
const NO_SCREEN: [&str; 5] = ["", "dumb", "emacs", "unknown", "network"];

impl Colours {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Eight => "8",
            Self::Sixteen => "16",
            Self::Many => "256",
            Self::True => "true colour",
        }
    }
}

impl Display {
    /// Looks at the environment through `get`.
    pub fn of(get: impl Fn(&str) -> Option<String>) -> Self {
        let name = get("TERM").unwrap_or_default();
        let described = if name.contains('/') { None } else { TermInfo::from_name(&name).ok() };
        let mut display = match described {
            Some(description) => Self::described(name, &description),
            None => Self::guessed(name),
        };
        // GNU screen and the like hand this variable on without having the colours.
        let says_true = matches!(get("COLORTERM").as_deref(), Some("truecolor" | "24bit"));
        let may = display.colours >= Colours::Many || display.name.starts_with("xterm");
        if says_true && may && display.colours > Colours::None {
            display.colours = Colours::True;
        }
        display
    }

    /// Why the console can't be shown; `None` where it can.
    pub fn refuses(&self) -> Option<String> {
        let what = match self.name.as_str() {
            _ if self.screen => return None,
            "" => "TERM is not set".to_owned(),
            name => format!("TERM={name} is a terminal without a cursor that can be moved"),
        };
        Some(format!("{what}, so the console can't be shown"))
    }

    fn described(name: String, terminal: &TermInfo) -> Self {
        let is_true = ["RGB", "Tc"].iter().any(|cap| terminal.extended_cap(cap).is_some());
        let colours = match terminal.number_cap(NumberCapability::MaxColors) {
            _ if is_true => Colours::True,
            Some(0x0100_0000..) => Colours::True,
            Some(256..) => Colours::Many,
            Some(16..) => Colours::Sixteen,
            Some(8..) => Colours::Eight,
            _ => Colours::None,
        };
        let title = terminal.raw_string_cap(StringCapability::ToStatusLine);
        let commands = terminal.extended_cap("XT") == Some(Value::True)
            || title.is_some_and(|title| title.starts_with(b"\x1b]"))
            || like_xterm(&name);
        let regions = terminal.raw_string_cap(StringCapability::ChangeScrollRegion).is_some();
        let screen = terminal.raw_string_cap(StringCapability::CursorAddress).is_some();
        Self { name, colours, screen, regions, commands }
    }

    fn guessed(name: String) -> Self {
        let known = like_xterm(&name);
        let modern = !["xterm", "screen", "rxvt"].contains(&name.as_str());
        let colours = match known {
            true if modern || name.contains("256color") => Colours::Many,
            true => Colours::Eight,
            false if name == "linux" => Colours::Eight,
            false => Colours::None,
        };
        // One that nobody has heard of is believed to be a screen; these names say that it is none.
        let screen = !NO_SCREEN.contains(&name.as_str());
        Self { colours, screen, regions: known || name == "linux", commands: known, name }
    }
}

fn like_xterm(name: &str) -> bool {
    LIKE_XTERM.iter().any(|known| name.starts_with(known))
}
