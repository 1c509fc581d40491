//! The person behind a login that several people share, as far as the machine that Keyrack runs on can tell.
//!
//! No right rests on it: the actor of a change is the login. It is kept in a row of the audit as text, a sign a line:
//! `checked ssh-key SHA256:…`.

use serde::Serialize;
use strum::{EnumString, IntoStaticStr};

use super::text::SafeText;

mod certificate;

pub use certificate::from_ssh;

/// What a person is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, Serialize)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// The fingerprint of the SSH key that the session began with.
    SshKey,
    /// What the certificate of that key says: its key ID, its principals, who signed it.
    Certificate,
    /// The login from which somebody became the acting login, by `sudo` or `su`.
    User,
}

/// How far a sign is to be believed. The first letters of lines in the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, Serialize)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// The program that wrote the row found it to be what sshd or the kernel made. Only where that program also keeps the database.
    Checked,
    /// The same, said by a client of a server that can't check it.
    Reported,
    /// The environment says so, which anybody can set.
    Claimed,
}

/// One sign of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sign {
    pub mark: Mark,
    pub value: SafeText,
    pub proof: Proof,
}

/// All signs of a person; none, where nothing is known but the login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Person(Vec<Sign>);

/// So many signs are kept, of so many characters each.
const SIGNS: usize = 8;
const LENGTH: usize = 400;

impl Person {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn add(&mut self, mark: Mark, value: &str, proof: Proof) {
        let value = SafeText::new(value.chars().take(LENGTH).collect::<String>());
        let known = |sign: &Sign| sign.mark == mark && sign.value == value;
        if !value.is_empty() && self.0.len() < SIGNS && !self.0.iter().any(known) {
            self.0.push(Sign { mark, value, proof });
        }
    }

    /// As a client tells it to a server, which takes nobody's word.
    #[must_use]
    pub fn reported(mut self) -> Self {
        for sign in self.0.iter_mut().filter(|sign| sign.proof == Proof::Checked) {
            sign.proof = Proof::Reported;
        }
        self
    }

    /// As the audit keeps it; `None` where nothing is known.
    pub fn stored(&self) -> Option<String> {
        let line = |sign: &Sign| {
            let (proof, mark): (&str, &str) = (sign.proof.into(), sign.mark.into());
            format!("{proof} {mark} {}", sign.value)
        };
        (!self.is_empty()).then(|| self.0.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    /// What a row of the audit keeps. What is none of ours is a claim.
    pub fn read(stored: &str) -> Self {
        let mut person = Self::default();
        for line in stored.lines() {
            let mut words = line.splitn(3, ' ');
            let mut word = || words.next().unwrap_or_default();
            match (word().parse(), word().parse(), word()) {
                (Ok(proof), Ok(mark), value) => person.add(mark, value, proof),
                _ => person.add(Mark::User, line, Proof::Claimed),
            }
        }
        person
    }
}

impl std::fmt::Display for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, sign) in self.0.iter().enumerate() {
            let mark = match sign.mark {
                Mark::SshKey => "SSH key",
                Mark::Certificate => "SSH certificate",
                Mark::User => "user",
            };
            let proof = match sign.proof {
                Proof::Checked => "checked",
                Proof::Reported => "claimed, the client checked it",
                Proof::Claimed => "claimed",
            };
            let between = if place > 0 { "; " } else { "" };
            write!(f, "{between}{mark} {} ({proof})", sign.value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
