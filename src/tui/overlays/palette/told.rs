//! Commands with something behind their name: `keys account:acme`, `sort used`, `theme nord`, `tab ended`.

use crate::config::keymap::Action;
use crate::config::theme::Theme;
use crate::domain::query::{Column, Direction, Query, Sort};
use crate::domain::text::SafeText;
use crate::tui::screens::keys::{columns, tabs::Tab};
use crate::tui::shell::Shell;
use crate::tui::widgets::picker::{Item, rank};
use crate::tui::words::{ScreenId, Severity};

/// The screens whose list has a filter.
const FILTERED: [ScreenId; 8] = [
    ScreenId::Keys,
    ScreenId::Reminders,
    ScreenId::Accounts,
    ScreenId::Audit,
    ScreenId::Issuers,
    ScreenId::Operators,
    ScreenId::Alerts,
    ScreenId::Rotations,
];

/// What a command with an argument does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Does {
    Show(ScreenId, String),
    Sort(Sort),
    Tab(usize),
    Theme(Box<Theme>),
    /// It can't be done, for this reason.
    Nothing(String),
}

/// What may stand behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Show(ScreenId),
    Sort,
    Tab,
    Theme,
}

/// The name before the first blank, and what stands behind it.
pub(super) fn verb(words: &str) -> Option<(Verb, &str)> {
    let (verb, rest) = words.trim_start().split_once(' ')?;
    let verb = match verb.to_lowercase().as_str() {
        "sort" | "order" => Verb::Sort,
        "tab" => Verb::Tab,
        "theme" | "themes" | "colour" | "color" => Verb::Theme,
        "key" | "filter" | "find" | "search" | "list" => Verb::Show(ScreenId::Keys),
        "customer" | "customers" => Verb::Show(ScreenId::Accounts),
        name => {
            let is_it = |screen: &ScreenId| {
                let title = screen.title().to_lowercase();
                title == name || title.strip_suffix('s') == Some(name)
            };
            Verb::Show(FILTERED.into_iter().find(is_it)?)
        }
    };
    Some((verb, rest.trim()))
}

/// What a verb may do with these words, the likeliest first. `themes`: `None` until they were read.
pub(super) fn choices(shell: &Shell, verb: Verb, rest: &str, themes: Option<&[Theme]>) -> Vec<(Item, Does)> {
    let item = |name: String, note: String| Item { name, note, mark: String::new() };
    let safe = |text: &str| SafeText::new(text).as_str().to_owned();
    match verb {
        Verb::Show(screen) => {
            let title = screen.title();
            let name = format!("{} {}", title.to_lowercase(), safe(rest));
            let mistake =
                (screen == ScreenId::Keys).then(|| Query::parse(rest, shell.here()).err()).flatten();
            vec![match mistake {
                Some(mistake) => {
                    let why = safe(&mistake.message);
                    (item(name, format!("✕ {why}")), Does::Nothing(why))
                }
                None => {
                    let note = format!("Show what fits this filter on the screen {title}");
                    (item(name, note), Does::Show(screen, rest.to_owned()))
                }
            }]
        }
        Verb::Sort => {
            let (column, way) = rest.split_once(' ').unwrap_or((rest, ""));
            let way = match way.trim() {
                "" => None,
                way if "ascending".starts_with(way) => Some(Direction::Ascending),
                _ => Some(Direction::Descending),
            };
            let names: Vec<String> = Column::ALL
                .iter()
                .map(|one| format!("{} {}", one.as_str(), columns::title(*one).to_lowercase()))
                .collect();
            let sorts = rank(column, names.iter().map(String::as_str)).into_iter().map(|at| {
                let column = Column::ALL[at];
                let direction = way.unwrap_or(column.natural());
                let first = if direction == Direction::Ascending { "▲" } else { "▼" };
                let note = format!("Sort the keys by {} {first}", columns::title(column));
                let name = format!("sort {}", column.as_str());
                (item(name, note), Does::Sort(Sort { column, direction }))
            });
            sorts.collect()
        }
        Verb::Tab => {
            let names: Vec<&'static str> = Tab::ALL.iter().map(|tab| (*tab).into()).collect();
            let tabs = rank(rest, names.iter().copied()).into_iter().map(|at| {
                let name = format!("tab {}", names[at].to_lowercase());
                (item(name, format!("The tab {} of the keys", names[at])), Does::Tab(at))
            });
            tabs.collect()
        }
        Verb::Theme => {
            let themes = themes.unwrap_or_default();
            let found = rank(rest, themes.iter().map(|theme| theme.name.as_str())).into_iter().map(|at| {
                let theme = &themes[at];
                let name = format!("theme {}", safe(&theme.name));
                (item(name, safe(&theme.description)), Does::Theme(Box::new(theme.clone())))
            });
            found.collect()
        }
    }
}

impl Does {
    /// Does it; the palette is closed already.
    pub(super) fn carry_out(self, shell: &mut Shell) {
        match self {
            Self::Show(screen, filter) => shell.show(screen, filter),
            Self::Sort(sort) => {
                to_keys(shell);
                shell.sort(sort);
            }
            Self::Tab(tab) => {
                to_keys(shell);
                shell.tab(tab);
            }
            Self::Theme(theme) => {
                shell.wear(&theme);
                shell.toast(Severity::Info, format!("theme {}", SafeText::new(theme.name)).as_str());
            }
            Self::Nothing(why) => shell.toast(Severity::Warning, why),
        }
    }
}

/// Orders and tabs are those of the table of keys.
fn to_keys(shell: &mut Shell) {
    if shell.screen != ScreenId::Keys {
        shell.act(Action::ScreenKeys);
    }
}
