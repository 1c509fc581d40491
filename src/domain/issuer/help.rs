//! What letters tell the one who reads them: where to replace a key, and whom to ask.

use serde::{Deserialize, Serialize};

use crate::domain::address::deliverable;
use crate::domain::text::is_safe;

/// The most bytes of a link, before its placeholders are filled.
const LINK_MAX: usize = 500;
/// The most characters of an address (RFC 5321, 4.5.3.1.3).
const ADDRESS_MAX: usize = 254;

/// Where the admins of accounts replace a key, and whom they ask about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Help {
    /// The page on which a customer creates a new key: `https://…`. `{account}` stands for the account's slug, `{key}` for the
    /// ID of the key that is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_url: Option<String>,
    /// The mail address of the team that answers questions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

impl Help {
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The page for this key. `None` without one, and for one that the rules refuse: the database may hold what no console
    /// wrote.
    pub fn link(&self, account: &str, key: &str) -> Option<String> {
        let url = self.replace_url.as_deref().filter(|url| link_fault(url).is_none())?;
        let mut link = String::with_capacity(url.len() + 64);
        for piece in pieces(url) {
            match piece {
                Piece::Text(text) => link.push_str(text),
                Piece::Placeholder("account") => encode(account, &mut link),
                Piece::Placeholder("key") => encode(key, &mut link),
                Piece::Placeholder(_) => return None,
            }
        }
        Some(link)
    }

    /// The address to ask. `None` without one, and for one that the rules refuse.
    pub fn address(&self) -> Option<&str> {
        self.contact.as_deref().filter(|contact| contact_fault(contact).is_none())
    }
}

enum Piece<'t> {
    Text(&'t str),
    /// What stands between the braces.
    Placeholder(&'t str),
}

/// The link's parts. A brace that is left open is text.
fn pieces(url: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = url;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, left)) = rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            rest = left;
            return Some(Piece::Placeholder(name));
        }
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == '{').map_or(rest.len(), |(at, _)| at);
        let (text, left) = rest.split_at(end);
        rest = left;
        Some(Piece::Text(text))
    })
}

/// All but the unreserved characters of RFC 3986 as `%XX`.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// What is wrong with a link, in words.
pub(super) fn link_fault(url: &str) -> Option<String> {
    let fault = |why: &str| Some(why.to_owned());
    if let Some(c) = url.chars().find(|c| !is_safe(*c)) {
        return Some(format!("holds U+{:04X}: write a plain https:// address", u32::from(c)));
    }
    if url.len() > LINK_MAX {
        return Some(format!("is longer than {LINK_MAX} bytes"));
    }
    let local = |rest: &&str| matches!(host_of(rest), "localhost" | "127.0.0.1");
    let secure = url.strip_prefix("https://");
    let Some(rest) = secure.or_else(|| url.strip_prefix("http://").filter(local)) else {
        return fault("must begin with https:// (http:// only to localhost)");
    };
    for piece in pieces(url) {
        match piece {
            Piece::Placeholder("account" | "key") => {}
            Piece::Placeholder(name) => {
                return Some(format!("{{{name}}} is unknown: use {{account}} or {{key}}"));
            }
            Piece::Text(text) if text.contains(['{', '}']) => {
                return fault("has an unmatched brace");
            }
            Piece::Text(_) => {}
        }
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('{') {
        return fault("has a placeholder in its host: put it after the first /");
    }
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    if host.is_empty() || !host.bytes().all(plain) || !port.bytes().all(|b| b.is_ascii_digit()) {
        return fault("must name a plain host, as in https://app.example.com/keys");
    }
    let refused = |b: u8| !b.is_ascii_graphic() || matches!(b, b'\'' | b'"' | b'\\' | b'`' | b'<' | b'>');
    if url.bytes().any(refused) {
        return fault("must be of plain characters, without blanks or quotes: write others as %XX");
    }
    None
}

fn host_of(rest: &str) -> &str {
    rest.split(['/', ':', '?', '#']).next().unwrap_or_default()
}

/// What is wrong with an address to ask, in words. Only such are taken as can stand in a header and in a link as they are.
pub(super) fn contact_fault(contact: &str) -> Option<String> {
    let address = match deliverable(contact) {
        Ok(address) => address,
        Err(error) => return Some(error.to_string()),
    };
    let (local, domain) = address.rsplit_once('@').unwrap_or_default();
    let atom = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'='))
    };
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let plain = contact == contact.trim()
        && address.len() <= ADDRESS_MAX
        && local.len() <= 64
        && local.split('.').all(atom)
        && domain.split('.').all(label);
    (!plain).then(|| "must be one bare mail address, as in keys@example.com".to_owned())
}

#[cfg(test)]
mod tests;
