//! What of a key shall be another than it is. What isn't named stays.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::expiry::{Expiry, ExpiryError, check_expiry};
use super::issuer::Policy;
use super::key::{Key, PlannedEnd};
use super::network::Networks;
use super::owner::{Owner, OwnerError, TagError, Tags};
use super::plan::{NewInstant, Part, Plan, PlanError};
use super::scope::Scopes;
use super::text::SafeText;
use super::when::{Here, Span};
use super::{Instant, days, shifted};

/// The changes that are wished, alike for each key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Edit {
    pub name: Option<String>,
    pub description: Option<String>,
    /// Empty: it has none any more.
    pub owner: Option<String>,
    /// Empty: none any more.
    pub owner_mail: Option<String>,
    pub tag: Tags,
    pub untag: Tags,
    pub add_scopes: Scopes,
    pub remove_scopes: Scopes,
    pub allow: Networks,
    pub disallow: Networks,
    /// From any address: the only way to an empty list.
    pub anywhere: bool,
    pub expires: Option<NewEnd>,
    pub not_before: Option<NewInstant>,
    pub revoke_at: Option<NewInstant>,
    /// Why it is to be revoked then.
    pub plan_reason: Option<String>,
}

/// Another end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NewEnd {
    To(Expiry),
    /// So much later than the present one.
    By(Span),
}

impl NewEnd {
    /// Reads `+90d`, or what [`super::issuer::ExpiryRule::read`] reads.
    ///
    /// # Errors
    /// For any other text.
    pub fn parse(text: &str, here: Here) -> Result<Self, ExpiryError> {
        match text.trim().strip_prefix('+') {
            Some(span) => Ok(Self::By(Span::parse(span)?)),
            None => Expiry::parse(text, here).map(Self::To),
        }
    }
}

impl fmt::Display for NewEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::To(expiry) => expiry.fmt(f),
            Self::By(span) => write!(f, "+{span}"),
        }
    }
}

/// Why a key can't become what is wished.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error(transparent)]
    Expiry(#[from] ExpiryError),
    #[error("it never expires, so there is nothing to extend: write a date, or a span without the +")]
    Endless,
    #[error(
        "it would live longer than the {0} days from its creation that the policy allows: choose less, or rotate it"
    )]
    Long(u32),
    #[error("{1}")]
    Plan(Part, PlanError),
    /// The new expiry doesn't fit what is planned.
    #[error("{0}")]
    Unfit(PlanError),
    #[error(
        "without its planned revocation, or with a later one, it would live longer than the {0} days from its creation that the \
         policy allows: choose an earlier time, or a nearer expiry first"
    )]
    Unplanned(u32),
    #[error("a reason needs a planned revocation: give its time too")]
    Reason,
    #[error("{0}")]
    Scopes(String),
    #[error(
        "without any network the key would work from anywhere: name another with --allow, or pass --allow any"
    )]
    Anywhere,
    #[error(transparent)]
    Owner(#[from] OwnerError),
    #[error(transparent)]
    Tags(#[from] TagError),
}

impl Edit {
    /// Whether anything is wished at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What shall be added and taken away at once: a tag, a scope or a network.
    pub fn twice(&self) -> Option<String> {
        let tag = self.tag.iter().find(|tag| self.untag.contains(tag)).map(ToString::to_string);
        let scope = self.add_scopes.iter().find(|scope| self.remove_scopes.contains(scope));
        let net = self.allow.as_slice().iter().find(|net| self.disallow.as_slice().contains(net));
        tag.or_else(|| scope.map(ToString::to_string)).or_else(|| net.map(ToString::to_string))
    }

    /// The key as it would be. Texts were checked before.
    ///
    /// # Errors
    /// It can't be that.
    pub fn apply(&self, key: &Key, policy: &Policy, now: Instant) -> Result<Key, EditError> {
        let mut new = key.clone();
        if let Some(name) = &self.name {
            new.name = SafeText::new(name.as_str());
        }
        if let Some(description) = &self.description {
            new.description = SafeText::new(description.as_str());
        }
        if self.owner.is_some() || self.owner_mail.is_some() {
            let was = |part: fn(&Owner) -> Option<&SafeText>| {
                key.owner.as_ref().and_then(part).map(SafeText::as_str)
            };
            let name = self.owner.as_deref().or_else(|| was(|owner| Some(&owner.name))).unwrap_or_default();
            // An address is its owner's: another owner doesn't inherit it.
            let same = was(|owner| Some(&owner.name)) == Some(name.trim());
            let mail =
                self.owner_mail.as_deref().or_else(|| was(|owner| owner.mail.as_ref()).filter(|_| same));
            new.owner = Owner::checked(name, mail)?;
        }
        new.tags = key.tags.changed(&self.tag, &self.untag)?;
        let fresh: Scopes = self.add_scopes.iter().filter(|scope| !key.scopes.contains(scope)).collect();
        let unknown = policy.unknown_scopes(&fresh);
        if !unknown.is_empty() {
            let (name, slug) = (&policy.name, &policy.slug);
            return Err(EditError::Scopes(if policy.fully_privileged() {
                format!("keys of {name} have no scopes: they are fully privileged on their account")
            } else {
                format!("{name} has no scope {}; see `keyrack issuer show {slug}`", unknown.join(", "))
            }));
        }
        let kept = key.scopes.iter().filter(|scope| !self.remove_scopes.contains(scope));
        new.scopes = kept.chain(self.add_scopes.iter()).collect();
        if self.anywhere {
            new.allow = Networks::default();
        } else if !self.allow.is_empty() || !self.disallow.is_empty() {
            let kept = key.allow.as_slice().iter().filter(|net| !self.disallow.as_slice().contains(net));
            new.allow = Networks::new(kept.chain(self.allow.as_slice()).copied());
            if new.allow.is_empty() && !key.allow.is_empty() {
                return Err(EditError::Anywhere);
            }
        }
        if let Some(end) = self.expires {
            new.expires_at = end.of(key, policy, now)?;
        }
        self.plan(key, &mut new, policy, now)?;
        Ok(new)
    }

    /// What is planned of it, which must fit its expiry. Who plans it is nobody yet, where it wasn't planned before.
    fn plan(&self, key: &Key, new: &mut Key, policy: &Policy, now: Instant) -> Result<(), EditError> {
        let here = Here::utc(now);
        let of =
            |part, wish: NewInstant, old| wish.of(old, here).map_err(|error| EditError::Plan(part, error));
        if let Some(wish) = self.not_before {
            new.not_before = of(Part::NotBefore, wish, key.not_before)?;
        }
        if let Some(wish) = self.revoke_at {
            let old = key.planned.as_ref();
            new.planned = of(Part::RevokeAt, wish, old.map(|plan| plan.at))?.map(|at| PlannedEnd {
                at,
                by: old.map(|plan| plan.by.clone()).unwrap_or_default(),
                reason: old.and_then(|plan| plan.reason.clone()),
            });
        }
        if let Some(reason) = &self.plan_reason {
            let plan = new.planned.as_mut().ok_or(EditError::Reason)?;
            plan.reason = Some(SafeText::new(reason.as_str())).filter(|reason| !reason.is_empty());
        }
        let at = |key: &Key| key.planned.as_ref().map(|plan| plan.at);
        let (starts, ends) = (new.not_before != key.not_before, at(new) != at(key));
        let expires = new.expires_at != key.expires_at;
        if !starts && !ends && !expires {
            return Ok(());
        }
        // A plan that the expiry has overtaken, as a rotation makes it, is no matter unless one of both is changed.
        let counts = |at: &Instant| ends || expires || new.expires_at.is_none_or(|end| *at < end);
        let revoke_at = at(new).filter(counts);
        let plan = Plan { not_before: new.starts_at(now), revoke_at };
        plan.check(new.expires_at, now).map_err(|(part, error)| match (part, &error) {
            // It stands at the field that was changed.
            (Part::RevokeAt, PlanError::AfterExpiry { at, .. }) if !ends => {
                EditError::Unfit(PlanError::ExpiresFirst { revoke_at: *at })
            }
            (Part::NotBefore, PlanError::AfterRevocation { at, .. }) if !starts => {
                EditError::Plan(Part::RevokeAt, PlanError::BeforeStart { not_before: *at })
            }
            (Part::NotBefore, PlanError::AfterExpiry { at, .. }) if !starts => {
                EditError::Unfit(PlanError::BeforeStart { not_before: *at })
            }
            _ => EditError::Plan(part, error),
        })?;
        // To take a plan back is to give more time.
        let stop = new.stops_at();
        let longer = ends && key.stops_at().is_some_and(|old| stop.is_none_or(|stop| stop > old));
        match policy.expiry.max_days {
            Some(most) if longer && stop.is_none_or(|stop| stop > shifted(key.created_at, days(most))) => {
                Err(EditError::Unplanned(most))
            }
            _ => Ok(()),
        }
    }
}

impl NewEnd {
    fn of(self, key: &Key, policy: &Policy, now: Instant) -> Result<Option<Instant>, EditError> {
        let here = Here::utc(now);
        let expiry = match self {
            Self::To(expiry) => expiry,
            Self::By(span) => {
                let end = key.expires_at.ok_or(EditError::Endless)?;
                Expiry::At(span.after(end, here.zone).ok_or(ExpiryError::TooFar)?)
            }
        };
        let end = expiry.instant(now);
        if end == key.expires_at {
            return Ok(end);
        }
        let rule = &policy.expiry;
        // A nearer end is always allowed: it takes nothing but time.
        let longer = key.expires_at.is_some_and(|old| end.is_none_or(|end| end > old));
        let mut asked = rule.clone();
        if !longer {
            asked.custom = true;
        }
        check_expiry(&asked, expiry, here)?;
        match rule.max_days {
            Some(most) if longer && end.is_none_or(|end| end > shifted(key.created_at, days(most))) => {
                Err(EditError::Long(most))
            }
            _ => Ok(end),
        }
    }
}

/// What a key was and what it is, by the names of its fields: `{field: [old, new]}`; what stays is not in it.
pub fn difference(old: &Key, new: &Key) -> Map<String, Value> {
    let fields = [fields(old), fields(new)];
    let [old, new] = fields;
    let pairs = old.into_iter().zip(new).filter(|((_, old), (_, new))| old != new);
    pairs.map(|((name, old), (_, new))| (name.to_owned(), json!([old, new]))).collect()
}

fn fields(key: &Key) -> [(&'static str, Value); 11] {
    let (owner, plan) = (key.owner.as_ref(), key.planned.as_ref());
    [
        ("name", json!(key.name)),
        ("description", json!(key.description)),
        ("owner", json!(owner.map(|owner| &owner.name))),
        ("owner_mail", json!(owner.and_then(|owner| owner.mail.as_ref()))),
        ("tags", json!(key.tags)),
        ("scopes", json!(key.scopes)),
        ("allow", json!(key.allow)),
        ("expires_at", json!(key.expires_at)),
        ("not_before", json!(key.not_before)),
        ("revoke_at", json!(plan.map(|plan| plan.at))),
        ("plan_reason", json!(plan.and_then(|plan| plan.reason.as_ref()))),
    ]
}

/// A field's value as [`difference`] has it, in words.
pub fn in_words(field: &str, value: &Value) -> String {
    match value {
        Value::Array(all) if all.is_empty() && field == "allow" => "anywhere".to_owned(),
        Value::Array(all) if all.is_empty() => "none".to_owned(),
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        Value::Null if field == "expires_at" => "never".to_owned(),
        Value::Null => "none".to_owned(),
        value => value.as_str().filter(|text| !text.is_empty()).unwrap_or("none").to_owned(),
    }
}

/// Whether a change of these fields is one that gates decide by; of the others none has to hear.
pub fn reaches_gates(changed: &Map<String, Value>) -> bool {
    ["scopes", "allow", "expires_at", "not_before", "revoke_at"]
        .iter()
        .any(|field| changed.contains_key(*field))
}

/// Which of its fields let a key do more than before: more scopes, more addresses, more time.
pub fn widened(old: &Key, new: &Key) -> Vec<&'static str> {
    let scopes = new.scopes.iter().any(|scope| !old.scopes.contains(scope));
    let covers = |net: &ipnet::IpNet| old.allow.as_slice().iter().any(|wide| wide.contains(net));
    let allow = !old.allow.is_empty() && (new.allow.is_empty() || !new.allow.as_slice().iter().all(covers));
    let expires = old.expires_at.is_some_and(|end| new.expires_at.is_none_or(|later| later > end));
    let sooner = old.not_before.is_some_and(|old| new.not_before.is_none_or(|new| new < old));
    let plan = |key: &Key| key.planned.as_ref().map(|plan| plan.at);
    let unplanned = plan(old).is_some_and(|old| plan(new).is_none_or(|new| new > old));
    let all = [
        (scopes, "scopes"),
        (allow, "allow"),
        (expires, "expires_at"),
        (sooner, "not_before"),
        (unplanned, "revoke_at"),
    ];
    all.into_iter().filter_map(|(wider, field)| wider.then_some(field)).collect()
}
