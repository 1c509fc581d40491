//! The `[mail]` table: how reminders leave this machine.
//!
//! A mistake in it is kept, not thrown: who must revoke a key right now is not stopped by a misspelt mail server. It is
//! told by `keyrack doctor` and `keyrack info`, and by every sweep, which it does stop.

use std::path::{Path, PathBuf};

use super::super::document::{ConfigError, Result, Text, Value};
use super::table::{self, Entry, odd};
use super::{Setting, Source};

mod check;
mod show;
#[cfg(test)]
mod tests;

/// How letters leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// As files in a folder: for a machine without a mail server.
    Directory,
    /// By a mail server.
    Smtp,
}

/// How the connection to the mail server is protected. There is no opportunistic way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS by STARTTLS, required; port 587.
    StartTls,
    /// TLS from the first byte; port 465.
    Tls,
    /// No TLS, to this machine only; port 25.
    PlainLoopback,
}

impl Transport {
    pub const ALL: [Self; 2] = [Self::Directory, Self::Smtp];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Smtp => "smtp",
        }
    }
}

impl Security {
    pub const ALL: [Self; 3] = [Self::StartTls, Self::Tls, Self::PlainLoopback];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Tls => "tls",
            Self::PlainLoopback => "plain-loopback",
        }
    }

    /// The port where servers expect it (RFC 6409, RFC 8314).
    pub fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::PlainLoopback => 25,
        }
    }
}

/// A setting of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Transport,
    Directory,
    From,
    ReplyTo,
    Host,
    Port,
    Security,
    Username,
    PasswordFile,
    PasswordCredential,
    CaFile,
    Connections,
    Hello,
    Templates,
}

/// Every setting.
const TABLE: [Entry<Name>; 14] = [
    (Name::Transport, "transport", "mail.transport", "KEYRACK_MAIL_TRANSPORT"),
    (Name::Directory, "directory", "mail.directory", "KEYRACK_MAIL_DIRECTORY"),
    (Name::From, "from", "mail.from", "KEYRACK_MAIL_FROM"),
    (Name::ReplyTo, "reply-to", "mail.reply-to", "KEYRACK_MAIL_REPLY_TO"),
    (Name::Host, "host", "mail.host", "KEYRACK_MAIL_HOST"),
    (Name::Port, "port", "mail.port", "KEYRACK_MAIL_PORT"),
    (Name::Security, "security", "mail.security", "KEYRACK_MAIL_SECURITY"),
    (Name::Username, "username", "mail.username", "KEYRACK_MAIL_USERNAME"),
    (Name::PasswordFile, "password-file", "mail.password-file", "KEYRACK_MAIL_PASSWORD_FILE"),
    (
        Name::PasswordCredential,
        "password-credential",
        "mail.password-credential",
        "KEYRACK_MAIL_PASSWORD_CREDENTIAL",
    ),
    (Name::CaFile, "ca-file", "mail.ca-file", "KEYRACK_MAIL_CA_FILE"),
    (Name::Connections, "connections", "mail.connections", "KEYRACK_MAIL_CONNECTIONS"),
    (Name::Hello, "hello", "mail.hello", "KEYRACK_MAIL_HELLO"),
    (Name::Templates, "templates", "mail.templates", "KEYRACK_MAIL_TEMPLATES"),
];

/// The variable that nobody may use.
const PASSWORD_VARIABLE: &str = "KEYRACK_MAIL_PASSWORD";

/// Connections to the mail server at a time, unless told otherwise, and the most that may be asked for.
const CONNECTIONS: (usize, usize) = (4, 64);

/// How reminders leave this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// Unless told otherwise: by a mail server if one is named, else as files.
    pub transport: Setting<Transport>,
    /// The folder for letters as files.
    pub directory: Setting<PathBuf>,
    /// The sender's address, with a name before it or without.
    pub from: Setting<String>,
    pub reply_to: Setting<Option<String>>,
    pub host: Setting<Option<String>>,
    /// Unless told otherwise the one that goes with the security.
    pub port: Setting<Option<u16>>,
    pub security: Setting<Security>,
    pub username: Setting<Option<String>>,
    /// A file of mode 0600 that holds the password and nothing else.
    pub password_file: Setting<Option<PathBuf>>,
    /// The name of a credential that systemd passes on.
    pub password_credential: Setting<Option<String>>,
    /// Certificates (PEM) to trust instead of the system's.
    pub ca_file: Setting<Option<PathBuf>>,
    /// Connections at a time.
    pub connections: Setting<usize>,
    /// How this machine greets the mail server; unless told otherwise by its own name.
    pub hello: Setting<Option<String>>,
    /// A folder with templates of the operator's own.
    pub templates: Setting<Option<PathBuf>>,
    /// What can't be read, in the order of reading.
    pub mistakes: Vec<ConfigError>,
}

impl MailSettings {
    pub(super) fn defaults(data: &Path) -> Self {
        Self {
            transport: Setting::default(Transport::Directory),
            directory: Setting::default(data.join("mail")),
            from: Setting::default("Keyrack <keyrack@localhost>".into()),
            reply_to: Setting::default(None),
            host: Setting::default(None),
            port: Setting::default(None),
            security: Setting::default(Security::StartTls),
            username: Setting::default(None),
            password_file: Setting::default(None),
            password_credential: Setting::default(None),
            ca_file: Setting::default(None),
            connections: Setting::default(CONNECTIONS.0),
            hello: Setting::default(None),
            templates: Setting::default(None),
            mistakes: Vec::new(),
        }
    }

    /// Takes over the table of a file.
    pub(super) fn apply_table(&mut self, source: Text<'_>, table: &Value<'_, '_>) {
        let mistakes = table::read(source, table, |member| self.apply_member(source.file, member));
        self.mistakes.extend(mistakes);
    }

    fn apply_member(&mut self, file: &Path, member: &Value<'_, '_>) -> Result<()> {
        let word = member.key.replace('_', "-");
        let Some((name, ..)) = TABLE.into_iter().find(|(_, known, ..)| *known == word) else {
            return Err(member.at.error(unknown(&word, member.key)));
        };
        let from = Source::File(file.to_owned(), member.at.line());
        let number;
        let text = match name {
            Name::Port | Name::Connections => {
                number = member.integer()?.to_string();
                &number
            }
            _ => member.str()?,
        };
        self.set(name, text, from).map_err(|why| member.at.error(format!("`{}` {why}", member.key)))
    }

    /// Takes over what variables say.
    pub(super) fn apply_environment(&mut self, get: &dyn Fn(&'static str) -> Option<(String, Source)>) {
        for (name, _, _, variable) in TABLE {
            if let Some((text, from)) = get(variable)
                && let Err(why) = self.set(name, &text, from)
            {
                self.mistakes.push(ConfigError::new(format!("{variable} {why}")));
            }
        }
        if get(PASSWORD_VARIABLE).is_some() {
            let why = format!(
                "{PASSWORD_VARIABLE} holds a password, and the environment of a process can be read by others: {INSTEAD}, and take the variable away"
            );
            self.mistakes.push(ConfigError::new(why));
        }
    }

    /// Lets all letters become files in this folder.
    pub(super) fn use_directory(&mut self, folder: PathBuf, from: Source) {
        self.transport.set(Transport::Directory, from.clone());
        self.directory.set(folder, from);
    }

    /// A mail server that is named is used, unless somebody said otherwise.
    pub(super) fn settle(&mut self) {
        if self.transport.source == Source::Default && self.host.value.is_some() {
            self.transport = Setting { value: Transport::Smtp, source: self.host.source.clone() };
        }
    }

    /// The port: the one that was named, or the one that goes with the security.
    pub fn port(&self) -> u16 {
        self.port.value.unwrap_or_else(|| self.security.value.port())
    }

    /// Takes over one value. The error goes on after the setting's name.
    fn set(&mut self, name: Name, text: &str, from: Source) -> std::result::Result<(), String> {
        if text.trim().is_empty() {
            return Err("is empty: give it a value, or take it away".into());
        }
        let some = || Some(text.trim().to_owned());
        let path = || Some(PathBuf::from(text));
        match name {
            Name::Transport => {
                let choice = Transport::ALL.into_iter().find(|choice| choice.as_str() == text);
                self.transport.set(choice.ok_or_else(|| odd(text, "directory or smtp"))?, from);
            }
            Name::Security => {
                let choice = Security::ALL.into_iter().find(|choice| choice.as_str() == text);
                let choice = choice.ok_or_else(|| odd(text, "starttls, tls or plain-loopback"))?;
                self.security.set(choice, from);
            }
            Name::Port => {
                let port = text.parse::<u16>().ok().filter(|port| *port > 0);
                self.port.set(Some(port.ok_or_else(|| odd(text, "a number from 1 to 65535"))?), from);
            }
            Name::Connections => {
                let most = CONNECTIONS.1;
                let number = text.parse::<usize>().ok().filter(|number| (1..=most).contains(number));
                let number = number.ok_or_else(|| odd(text, &format!("a number from 1 to {most}")))?;
                self.connections.set(number, from);
            }
            Name::Host => {
                check::host(text.trim())?;
                self.host.set(some(), from);
            }
            Name::PasswordCredential => {
                outranked(&mut self.password_file, &from);
                self.password_credential.set(some(), from);
            }
            Name::From => self.from.set(text.trim().to_owned(), from),
            Name::ReplyTo => self.reply_to.set(some(), from),
            Name::Username => self.username.set(some(), from),
            Name::Hello => self.hello.set(some(), from),
            Name::Directory => self.directory.set(PathBuf::from(text), from),
            Name::PasswordFile => {
                outranked(&mut self.password_credential, &from);
                self.password_file.set(path(), from);
            }
            Name::CaFile => self.ca_file.set(path(), from),
            Name::Templates => self.templates.set(path(), from),
        }
        Ok(())
    }
}

/// Forgets the other way to the password if it was named in a layer below: a unit's credential stands for the file that
/// the settings of the machine name. In one and the same layer the two contradict each other.
fn outranked<T>(other: &mut Setting<Option<T>>, by: &Source) {
    let same_layer = match (&other.source, by) {
        (Source::File(a, _), Source::File(b, _)) => a == b,
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    };
    if !same_layer {
        *other = Setting::default(None);
    }
}

/// What to do with a password.
const INSTEAD: &str = "put it into a file of mode 0600 and name that with `password-file`, or hand it over as a credential of systemd and name that with `password-credential`";

fn unknown(word: &str, as_written: &str) -> String {
    if ["password", "pass", "passwd", "secret"].contains(&word) {
        return table::misplaced(as_written, INSTEAD);
    }
    table::unknown("mail", &TABLE, word, as_written)
}
