//! The settings as `keyrack info` shows them.

use std::fmt;

use super::super::{Source, table};
use super::{MailSettings, Name, TABLE};

impl MailSettings {
    /// Name, value and source of every setting, for `keyrack info`. What is not set is empty.
    pub(in crate::config::settings) fn rows(&self) -> Vec<(&'static str, String, &Source)> {
        let row = |name: Name| -> (String, &Source) {
            match name {
                Name::Transport => (self.transport.value.as_str().into(), &self.transport.source),
                Name::Directory => shown(Some(self.directory.value.display()), &self.directory.source),
                Name::From => (self.from.value.clone(), &self.from.source),
                Name::ReplyTo => shown(self.reply_to.value.as_ref(), &self.reply_to.source),
                Name::Host => shown(self.host.value.as_ref(), &self.host.source),
                Name::Port => (self.port().to_string(), &self.port.source),
                Name::Security => (self.security.value.as_str().into(), &self.security.source),
                Name::Username => shown(self.username.value.as_ref(), &self.username.source),
                Name::PasswordFile => table::path(&self.password_file),
                Name::PasswordCredential => {
                    shown(self.password_credential.value.as_ref(), &self.password_credential.source)
                }
                Name::CaFile => table::path(&self.ca_file),
                Name::Connections => (self.connections.value.to_string(), &self.connections.source),
                Name::Hello => shown(self.hello.value.as_ref(), &self.hello.source),
                Name::Templates => table::path(&self.templates),
            }
        };
        table::rows(&TABLE, row)
    }
}

fn shown<T: fmt::Display>(value: Option<T>, source: &Source) -> (String, &Source) {
    (value.map(|value| value.to_string()).unwrap_or_default(), source)
}
