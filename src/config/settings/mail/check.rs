//! What single values must look like, and which of them go together.

use super::super::super::document::Result;
use super::super::codec::{Codec, Wrong};
use super::super::setting::Source;
use super::{INSTEAD, MailSettings, Transport};

impl MailSettings {
    /// Whether letters can be sent with these settings; looks at no file and no server. The first mistake is told with its
    /// place.
    pub fn check(&self) -> Result<()> {
        if let Some(mistake) = self.mistakes.first() {
            return Err(mistake.clone());
        }
        if self.transport.value == Transport::Directory {
            return Ok(());
        }
        if self.host.value.is_none() {
            let why = "`transport` is smtp and no mail server is named: write `host = \"smtp.example.com\"` below [mail]";
            return Err(self.transport.source.error(why));
        }
        if self.from.source == Source::Default {
            let why = "a mail server is named and no sender: write `from = \"Keyrack <keyrack@example.com>\"` below [mail]";
            return Err(self.host.source.error(why));
        }
        let password = match (&self.password_file, &self.password_credential) {
            (file, credential) if file.value.is_some() && credential.value.is_some() => {
                let why = "`password-file` and `password-credential` are both set: remove one of them";
                return Err(credential.source.error(why));
            }
            (file, _) if file.value.is_some() => Some(&file.source),
            (_, credential) => credential.value.as_ref().map(|_| &credential.source),
        };
        match (&self.username.value, password) {
            (Some(_), None) => Err(self
                .username
                .source
                .error(format!("`username` is set and no password is named: {INSTEAD}"))),
            (None, Some(source)) => Err(source.error("a password is named and no `username`: set it too")),
            _ => Ok(()),
        }
    }
}

/// A mail server's name or address, without scheme and port.
pub(super) const HOST: Codec<String> = Codec::new("NAME", host, String::clone);

fn host(text: &str) -> std::result::Result<String, Wrong> {
    if text.contains("://") || text.contains('/') {
        return Err(Wrong::new(format!("is {text:?}: write the server's name alone, as smtp.example.com")));
    }
    if text.contains('@') {
        return Err(Wrong::new(
            "has an @ in it: write the server's name alone, and who signs in there with `username`",
        ));
    }
    let is_address = text.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
    if let Some((name, port)) = text.rsplit_once(':').filter(|_| !is_address) {
        return Err(Wrong::new(format!("is {text:?}: write `host = {name:?}` and `port = {port}`")));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Wrong::new(format!("is {text:?}: a server's name has no spaces")));
    }
    Ok(text.to_owned())
}
