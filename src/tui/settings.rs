//! What the settings say about the console.

use std::path::PathBuf;

use super::clipboard::Surroundings;
use super::fields::Field;
use super::kept::Kept;
use super::views::TABS;
use super::words::ScreenId;
use crate::config::ConfigError;
use crate::config::display::Display;
use crate::config::keymap::Keymap;
use crate::config::settings::{ClipboardChoice, Setting, Settings, Source};
use crate::config::theme::Theme;
use crate::domain::query::{Sort, SortError};

/// Worn where the named one can't be.
const USUAL_THEME: &str = "dark";

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
    /// The screen that is shown first.
    pub screen: ScreenId,
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
    /// What the console was asked to keep.
    pub kept: Kept,
    /// Whether a command has to name the database too.
    pub named: bool,
    /// What the settings say that can't be used, in words.
    pub amiss: Vec<String>,
}

impl TuiSettings {
    /// Reads the theme and the keys that the settings name; `themes` is where the person's own are, `environment` tells of
    /// the way to a clipboard. What can't be used is left at its default and told: a wrong word keeps no console shut.
    ///
    /// # Errors
    /// When not even the default theme can be used.
    pub fn of(
        settings: &Settings,
        themes: Option<PathBuf>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let display = Display::of(&environment);
        let mut amiss = Vec::new();
        let (columns, sort, tab) = (&settings.columns, &settings.sort, &settings.tab);
        let fields = Field::parse_all(&columns.value).map_err(|why| columns.source.error(why));
        let columns = match kept(fields, &mut amiss) {
            fields if fields.is_empty() => None,
            mut fields => {
                // Without its name nobody knows a key.
                if !fields.contains(&Field::Name) {
                    fields.push(Field::Name);
                }
                Some(fields)
            }
        };
        let order = sort.value.parse().map_err(|why: SortError| sort.source.error(why.to_string()));
        let place = place(&tab.value).ok_or_else(|| {
            tab.source.error(format!("{:?} isn't a tab: tabs are {}", tab.value, TABS.join(", ")))
        });
        let theme = Theme::load(&settings.theme.value, themes.as_deref()).or_else(|why| {
            amiss.push(why.to_string());
            Theme::load(USUAL_THEME, None)
        })?;
        Ok(Self {
            theme,
            keymap: kept(Keymap::load(&settings.key_files), &mut amiss),
            sort: kept(order, &mut amiss),
            tab: kept(place, &mut amiss),
            screen: kept(first(&settings.screen), &mut amiss),
            amiss,
            mouse: settings.mouse.value,
            columns,
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
            kept: Kept::new(
                settings.saved.clone(),
                <&str>::from(settings.clipboard.value).to_owned(),
                settings.screen.value.to_lowercase(),
            ),
            named: matches!(settings.database.source, Source::Flag(_)),
        })
    }
}

fn place(word: &str) -> Option<usize> {
    TABS.iter().position(|tab| *tab == word)
}

/// What was read, or the default where it can't be used, which is told.
fn kept<T: Default>(read: Result<T, ConfigError>, amiss: &mut Vec<String>) -> T {
    read.unwrap_or_else(|why| {
        amiss.push(why.to_string());
        T::default()
    })
}

/// The screen of this title.
fn first(screen: &Setting<String>) -> Result<ScreenId, ConfigError> {
    let titled = |id: &ScreenId| id.title().eq_ignore_ascii_case(&screen.value);
    ScreenId::ALL.into_iter().find(titled).ok_or_else(|| {
        let titles = ScreenId::ALL.map(|id| id.title().to_lowercase()).join(", ");
        screen.source.error(format!("{:?} isn't a screen: screens are {titles}", screen.value))
    })
}
