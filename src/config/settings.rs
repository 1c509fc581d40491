//! Typed settings, merged from defaults, files, environment and flags, each remembering where it was decided.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use strum::{EnumMessage, EnumString, IntoStaticStr, VariantArray};

use super::display::{Colours, Display};
use super::document::{ConfigError, Result, Text};
use codec::{Codec, FOLDER, PATH, TEXT, TRUTH};
use row::Row;
use table::Table;

mod audit;
pub mod codec;
mod database;
mod gate;
mod mail;
mod place;
pub mod row;
mod saved;
mod setting;
pub mod table;
#[cfg(test)]
mod tests;

pub use audit::{AUDIT, AuditTable};
pub use gate::{Door, GATE, GateTable, HeaderNames, LogForm};
pub use mail::{MAIL, MailSettings, Security, Transport};
pub use place::Places;
pub use saved::{SAVED, Saved};
pub use setting::{Setting, Source};
pub use table::Flags;

/// How a copied text reaches the clipboard.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, EnumMessage, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "lowercase")]
pub enum ClipboardChoice {
    /// Whatever fits: the local display, tmux, or the terminal.
    #[default]
    Auto,
    /// The terminal, by its escape sequence.
    Terminal,
    /// The display of this machine.
    Display,
    /// Nothing is ever copied.
    Off,
}

macro_rules! plain {
    ($how:ident $field:ident: $codec:expr, $doc:literal) => {
        row::row!(Settings, "", "keyrack_", $how $field: $codec, $doc)
    };
}

/// Every setting outside of tables.
const ROWS: &[Row<Settings>] = &[
    plain!(one database: database::DATABASE, "A file, or `postgres://user@host/database`; also `--db` and `KEYRACK_DB`")
        .variable("KEYRACK_DB")
        .default("{data}/keyrack.db")
        .flag_for_all("--db", "The database: a SQLite file or postgres://user@host/database. Default: KEYRACK_DB, then the settings"),
    plain!(some peppers: FOLDER, "A folder with the [peppers](security.md#peppers) that go into the hashes of keys: files `v1`, `v2` of mode 0600; also `--peppers`")
        .flag_for_all("--peppers", "The folder of the peppers that are used for hashing keys"),
    plain!(one theme: TEXT, "`dark`, `light`, `high-contrast`, `terminal-16`, `mono`, or a theme of your own; also `--theme`. `NO_COLOR` is obeyed")
        .default("dark")
        .flag("--theme", "The console's theme"),
    plain!(one mouse: TRUTH, "Whether wheel and click are taken; also `--no-mouse`")
        .default("true")
        .switch("--no-mouse", "false", "Leave the mouse to the terminal"),
    plain!(one ascii: TRUTH, "Whether only ASCII is drawn; also `--ascii`")
        .default("false")
        .switch("--ascii", "true", "Draw with ASCII characters only"),
    plain!(one relative_times: TRUTH, "\"3d ago\" instead of dates").default("true"),
    plain!(one utc: TRUTH, "UTC instead of the zone of this machine; also `--utc`")
        .default("false")
        .switch("--utc", "true", "Show times in UTC"),
    plain!(one columns: TEXT, "The columns of the table of keys, with commas between; without it, what the width allows").hint("NAMES"),
    plain!(one sort: TEXT, "The order of the table of keys: a column as `key list --sort` has it, such as `expires` or `name:desc`").hint("COLUMN").default("created"),
    plain!(one tab: TEXT, "Which keys the console opens with: `live`, `all` or `ended`").default("live"),
    plain!(one screen: TEXT, "The console's first screen: `keys`, `overview` (how everything stands), `expiring` or another one by its title").default("keys"),
    plain!(one clipboard: Codec::<ClipboardChoice>::choice("WAY"), "How a copied text reaches the clipboard; `terminal` is OSC 52").default("auto"),
    plain!(one log: TEXT, "What is logged: `info`, `keyrack=debug`; never a secret").hint("FILTER").default("info"),
    plain!(one log_file: PATH, "Where it is logged; never the screen").default("{state}/keyrack.log"),
];

pub const CONSOLE: Table<Settings> = Table {
    name: "",
    rows: ROWS,
    tables: &["mail", "gate", "audit", "keys"],
    elsewhere: &[],
    instead: str::to_owned,
};

/// Everything that a person may decide, but for keys and themes, which have files of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// A path or a `postgres://` address without a password.
    pub database: Setting<String>,
    /// A folder with a pepper in each file.
    pub peppers: Setting<Option<PathBuf>>,
    /// The theme's name.
    pub theme: Setting<String>,
    /// Whether the console takes wheel and click.
    pub mouse: Setting<bool>,
    /// Whether the console draws with ASCII characters only.
    pub ascii: Setting<bool>,
    /// Whether times are shown as "3d ago".
    pub relative_times: Setting<bool>,
    /// Whether times are shown in UTC instead of the zone of this machine.
    pub utc: Setting<bool>,
    /// The columns of the table of keys by their names; empty: what the width allows.
    pub columns: Setting<String>,
    /// The order of the table of keys.
    pub sort: Setting<String>,
    /// The tab of the table of keys.
    pub tab: Setting<String>,
    pub screen: Setting<String>,
    pub clipboard: Setting<ClipboardChoice>,
    /// What is written to the log, in the words of `tracing`: `info`, `keyrack=debug`.
    pub log: Setting<String>,
    /// The log's file.
    pub log_file: Setting<PathBuf>,
    /// How reminders are sent.
    pub mail: MailSettings,
    /// What a gate is told.
    pub gate: GateTable,
    /// Where the audit is anchored.
    pub audit: AuditTable,
    /// What the console was asked to keep.
    pub saved: Saved,
    /// Files that were read.
    pub files: Vec<PathBuf>,
    /// Key bindings from the files: later ones outrank earlier ones.
    pub key_files: Vec<KeyFile>,
}

/// A file with a `[keys]` table, or a `keys.toml`, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    pub path: PathBuf,
    pub text: String,
}

impl Settings {
    /// Settings as they are when nobody says anything.
    pub fn defaults(places: &Places) -> Self {
        let mut settings = Self::default();
        let place = |text: &str| {
            let folder = |folder: &Path| folder.display().to_string();
            text.replace("{data}", &folder(&places.data)).replace("{state}", &folder(&places.state))
        };
        CONSOLE.set_defaults(&mut settings, place);
        MAIL.set_defaults(&mut settings.mail, place);
        GATE.set_defaults(&mut settings.gate, place);
        AUDIT.set_defaults(&mut settings.audit, place);
        settings
    }

    /// Merges defaults, the files of `places`, the variables that `environment` answers to, and `flags`; each outranks
    /// those before it. The first mistake is refused with its place.
    pub fn load(
        places: &Places,
        environment: &dyn Fn(&str) -> Option<String>,
        flags: &Flags,
    ) -> Result<Self> {
        let mut settings = Self::defaults(places);
        let mut saved = Saved::default();
        for folder in [Some(&places.system), places.config.as_ref()].into_iter().flatten() {
            let config = folder.join("config.toml");
            if let Some(text) = read(&config)? {
                let keys = settings.apply_file(&config, &text)?;
                settings.files.push(config.clone());
                if keys {
                    settings.key_files.push(KeyFile { path: config, text });
                }
            }
            saved = Saved::before(&settings);
            if let Some(text) = read(&folder.join(SAVED))? {
                let file = folder.join(SAVED);
                settings.apply_file(&file, &text)?;
                saved.read(&file, &settings);
                settings.files.push(file);
            }
            let keys = folder.join("keys.toml");
            if let Some(text) = read(&keys)? {
                settings.files.push(keys.clone());
                settings.key_files.push(KeyFile { path: keys, text });
            }
        }
        settings.apply_environment(environment)?;
        CONSOLE.read_flags(&mut settings, flags)?;
        MAIL.read_flags(&mut settings.mail, flags)?;
        GATE.read_flags(&mut settings.gate, flags)?;
        settings.mail.settle();
        saved.outranked_by(&settings);
        settings.saved = saved;
        Ok(settings)
    }

    /// Takes over one file. Answers whether it has a table of keys.
    fn apply_file(&mut self, file: &Path, text: &str) -> Result<bool> {
        let source = Text { file, text };
        let table = source.parse()?;
        let mut has_keys = false;
        for member in source.members(&table) {
            match member.key {
                "keys" => {
                    member.table()?;
                    has_keys = true;
                }
                "mail" => {
                    let mistakes = MAIL.read(&mut self.mail, source, &member);
                    self.mail.mistakes.extend(mistakes);
                }
                "gate" => {
                    let mistakes = GATE.read(&mut self.gate, source, &member);
                    self.gate.mistakes.extend(mistakes);
                }
                "audit" => {
                    let mistakes = AUDIT.read(&mut self.audit, source, &member);
                    self.audit.mistakes.extend(mistakes);
                }
                _ => CONSOLE.read_member(self, file, &member)?,
            }
        }
        Ok(has_keys)
    }

    fn apply_environment(&mut self, environment: &dyn Fn(&str) -> Option<String>) -> Result<()> {
        // An address that came out empty is a mistake: what follows would happen to another database.
        let get = |name: &str| environment(name).filter(|value| !value.is_empty() || name == "KEYRACK_DB");
        // https://no-color.org: any value that is not empty. A theme named for Keyrack itself is the closer wish.
        if get("NO_COLOR").is_some() {
            self.theme.set("mono".into(), Source::Environment("NO_COLOR"));
        } else if get("TERM").is_some() {
            match Display::of(get).colours {
                Colours::None => self.theme.set("mono".into(), Source::Environment("TERM")),
                // The colours of the others are too near to each other to be told apart there.
                Colours::Eight | Colours::Sixteen if self.theme.source == Source::Default => {
                    self.theme.set("terminal-16".into(), Source::Environment("TERM"));
                }
                _ => {}
            }
        }
        if let Some(mistake) = CONSOLE.read_environment(self, &get).into_iter().next() {
            return Err(mistake);
        }
        let mistakes = MAIL.read_environment(&mut self.mail, &get);
        self.mail.mistakes.extend(mistakes);
        let mistakes = GATE.read_environment(&mut self.gate, &get);
        self.gate.mistakes.extend(mistakes);
        let mistakes = AUDIT.read_environment(&mut self.audit, &get);
        self.audit.mistakes.extend(mistakes);
        Ok(())
    }

    /// Name, value and source of every setting, for `keyrack info`.
    pub fn rows(&self) -> Vec<(&'static str, String, &Source)> {
        [CONSOLE.shown(self), MAIL.shown(&self.mail), GATE.shown(&self.gate), AUDIT.shown(&self.audit)]
            .concat()
    }
}

/// The file's text, or `None` if there is none.
fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ConfigError {
            file: Some(path.to_owned()),
            line: None,
            reason: format!("can't be read: {error}"),
        }),
    }
}

/// The folders of the XDG base directory specification, on macOS too.
pub(crate) fn base_folders() -> Option<impl BaseStrategy> {
    etcetera::choose_base_strategy().ok()
}
