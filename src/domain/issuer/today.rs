//! Keys of earlier days under the policy of today.

use std::collections::BTreeSet;

use chrono::Duration;

use super::{ExpiryRule, Hashing, Issuer, Policy};
use crate::domain::Instant;
use crate::domain::expiry::Expiry;
use crate::domain::key::Key;
use crate::domain::query::Query;
use crate::domain::secret::{Scheme, preview};

impl ExpiryRule {
    /// How long a key may live that replaces one that was given `life`; `None` is for ever. As long as the old one was,
    /// or where that is not allowed today the longest that is allowed and not longer, else the shortest.
    pub fn renewed(&self, life: Option<Duration>) -> Option<Duration> {
        let most = self.max_days.map(|days| Duration::days(i64::from(days)));
        if self.custom || self.lives().next().is_none() {
            let life = shorter(life, most);
            // A key of earlier days that never expires is replaced by one that does.
            let longest = || self.lives().flatten().max().unwrap_or(Duration::days(365));
            return if self.require_expiry { life.or_else(|| Some(longest())) } else { life };
        }
        let allowed = || self.lives().filter(|choice| shorter(*choice, most) == *choice);
        let longest = allowed().filter(|choice| shorter(*choice, life) == *choice).max_by_key(length);
        longest.or_else(|| allowed().min_by_key(length)).unwrap_or_else(|| shorter(life, most))
    }

    /// The lengths of life that are offered.
    fn lives(&self) -> impl Iterator<Item = Option<Duration>> {
        self.choices.iter().filter_map(|choice| match choice {
            Expiry::Never => (!self.require_expiry).then_some(None),
            Expiry::Days(days) => Some(Some(Duration::days(i64::from(*days)))),
            Expiry::At(_) => None,
        })
    }
}

fn length(life: &Option<Duration>) -> Duration {
    life.unwrap_or(Duration::MAX)
}

fn shorter(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    if length(&one) <= length(&other) { one } else { other }
}

/// How the previews of the keys begin that gates take, by issuer. Of one whose policy can't be read they take none.
#[derive(Clone, Debug, Default)]
pub struct Forms {
    heads: Vec<Heads>,
    /// What the freezes ask that hold.
    pub frozen: Vec<Query>,
}

#[derive(Clone, Debug)]
struct Heads {
    issuer: String,
    list: Vec<String>,
    /// Whether the policy was another one once, or can't be read.
    changed: bool,
}

impl FromIterator<Issuer> for Forms {
    fn from_iter<I: IntoIterator<Item = Issuer>>(issuers: I) -> Self {
        let heads = |issuer: Issuer| Heads {
            list: issuer.policy.heads().collect(),
            changed: issuer.version != 1 || !issuer.policy.odd.is_empty(),
            issuer: issuer.slug,
        };
        Self { heads: issuers.into_iter().map(heads).collect(), frozen: Vec::new() }
    }
}

impl Forms {
    /// Whether gates take the form that the key has.
    pub fn take(&self, key: &Key) -> bool {
        self.iter().any(|(slug, head)| slug == key.issuer && key.preview.starts_with(head))
    }

    /// Each beginning with its issuer's slug.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.heads.iter().flat_map(|of| of.list.iter().map(|head| (of.issuer.as_str(), head.as_str())))
    }

    /// The issuers of which a key may begin like those of another: the slugs.
    pub fn changed(&self) -> impl Iterator<Item = &str> {
        let several = self.heads.len() > 1;
        self.heads.iter().filter(move |of| several && of.changed).map(|of| of.issuer.as_str())
    }
}

impl Policy {
    /// How the previews of keys begin whose prefix is one of the policy's, present or former, each once.
    pub fn heads(&self) -> impl Iterator<Item = String> {
        let former = self.format.former.iter().map(|former| former.prefix.as_str());
        let prefixes = self.format.prefixes().chain(former).filter(|_| self.odd.is_empty());
        prefixes.collect::<BTreeSet<_>>().into_iter().map(|prefix| preview(prefix, ""))
    }

    /// How the previews of those keys begin that gates look up by this scheme.
    pub fn heads_of(&self, scheme: Scheme) -> impl Iterator<Item = String> {
        let by = move |hashing| match hashing {
            Hashing::Sha256 | Hashing::Sanctum => scheme == Scheme::Sha256,
            Hashing::Sha512 => scheme == Scheme::Sha512,
            Hashing::Prefixed => scheme == Scheme::Prefixed,
            Hashing::HmacSha256 => matches!(scheme, Scheme::Hmac(_)),
        };
        let own = self.format.prefixes().filter(move |_| matches!(scheme, Scheme::Sha256 | Scheme::Hmac(_)));
        let former = self.format.former.iter().filter(move |former| by(former.hash));
        own.chain(former.map(|former| former.prefix.as_str())).map(|prefix| preview(prefix, ""))
    }

    /// Whether gates take the form that the key has.
    pub fn takes(&self, key: &Key) -> bool {
        self.heads().any(|head| key.preview.starts_with(&head))
    }

    /// What this policy, were `key` made today, would refuse of it, in words. A key that ended or was replaced is not asked
    /// about any more.
    pub fn objections(&self, key: &Key, now: Instant) -> Vec<String> {
        if key.has_ended(now) || key.successor_ends_at.is_some_and(|end| end > now) {
            return Vec::new();
        }
        let mut why = Vec::new();
        if !self.takes(key) {
            why.push("the policy has no such prefix any more, and gates refuse it".into());
        }
        let unknown = self.unknown_scopes(&key.scopes);
        if !unknown.is_empty() {
            why.push(format!("the policy has no scope {} any more", unknown.join(", ")));
        }
        let life = key.expires_at.map(|end| end - key.created_at);
        let rule = &self.expiry;
        match rule.max_days {
            _ if rule.require_expiry && life.is_none() => {
                why.push("the policy requires an expiry, and it never expires".into());
            }
            Some(days) if length(&life) > Duration::days(i64::from(days)) => {
                why.push(format!("the policy lets keys live at most {days} days"));
            }
            _ if !rule.custom && !rule.lives().any(|choice| choice == life) => {
                why.push("the policy no longer offers its lifetime".into());
            }
            _ => {}
        }
        why
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_lives_as_long_as_the_policy_of_today_allows() {
        let days = |days| Some(Duration::days(days));
        let rule = |custom, max_days, choices: &[Expiry]| ExpiryRule {
            default: Expiry::Never,
            choices: choices.to_vec(),
            custom,
            max_days,
            require_expiry: false,
        };
        let free = rule(true, None, &[Expiry::Never]);
        assert_eq!((free.renewed(None), free.renewed(days(401))), (None, days(401)));
        let short = rule(true, Some(90), &[Expiry::Days(30)]);
        assert_eq!(
            (short.renewed(None), short.renewed(days(401)), short.renewed(days(7))),
            (days(90), days(90), days(7))
        );
        let chosen = rule(false, None, &[Expiry::Days(30), Expiry::Days(90)]);
        assert_eq!(
            (chosen.renewed(None), chosen.renewed(days(89)), chosen.renewed(days(7))),
            (days(90), days(30), days(30))
        );
        let ends = |most| ExpiryRule {
            require_expiry: true,
            ..rule(true, most, &[Expiry::Days(30), Expiry::Days(90)])
        };
        assert_eq!((ends(None).renewed(None), ends(None).renewed(days(401))), (days(90), days(401)));
        assert_eq!(ends(Some(60)).renewed(None), days(60));
    }
}
