//! The rule for a database's address: no password in it, wherever it comes from.

use super::codec::{Codec, Wrong};

/// Arguments and environments of a process can be read by others on the machine, and files get copied. A refusal doesn't
/// repeat the address.
pub(super) const DATABASE: Codec<String> = Codec::new("FILE|URL", database, String::clone);

fn database(text: &str) -> Result<String, Wrong> {
    if has_password(text) {
        return Err(Wrong::new(
            "has a password in it: remove it and put a line host:port:database:user:password into a file of mode 0600 \
             that PGPASSFILE names, or into ~/.pgpass",
        ));
    }
    Ok(text.to_owned())
}

/// Whether an address with a scheme carries `user:password@` or a parameter `password=`.
pub(super) fn has_password(text: &str) -> bool {
    let Some((scheme, rest)) = text.trim_start().split_once("://") else { return false };
    if !scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-')) {
        return false;
    }
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    // A slash may stand unescaped in a password, so the last @ before the query counts, not the first slash.
    let in_authority = before.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    let in_query = query.split('&').any(|pair| {
        pair.split('=').next().is_some_and(|name| name.to_ascii_lowercase().contains("password"))
    });
    // A question mark in a password hides the @ behind it.
    let behind = query.contains('@') && before.contains(':') && !before.contains(['@', '/']);
    in_authority || in_query || behind
}
