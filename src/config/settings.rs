//! Typed settings, merged from defaults, files, environment and flags, each remembering where it was decided.

use std::fmt;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::document::{ConfigError, Result, Text, Value, nearest};

mod database;
mod gate;
mod mail;
mod place;
mod table;
#[cfg(test)]
mod tests;

pub use database::check_database;
pub use gate::{GateTable, HeaderNames, LogForm};
pub use mail::{MailSettings, Security, Transport};
pub use place::Places;

/// Where a value was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody said anything.
    Default,
    /// A configuration file, and the line in it.
    File(PathBuf, usize),
    /// An environment variable.
    Environment(&'static str),
    /// A flag on the command line.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value and where it was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    pub value: T,
    pub source: Source,
}

impl<T> Setting<T> {
    fn default(value: T) -> Self {
        Self { value, source: Source::Default }
    }

    fn set(&mut self, value: T, source: Source) {
        *self = Self { value, source };
    }
}

/// How a copied text reaches the clipboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClipboardChoice {
    /// Whatever fits: the local display, tmux, or the terminal.
    Auto,
    /// The terminal, by its escape sequence.
    Terminal,
    /// The display of this machine.
    Display,
    /// Nothing is ever copied.
    Off,
}

impl ClipboardChoice {
    pub const ALL: [Self; 4] = [Self::Auto, Self::Terminal, Self::Display, Self::Off];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Terminal => "terminal",
            Self::Display => "display",
            Self::Off => "off",
        }
    }
}

/// Everything that a person may decide, but for keys and themes, which have files of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A path or a `postgres://` address without a password.
    pub database: Setting<String>,
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
    pub clipboard: Setting<ClipboardChoice>,
    /// What is written to the log, in the words of `tracing`: `info`, `keyrack=debug`.
    pub log: Setting<String>,
    /// The log's file.
    pub log_file: Setting<PathBuf>,
    /// How reminders are sent.
    pub mail: MailSettings,
    /// What a gate is told.
    pub gate: GateTable,
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

/// What flags say. `None`: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--db`
    pub database: Option<String>,
    /// `--theme`
    pub theme: Option<String>,
    /// `--no-mouse`
    pub mouse: Option<bool>,
    /// `--ascii`
    pub ascii: Option<bool>,
    /// `--utc`
    pub utc: Option<bool>,
    /// `--mail-dir`: letters become files in this folder.
    pub mail_directory: Option<PathBuf>,
}

/// The names of all settings outside of tables, as files spell them.
pub const NAMES: [&str; 9] =
    ["database", "theme", "mouse", "ascii", "relative-times", "utc", "clipboard", "log", "log-file"];

impl Settings {
    /// Settings as they are when nobody says anything.
    pub fn defaults(places: &Places) -> Self {
        Self {
            database: Setting::default(places.data.join("keyrack.db").display().to_string()),
            theme: Setting::default("dark".into()),
            mouse: Setting::default(true),
            ascii: Setting::default(false),
            relative_times: Setting::default(true),
            utc: Setting::default(false),
            clipboard: Setting::default(ClipboardChoice::Auto),
            log: Setting::default("info".into()),
            log_file: Setting::default(places.state.join("keyrack.log")),
            mail: MailSettings::defaults(&places.data),
            gate: GateTable::defaults(),
            files: Vec::new(),
            key_files: Vec::new(),
        }
    }

    /// Merges defaults, the files of `places`, the variables that `environment` answers to, and `flags`; each outranks
    /// those before it. The first mistake is refused with its place.
    pub fn load(
        places: &Places,
        environment: &dyn Fn(&str) -> Option<String>,
        flags: &Flags,
    ) -> Result<Self> {
        let mut settings = Self::defaults(places);
        for folder in [Some(&places.system), places.config.as_ref()].into_iter().flatten() {
            let config = folder.join("config.toml");
            if let Some(text) = read(&config)? {
                let keys = settings.apply_file(&config, &text)?;
                settings.files.push(config.clone());
                if keys {
                    settings.key_files.push(KeyFile { path: config, text });
                }
            }
            let keys = folder.join("keys.toml");
            if let Some(text) = read(&keys)? {
                settings.files.push(keys.clone());
                settings.key_files.push(KeyFile { path: keys, text });
            }
        }
        settings.apply_environment(environment)?;
        settings.apply_flags(flags)?;
        settings.mail.settle();
        Ok(settings)
    }

    /// Takes over one file. Answers whether it has a table of keys.
    fn apply_file(&mut self, file: &Path, text: &str) -> Result<bool> {
        let source = Text { file, text };
        let table = source.parse()?;
        let mut has_keys = false;
        for member in source.members(&table) {
            let from = Source::File(file.to_owned(), member.at.line());
            match member.key.replace('_', "-").as_str() {
                "keys" => {
                    member.table()?;
                    has_keys = true;
                }
                "mail" => self.mail.apply_table(source, &member),
                "gate" => self.gate.apply_table(source, &member),
                "database" => {
                    let text = member.str()?;
                    check_database(text, &from).map_err(|error| member.at.error(error.reason))?;
                    self.database.set(text.to_owned(), from);
                }
                "theme" => self.theme.set(member.str()?.to_owned(), from),
                "mouse" => self.mouse.set(member.bool()?, from),
                "ascii" => self.ascii.set(member.bool()?, from),
                "relative-times" => self.relative_times.set(member.bool()?, from),
                "utc" => self.utc.set(member.bool()?, from),
                "clipboard" => self.clipboard.set(clipboard(&member)?, from),
                "log" => self.log.set(member.str()?.to_owned(), from),
                "log-file" => self.log_file.set(PathBuf::from(member.str()?), from),
                other => {
                    let hint = nearest(other, NAMES.into_iter().chain(["keys", "mail", "gate"])).map_or_else(
                        || format!("Known are {}, [mail], [gate] and [keys]", NAMES.join(", ")),
                        |near| format!("Did you mean `{near}`?"),
                    );
                    return Err(member.at.error(format!("there is no setting `{}`. {hint}", member.key)));
                }
            }
        }
        Ok(has_keys)
    }

    fn apply_environment(&mut self, environment: &dyn Fn(&str) -> Option<String>) -> Result<()> {
        let get = |name: &'static str| {
            environment(name)
                .filter(|value| !value.is_empty())
                .map(|value| (value, Source::Environment(name)))
        };
        if let Some((text, from)) = get("KEYRACK_DB") {
            check_database(&text, &from)?;
            self.database.set(text, from);
        }
        // https://no-color.org: any value that is not empty. A theme named for Keyrack itself is the closer wish.
        if let Some((_, from)) = get("NO_COLOR") {
            self.theme.set("mono".into(), from);
        } else if let Some((_, from)) = get("TERM").filter(|(term, _)| term == "dumb") {
            self.theme.set("mono".into(), from);
        }
        if let Some((theme, from)) = get("KEYRACK_THEME") {
            self.theme.set(theme, from);
        }
        for (name, setting) in [
            ("KEYRACK_MOUSE", &mut self.mouse),
            ("KEYRACK_ASCII", &mut self.ascii),
            ("KEYRACK_RELATIVE_TIMES", &mut self.relative_times),
            ("KEYRACK_UTC", &mut self.utc),
        ] {
            if let Some((text, from)) = get(name) {
                let value = switch(&text).ok_or_else(|| {
                    ConfigError::new(format!("{name} is {text:?}: write true or false, 1 or 0, on or off"))
                })?;
                setting.set(value, from);
            }
        }
        if let Some((text, from)) = get("KEYRACK_CLIPBOARD") {
            let value = clipboard_choice(&text)
                .ok_or_else(|| ConfigError::new(format!("KEYRACK_CLIPBOARD is {text:?}: {CLIPBOARD}")))?;
            self.clipboard.set(value, from);
        }
        if let Some((text, from)) = get("KEYRACK_LOG") {
            self.log.set(text, from);
        }
        if let Some((text, from)) = get("KEYRACK_LOG_FILE") {
            self.log_file.set(PathBuf::from(text), from);
        }
        self.mail.apply_environment(&get);
        self.gate.apply_environment(&get);
        Ok(())
    }

    fn apply_flags(&mut self, flags: &Flags) -> Result<()> {
        if let Some(text) = &flags.database {
            check_database(text, &Source::Flag("--db"))?;
            self.database.set(text.clone(), Source::Flag("--db"));
        }
        if let Some(theme) = &flags.theme {
            self.theme.set(theme.clone(), Source::Flag("--theme"));
        }
        if let Some(mouse) = flags.mouse {
            self.mouse.set(mouse, Source::Flag("--no-mouse"));
        }
        if let Some(ascii) = flags.ascii {
            self.ascii.set(ascii, Source::Flag("--ascii"));
        }
        if let Some(utc) = flags.utc {
            self.utc.set(utc, Source::Flag("--utc"));
        }
        if let Some(folder) = &flags.mail_directory {
            self.mail.use_directory(folder.clone(), Source::Flag("--mail-dir"));
        }
        Ok(())
    }

    /// Lets all letters become files in this folder, as `--demo` wants it: whatever the settings say, a demo writes to
    /// nobody.
    pub fn keep_mail_in(&mut self, folder: PathBuf) {
        self.mail.mistakes.clear();
        self.mail.use_directory(folder, Source::Flag("--demo"));
    }

    /// Lets a gate tell nobody and count by itself, as `--demo` wants it.
    pub fn keep_gate_to_itself(&mut self) {
        self.gate.keep_to_itself();
    }

    /// Name, value and source of every setting, for `keyrack info`.
    pub fn rows(&self) -> Vec<(&'static str, String, &Source)> {
        let mut rows = vec![
            ("database", self.database.value.clone(), &self.database.source),
            ("theme", self.theme.value.clone(), &self.theme.source),
            ("mouse", self.mouse.value.to_string(), &self.mouse.source),
            ("ascii", self.ascii.value.to_string(), &self.ascii.source),
            ("relative-times", self.relative_times.value.to_string(), &self.relative_times.source),
            ("utc", self.utc.value.to_string(), &self.utc.source),
            ("clipboard", self.clipboard.value.as_str().to_owned(), &self.clipboard.source),
            ("log", self.log.value.clone(), &self.log.source),
            ("log-file", self.log_file.value.display().to_string(), &self.log_file.source),
        ];
        rows.extend(self.mail.rows());
        rows.extend(self.gate.rows());
        rows
    }
}

const CLIPBOARD: &str = "write auto, terminal, display or off";

fn clipboard(member: &Value<'_, '_>) -> Result<ClipboardChoice> {
    let text = member.str()?;
    clipboard_choice(text).ok_or_else(|| member.at.error(format!("`clipboard` is {text:?}: {CLIPBOARD}")))
}

fn clipboard_choice(text: &str) -> Option<ClipboardChoice> {
    ClipboardChoice::ALL.into_iter().find(|choice| choice.as_str() == text)
}

fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "on" | "yes" => Some(true),
        "false" | "0" | "off" | "no" => Some(false),
        _ => None,
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
