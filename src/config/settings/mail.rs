//! The `[mail]` table: how reminders leave this machine.
//!
//! A mistake in it is kept, not thrown: who must revoke a key right now is not stopped by a misspelt mail server. It is
//! told by `keyrack doctor` and `keyrack info`, and by every sweep, which it does stop.

use std::path::PathBuf;

use strum::{EnumMessage, EnumString, IntoStaticStr, VariantArray};

use super::super::document::ConfigError;
use super::codec::{Codec, FOLDER, PATH, TEXT};
use super::row::Row;
use super::setting::{Setting, Source};
use super::table::Table;

mod check;
#[cfg(test)]
mod tests;

/// How letters leave.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, EnumMessage, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "lowercase")]
pub enum Transport {
    /// As files in a folder: for a machine without a mail server.
    #[default]
    Directory,
    /// By a mail server.
    Smtp,
}

/// How the connection to the mail server is protected. There is no opportunistic way.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, EnumMessage, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Security {
    /// TLS by STARTTLS, required; port 587.
    #[default]
    #[strum(serialize = "starttls")]
    StartTls,
    /// TLS from the first byte; port 465.
    Tls,
    /// No TLS, to this machine only; port 25.
    PlainLoopback,
}

impl Security {
    /// The port where servers expect it (RFC 6409, RFC 8314).
    pub fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::PlainLoopback => 25,
        }
    }
}

macro_rules! mail {
    ($how:ident $field:ident: $codec:expr, $doc:literal) => {
        super::row::row!(MailSettings, "mail.", "keyrack_mail_", $how $field: $codec, $doc)
    };
}

/// Every setting.
const ROWS: &[Row<MailSettings>] = &[
    mail!(one transport: Codec::<Transport>::choice("WAY"), "How letters leave; unless set, by `smtp` if a `host` is named")
        .default("directory"),
    mail!(one directory: FOLDER, "The folder for `.eml` files; also `--mail-dir`")
        .default("{data}/mail")
        .flag_for_all("--mail-dir", "Write letters as .eml files into this folder instead of sending them")
        .then(|mail| {
            if let from @ Source::Flag(_) = &mail.directory.source {
                mail.transport.set(Transport::Directory, from.clone());
            }
        }),
    mail!(one from: TEXT, "The sender: `Name <address>`, or the address alone").hint("ADDRESS")
        .default("Keyrack <keyrack@localhost>"),
    mail!(some reply_to: TEXT, "Where answers go: `Name <address>`, or the address alone").hint("ADDRESS"),
    mail!(some host: check::HOST, "The mail server"),
    mail!(some port: Codec::<u16>::to::<65_535>(), "Its port. Unless set: 587, 465 with `tls`, 25 with `plain-loopback`")
        .show(|mail| (mail.port().to_string(), &mail.port.source)),
    mail!(one security: Codec::<Security>::choice("HOW"), "`starttls` is required, never \"if possible\"; `tls` from the first byte; `plain-loopback` for a server on this very machine")
        .default("starttls"),
    mail!(some username: TEXT, "Who signs in"),
    mail!(some password_file: PATH, "A file of mode 0600 that holds the password and nothing else")
        .secret(&["password", "pass", "passwd", "secret"])
        .then(|mail| outranked(&mut mail.password_credential, &mail.password_file.source)),
    mail!(some password_credential: TEXT, "Instead of the file: the name of a credential of systemd, as in the unit below")
        .then(|mail| outranked(&mut mail.password_file, &mail.password_credential.source)),
    mail!(some ca_file: PATH, "Certificates (PEM) that are trusted instead of the system's"),
    mail!(one connections: Codec::<usize>::to::<64>(), "How many letters are sent at a time").default("4"),
    mail!(some rate: Codec::<u32>::to::<100_000>(), "At most this many letters a minute, for a server that takes no more"),
    mail!(some hello: TEXT, "The name that this machine gives itself. Without: its host name"),
    mail!(some templates: FOLDER, "A folder with texts of your own"),
];

pub const MAIL: Table<MailSettings> =
    Table { name: "mail", rows: ROWS, tables: &[], elsewhere: &[], instead: |_| INSTEAD.to_owned() };

/// What to do with a password.
const INSTEAD: &str = "put it into a file of mode 0600 and name that with `password-file`, or hand it over as a credential of systemd and name that with `password-credential`";

/// How reminders leave this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// Letters a minute.
    pub rate: Setting<Option<u32>>,
    /// How this machine greets the mail server; unless told otherwise by its own name.
    pub hello: Setting<Option<String>>,
    /// A folder with templates of the operator's own.
    pub templates: Setting<Option<PathBuf>>,
    /// What can't be read, in the order of reading.
    pub mistakes: Vec<ConfigError>,
}

impl MailSettings {
    /// Lets all letters become files in this folder, as `--demo` wants it: whatever the settings say, a demo writes to
    /// nobody.
    pub fn keep_in(&mut self, folder: PathBuf) {
        self.mistakes.clear();
        self.transport.set(Transport::Directory, Source::Flag("--demo"));
        self.directory.set(folder, Source::Flag("--demo"));
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
}

/// Forgets the other way to the password if it was named in a layer below: a unit's credential stands for the file that
/// the settings of the machine name. In one and the same layer the two contradict each other.
fn outranked<T>(other: &mut Setting<Option<T>>, by: &Source) {
    let same_layer = match (&other.source, by) {
        (Source::File(a, _), Source::File(b, _)) => a == b,
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    };
    if !same_layer {
        *other = Setting::default();
    }
}
