//! What letters are sent with: made from the settings when it is needed, so that a mistake in them stops nothing else.

use super::super::failure::{Exit, Failure, Result};
use crate::config::ConfigError;
use crate::config::settings::{MailSettings, Security, Setting, Transport};
use crate::domain::address::AddressError;
use crate::mail::{self, Directory, Letterhead, Mailer, Patience, Sender, Smtp, SmtpSettings, Templates};
use crate::secret_file::SecretFiles;
use crate::service::Post;

/// A mailer and what its letters look like.
pub struct MailRoom {
    pub mailer: Mailer,
    templates: Templates,
    from: Sender,
    reply_to: Option<Sender>,
}

impl MailRoom {
    /// Hands it over to the service.
    pub fn post(self) -> Post {
        Post::new(self.mailer, self.templates, &self.from).answered_by(self.reply_to.as_ref())
    }
}

/// Reads the templates, the password and the certificates; speaks to nobody yet.
pub async fn make(settings: MailSettings) -> Result<MailRoom> {
    match tokio::task::spawn_blocking(move || read(&settings)).await {
        Ok(read) => Ok(read?),
        Err(broken) => {
            Err(Failure::new(Exit::Failure, format!("reading the mail settings failed: {broken}")))
        }
    }
}

fn read(settings: &MailSettings) -> std::result::Result<MailRoom, ConfigError> {
    settings.check()?;
    let templates = match &settings.templates.value {
        Some(folder) => Templates::load(folder),
        None => Templates::embedded(),
    };
    let templates = templates.map_err(|error| at(&settings.templates, "templates", error))?;
    let from = sender(&settings.from.value).map_err(|error| at(&settings.from, "from", error))?;
    let reply_to = settings.reply_to.value.as_deref().map(sender).transpose();
    let reply_to = reply_to.map_err(|error| at(&settings.reply_to, "reply-to", error))?;
    let head = Letterhead { from: from.clone(), reply_to: reply_to.clone() };
    let mailer = match settings.transport.value {
        Transport::Directory => Directory::open(&settings.directory.value, head)
            .map(Mailer::Directory)
            .map_err(|error| at(&settings.directory, "directory", error))?,
        Transport::Smtp => {
            let smtp = smtp(settings)?;
            Smtp::open(smtp, head)
                .map(|smtp| Mailer::Smtp(smtp.with_rate(settings.rate.value)))
                .map_err(|error| settings.host.source.error(error.to_string()))?
        }
    };
    Ok(MailRoom { mailer, templates, from, reply_to })
}

fn smtp(settings: &MailSettings) -> std::result::Result<SmtpSettings, ConfigError> {
    // How long the password is, was the mail server's choice.
    let (files, least) = (SecretFiles::of_this_process(), 1);
    let password = match (&settings.password_file.value, &settings.password_credential.value) {
        (Some(file), _) => {
            let password = files.file(file, least);
            Some(password.map_err(|error| at(&settings.password_file, "password-file", error))?)
        }
        (None, Some(name)) => {
            let password = files.credential(name, least);
            Some(password.map_err(|error| at(&settings.password_credential, "password-credential", error))?)
        }
        (None, None) => None,
    };
    Ok(SmtpSettings {
        host: settings.host.value.clone().unwrap_or_default(),
        port: settings.port(),
        security: match settings.security.value {
            Security::StartTls => mail::Security::StartTls,
            Security::Tls => mail::Security::Wrapper,
            Security::PlainLoopback => mail::Security::PlainLoopback,
        },
        ca_file: settings.ca_file.value.clone(),
        login: settings.username.value.clone().zip(password),
        hello: settings.hello.value.clone(),
        connections: settings.connections.value,
        patience: Patience::default(),
    })
}

/// A setting that can't be used, with its place and its name.
fn at<T>(setting: &Setting<T>, name: &str, error: impl std::fmt::Display) -> ConfigError {
    setting.source.error(format!("`{name}`: {error}"))
}

/// `Keyrack <keyrack@example.com>`, or the address alone.
fn sender(text: &str) -> std::result::Result<Sender, AddressError> {
    match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => Sender::new(address.trim(), name.trim().trim_matches('"')),
        None => Sender::new(text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_with_a_name_before_it_or_without() {
        assert_eq!(sender("k@example.com"), Sender::new("k@example.com", ""));
        assert_eq!(sender("Key Desk <k@example.com>"), Sender::new("k@example.com", "Key Desk"));
        assert_eq!(sender("\"Desk, Keys\" <k@example.com>"), Sender::new("k@example.com", "Desk, Keys"));
        assert!(sender("Key Desk").is_err());
        assert!(sender("Key Desk <nobody>").is_err());
    }
}
