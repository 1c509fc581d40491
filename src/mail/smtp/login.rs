//! AUTH (RFC 4954), PLAIN (RFC 4616) or LOGIN. What carries the password is wiped.

use base64ct::{Base64, Encoding};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::session::{Offers, Wire};
use super::talk::{Broken, Reply, Talk};
use crate::mail::clean;

/// Logs in, or tells in words why not. What the server says is told without the password, even if it repeats it.
pub(super) async fn log_in<S: Wire>(
    talk: &mut Talk<S>,
    offers: &Offers,
    user: &str,
    password: &str,
    by: Instant,
) -> Result<(), String> {
    let secret = base64(password.as_bytes());
    let mut both = Zeroizing::new(Vec::with_capacity(user.len() + password.len() + 2));
    for part in [b"\0", user.as_bytes(), b"\0", password.as_bytes()] {
        both.extend_from_slice(part);
    }
    let both = base64(&both);
    let reply = if offers.plain {
        plain(talk, &both, by).await
    } else if offers.login {
        login(talk, user, &secret, by).await
    } else {
        return Err("it offers no way to log in that keyrack knows (AUTH PLAIN or LOGIN)".into());
    };
    match reply {
        Ok(reply) if reply.is_done() => Ok(()),
        Ok(reply) => Err(format!("log-in: {}", without(&reply, &[password, &secret, &both]))),
        Err(broken) => Err(format!("log-in: {broken}")),
    }
}

async fn plain<S: Wire>(talk: &mut Talk<S>, both: &str, by: Instant) -> Result<Reply, Broken> {
    let reply = talk.say(&line(&["AUTH PLAIN ", both]), by).await?;
    // A server that overlooks what came with the command asks for it.
    if reply.code == 334 { talk.say(&line(&[both]), by).await } else { Ok(reply) }
}

async fn login<S: Wire>(talk: &mut Talk<S>, user: &str, secret: &str, by: Instant) -> Result<Reply, Broken> {
    let mut reply = talk.say("AUTH LOGIN\r\n", by).await?;
    for answer in [&*base64(user.as_bytes()), secret] {
        if reply.code != 334 {
            break;
        }
        reply = talk.say(&line(&[answer]), by).await?;
    }
    Ok(reply)
}

/// A command of these parts, with its end; of full size from the start.
fn line(parts: &[&str]) -> Zeroizing<String> {
    let mut line =
        Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum::<usize>() + 2));
    for part in parts {
        line.push_str(part);
    }
    line.push_str("\r\n");
    line
}

/// The server's words, with dots for every word that holds one of the secrets.
fn without(reply: &Reply, secrets: &[&str]) -> String {
    let text = Zeroizing::new(reply.lines.join(" "));
    let hide = |word| if secrets.iter().any(|secret| str::contains(word, *secret)) { "…" } else { word };
    // A password with blanks in it stands in no single word.
    if secrets.iter().any(|secret| secret.contains(char::is_whitespace) && text.contains(*secret)) {
        return reply.code.to_string();
    }
    let text = text.split_whitespace().map(hide).collect::<Vec<_>>().join(" ");
    clean::words(&format!("{} {text}", reply.code))
}

/// With padding; what carries a password is wiped.
fn base64(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(Base64::encode_string(bytes))
}

#[cfg(test)]
mod tests;
