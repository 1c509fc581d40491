//! The settings that a person can change in the console while it runs, and save for the next time.

use strum::VariantArray;

use super::effect::Effect;
use super::fields::Field;
use super::screens::keys::columns;
use super::shell::Shell;
use super::views::{OfKeys, TABS};
use super::words::ScreenId;
use crate::config::settings::ClipboardChoice;
use crate::config::theme::Theme;
use crate::domain::query::{Column, Direction, Sort};

/// One of these settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum Choice {
    Theme,
    Times,
    Zone,
    Columns,
    Sort,
    Tab,
    Screen,
    Mouse,
    Signs,
    Clipboard,
}

impl Choice {
    /// As the files spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Theme => "theme",
            Self::Times => "relative-times",
            Self::Zone => "utc",
            Self::Columns => "columns",
            Self::Sort => "sort",
            Self::Tab => "tab",
            Self::Screen => "screen",
            Self::Mouse => "mouse",
            Self::Signs => "ascii",
            Self::Clipboard => "clipboard",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Theme => "Theme",
            Self::Times => "Times",
            Self::Zone => "Time zone",
            Self::Columns => "Columns of keys",
            Self::Sort => "Order of keys",
            Self::Tab => "Tab of keys",
            Self::Screen => "First screen",
            Self::Mouse => "Mouse",
            Self::Signs => "Signs",
            Self::Clipboard => "Clipboard",
        }
    }

    /// What it does.
    pub fn about(self) -> &'static str {
        match self {
            Self::Theme => {
                "The colours. For your own theme, put NAME.toml into the folder themes beside config.toml."
            }
            Self::Times => "Relative times (3d ago) or dates.",
            Self::Zone => "The time zone of dates.",
            Self::Columns => "The columns of the table of keys.",
            Self::Sort => "The order of the table of keys.",
            Self::Tab => "Which keys the table shows.",
            Self::Screen => "The screen that the console opens with. Applies from the next start.",
            Self::Mouse => "Whether Keyrack uses the mouse. Off: the terminal selects text as usual.",
            Self::Signs => "For terminals that can draw only ASCII.",
            Self::Clipboard => "How copied text reaches the clipboard. Applies from the next start.",
        }
    }

    /// What a value of it is called.
    pub fn shown(self, value: &str) -> String {
        match (self, value) {
            (Self::Times, "true") => "ages: 3d ago".into(),
            (Self::Times, _) => "dates".into(),
            (Self::Zone, "true") => "UTC".into(),
            (Self::Zone, _) => "of this machine".into(),
            (Self::Columns, "") => "what the width allows".into(),
            (Self::Mouse, "true") => "on".into(),
            (Self::Mouse, _) => "off".into(),
            (Self::Signs, "true") => "ASCII only".into(),
            (Self::Signs, _) => "all".into(),
            (Self::Sort, value) => value.parse().map_or_else(
                |_| value.to_owned(),
                |Sort { column, direction }| {
                    let arrow = if direction == Direction::Ascending { "▲" } else { "▼" };
                    format!("{} {arrow}", columns::title(column))
                },
            ),
            (_, value) => value.to_owned(),
        }
    }

    /// All values of it, in their order; none where they are chosen elsewhere. `themes`: those that there are.
    pub fn values(self, themes: &[String]) -> Vec<String> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self {
            Self::Theme => themes.to_vec(),
            Self::Columns => Vec::new(),
            Self::Sort => {
                let both = |column: &Column| {
                    let natural = Sort { column: *column, direction: column.natural() };
                    let turned = Sort { direction: natural.direction.reversed(), ..natural };
                    [natural, turned].map(|sort| sort.to_string())
                };
                Column::ALL.iter().flat_map(both).collect()
            }
            Self::Tab => owned(&TABS),
            Self::Screen => ScreenId::ALL.iter().map(|screen| screen.title().to_lowercase()).collect(),
            Self::Clipboard => {
                ClipboardChoice::VARIANTS.iter().map(|way| <&str>::from(way).to_owned()).collect()
            }
            Self::Times | Self::Mouse => owned(&["true", "false"]),
            Self::Zone | Self::Signs => owned(&["false", "true"]),
        }
    }
}

/// What each of them is now.
pub fn now(shell: &Shell, keys: OfKeys) -> Vec<(&'static str, String)> {
    Choice::VARIANTS.iter().map(|choice| (choice.name(), choice.now(shell, keys))).collect()
}

impl Choice {
    /// Its value now, as the files spell it.
    pub fn now(self, shell: &Shell, keys: OfKeys) -> String {
        match self {
            Self::Theme => shell.theme.clone(),
            Self::Times => shell.relative_times.to_string(),
            Self::Zone => shell.utc.to_string(),
            Self::Columns => shell.columns.as_deref().map(Field::names).unwrap_or_default(),
            Self::Sort => keys.sort.to_string(),
            Self::Tab => TABS.get(keys.tab).copied().unwrap_or_default().to_owned(),
            Self::Screen => shell.kept.screen.clone(),
            Self::Mouse => shell.mouse.to_string(),
            Self::Signs => shell.ascii.to_string(),
            Self::Clipboard => shell.kept.clipboard.clone(),
        }
    }

    /// Gives it a value, as the files spell it. What is no value of it leaves it as it is.
    pub fn set(self, shell: &mut Shell, keys: &mut OfKeys, themes: &[Theme], value: &str) -> Vec<Effect> {
        let truth = value == "true";
        match self {
            Self::Theme => {
                if let Some(theme) = themes.iter().find(|theme| theme.name == value) {
                    shell.wear(theme);
                }
                return vec![Effect::Repaint];
            }
            Self::Times => shell.relative_times = truth,
            Self::Zone => shell.utc = truth,
            Self::Columns => {
                let fields = Field::parse_all(value).unwrap_or_default();
                shell.columns = (!fields.is_empty()).then_some(fields);
            }
            Self::Sort => {
                keys.sort = value.parse().unwrap_or(keys.sort);
                shell.sort(keys.sort);
            }
            Self::Tab => {
                keys.tab = TABS.iter().position(|tab| *tab == value).unwrap_or(keys.tab);
                shell.tab_of_keys(keys.tab);
            }
            Self::Screen => value.clone_into(&mut shell.kept.screen),
            Self::Mouse => {
                shell.mouse = truth;
                return vec![Effect::Mouse(truth)];
            }
            Self::Signs => {
                shell.ascii = truth;
                return vec![Effect::Repaint];
            }
            Self::Clipboard => value.clone_into(&mut shell.kept.clipboard),
        }
        Vec::new()
    }
}
