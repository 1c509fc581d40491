//! What the settings say about the console.

use std::path::PathBuf;

use super::clipboard::Surroundings;
use super::fields::Field;
use super::views::TABS;
use crate::config::ConfigError;
use crate::config::display::Display;
use crate::config::keymap::Keymap;
use crate::config::settings::{ClipboardChoice, SAVED, Settings, Source};
use crate::config::theme::Theme;
use crate::domain::query::{Sort, SortError};

/// How the console shall look and behave.
#[derive(Clone, Debug)]
pub struct TuiSettings {
    pub theme: Theme,
    pub keymap: Keymap,
    pub mouse: bool,
    /// The columns of the table of keys, where somebody chose them.
    pub columns: Option<Vec<Field>>,
    /// The order of the table of keys.
    pub sort: Sort,
    /// Its tab: the place in [`TABS`].
    pub tab: usize,
    /// Whether times are shown as "3d ago".
    pub relative_times: bool,
    /// Whether times are shown in UTC instead of this machine's zone.
    pub utc: bool,
    /// Whether the console draws its own signs in ASCII.
    pub ascii: bool,
    pub surroundings: Surroundings,
    pub display: Display,
    /// The person's own themes.
    pub themes: Option<PathBuf>,
    /// The theme that was saved, to be saved again.
    pub chosen: Option<String>,
    /// Whether a command has to name the database too.
    pub named: bool,
}

impl TuiSettings {
    /// Reads the theme and the keys that the settings name; `themes` is where the person's own are, `environment` tells of
    /// the way to a clipboard.
    ///
    /// # Errors
    /// When a theme or a binding can't be used, in words that name it.
    pub fn of(
        settings: &Settings,
        themes: Option<PathBuf>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let display = Display::of(&environment);
        let columns = &settings.columns;
        let columns = match Field::parse_all(&columns.value).map_err(|why| columns.source.error(why))? {
            fields if fields.is_empty() => None,
            mut fields => {
                // Without its name nobody knows a key.
                if !fields.contains(&Field::Name) {
                    fields.push(Field::Name);
                }
                Some(fields)
            }
        };
        Ok(Self {
            theme: Theme::load(&settings.theme.value, themes.as_deref())?,
            keymap: Keymap::load(&settings.key_files)?,
            mouse: settings.mouse.value,
            columns,
            sort: settings
                .sort
                .value
                .parse()
                .map_err(|why: SortError| settings.sort.source.error(why.to_string()))?,
            tab: tab(&settings.tab.value)
                .ok_or_else(|| settings.tab.source.error("tabs are live, all and ended"))?,
            relative_times: settings.relative_times.value,
            utc: settings.utc.value,
            ascii: settings.ascii.value,
            surroundings: match settings.clipboard.value {
                // What it does not take for a command it would print: a secret, where everybody can read it.
                ClipboardChoice::Auto => match Surroundings::of(environment) {
                    Surroundings::Terminal if !display.commands => Surroundings::None,
                    surroundings => surroundings,
                },
                ClipboardChoice::Terminal => Surroundings::Terminal,
                ClipboardChoice::Display => Surroundings::Display,
                ClipboardChoice::Off => Surroundings::Off,
            },
            display,
            themes,
            chosen: match &settings.theme.source {
                Source::File(file, _) if file.ends_with(SAVED) => Some(settings.theme.value.clone()),
                _ => None,
            },
            named: matches!(settings.database.source, Source::Flag(_)),
        })
    }
}

fn tab(word: &str) -> Option<usize> {
    TABS.iter().position(|tab| *tab == word)
}
