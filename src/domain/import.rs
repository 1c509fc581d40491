//! Keys that another product made: what its table tells of them, and what becomes of each here.

use chrono::TimeDelta;
use serde_json::{Map, Value};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::Instant;
use super::budget::Budgets;
use super::issuer::{Hashing, Policy};
use super::network::Networks;
use super::owner::{Owner, Tags};
use super::scope::Scopes;
use super::secret::{DOTS, HashedKey, Scheme, TAIL, preview};
use super::text::{check_description, check_name};

mod columns;
mod source;
mod values;

pub use columns::{Columns, Part};
pub use source::Source;
use source::{made_there, origin};
use values::{bytes, fact, instant, is_blank, scopes, text};

/// Whose table it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Form {
    /// SHA-256 of the whole key, in hexadecimal or base64.
    Sha256,
    /// SHA-512 of the whole key.
    Sha512,
    /// Laravel Sanctum's `personal_access_tokens`.
    Sanctum,
    /// djangorestframework-api-key.
    Drf,
    BetterAuth,
    Unkey,
    /// Keys like `prefix_short_long`, of which the long part was hashed.
    Prefixed,
    /// What `keyrack export` wrote.
    Keyrack,
}

impl Form {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The table that has them in that product's SQLite database.
    pub fn table(self) -> Option<&'static str> {
        match self {
            Self::Sanctum => Some("personal_access_tokens"),
            Self::Drf => Some("rest_framework_api_key_apikey"),
            Self::BetterAuth => Some("apikey"),
            Self::Unkey => Some("keys"),
            Self::Sha256 | Self::Sha512 | Self::Prefixed | Self::Keyrack => None,
        }
    }

    /// How such keys are hashed there; `None`: their rows tell.
    pub fn hashing(self) -> Option<Hashing> {
        match self {
            Self::Sha256 | Self::BetterAuth | Self::Unkey => Some(Hashing::Sha256),
            Self::Sha512 | Self::Drf => Some(Hashing::Sha512),
            Self::Sanctum => Some(Hashing::Sanctum),
            Self::Prefixed => Some(Hashing::Prefixed),
            Self::Keyrack => None,
        }
    }

    /// What a policy may say so that gates look such keys up.
    pub fn usual(self) -> &'static str {
        match self {
            Self::Sha256 | Self::Unkey => r#"{ prefix = "sk_", hash = "sha256" }"#,
            Self::Sha512 => r#"{ prefix = "sk_", hash = "sha512" }"#,
            Self::Sanctum => r#"{ length = 48, hash = "sanctum" }"#,
            Self::Drf => r#"{ length = 41, hash = "sha512" }"#,
            Self::BetterAuth => r#"{ length = 64, hash = "sha256" }"#,
            Self::Prefixed => r#"{ prefix = "acme_", hash = "prefixed" }"#,
            Self::Keyrack => r#"{ prefix = "sk_", hash = "sha256" }"#,
        }
    }
}

/// More of a key than so many first characters nobody needs to see.
const BEGINS: usize = 20;

/// A row of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Where it stands, counted from 1.
    pub line: usize,
    pub fields: Map<String, Value>,
}

/// What a row tells of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    pub line: usize,
    pub hash: HashedKey,
    pub scheme: Scheme,
    pub name: String,
    pub description: String,
    pub owner: Option<Owner>,
    pub tags: Tags,
    pub allow: Networks,
    pub limits: Budgets,
    wanted: Wanted,
    pub expires_at: Option<Instant>,
    pub last_used_at: Option<Instant>,
    /// How the key begins, as far as that is told.
    begins: Option<String>,
    /// Its last four characters, if they are told.
    pub tail: String,
    /// The preview of one that was exported here.
    preview: Option<String>,
    /// The issuer of one that was exported here.
    issuer: Option<String>,
    /// Why it works no more where it comes from.
    pub ended: Option<&'static str>,
}

/// What it may do.
#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    /// Nobody says.
    Untold,
    All,
    These(Vec<String>),
}

impl Incoming {
    /// Reads a row; `now` decides what has expired.
    ///
    /// # Errors
    /// What is wrong with it, in words that have nothing of its hash.
    pub fn read(source: &Source, columns: &Columns, row: &Row, now: Instant) -> Result<Self, String> {
        let form = source.form;
        let of = |part| columns.value(&row.fields, part);
        let words = |part| of(part).and_then(text);
        let at = |part: Part| match of(part).map(instant) {
            None => Ok(None),
            Some(Some(at)) => Ok(at),
            Some(None) => Err(no_time(part)),
        };
        let short = words(Part::Short);
        let (hash, scheme) = hash(source, of(Part::Hash), short.as_deref(), words(Part::Scheme).as_deref())?;
        let id = words(Part::Id).filter(|id| form != Form::Drf && id.len() <= 40);
        let name = match words(Part::Name) {
            Some(name) => check_name(&name).map_err(|error| format!("name: {error}"))?,
            None => format!("{} key {}", form.as_str(), id.as_deref().unwrap_or(&row.line.to_string())),
        };
        // Of a long prefix what a product calls the start is only a part.
        let prefix = words(Part::Prefix).unwrap_or_default();
        let start = words(Part::Start).filter(|start| start.len() > prefix.len());
        let begins = start.as_ref().or(Some(&prefix)).filter(|begins| !begins.is_empty()).cloned();
        if begins.as_ref().is_some_and(|begins| begins.chars().count() > BEGINS) {
            return Err(format!("start has more than {BEGINS} characters: it may be a whole key"));
        }
        let mut expires_at: Option<Instant> = None;
        for value in columns.values(&row.fields, Part::Expires) {
            let read = instant(value).ok_or_else(|| no_time(Part::Expires))?;
            expires_at = expires_at.into_iter().chain(read).min();
        }
        let mut off = false;
        for value in columns.values(&row.fields, Part::Enabled).filter(|value| !is_blank(value)) {
            off |= !fact(value).ok_or("enabled: neither yes nor no: whether it works can't be told")?;
        }
        let revoked = |value: &Value| !is_blank(value) && fact(value) != Some(false);
        let ended = match () {
            () if off => Some("it is switched off"),
            () if columns.values(&row.fields, Part::Revoked).any(revoked) => Some("it is revoked"),
            () if expires_at.is_some_and(|at| at <= now) => Some("it has expired"),
            () if form == Form::Keyrack && row.fields.get("status").is_some_and(|is| is == "abandoned") => {
                Some("nobody confirmed it")
            }
            () => None,
        };
        let description = match words(Part::Description) {
            Some(given) => check_description(&given).map_err(|error| format!("description: {error}"))?,
            None => origin(form, id.as_deref(), start.as_deref().or(short.as_deref())),
        };
        let description = match at(Part::Created)? {
            Some(made) => made_there(&description, made),
            None => description,
        };
        let (tags, allow, limits) = kept(form, &row.fields)?;
        let preview = words(Part::Preview);
        let shown =
            preview.as_ref().and_then(|preview| preview.split_once(DOTS)).map(|(_, tail)| tail.to_owned());
        let tail: Vec<char> =
            words(Part::Tail).or(shown).unwrap_or_default().chars().rev().take(TAIL).collect();
        let owner = words(Part::Owner).map(|owner| Owner::checked(&owner, None)).transpose();
        Ok(Self {
            line: row.line,
            hash,
            scheme,
            name,
            description,
            owner: owner.map_err(|error| format!("owner: {error}"))?.flatten(),
            tags,
            allow,
            limits,
            wanted: match of(Part::Scopes) {
                None => Wanted::Untold,
                Some(value) if is_blank(value) => Wanted::Untold,
                Some(value) => {
                    let named = scopes(value).ok_or("scopes: not a list of scopes")?;
                    if named.iter().any(|scope| scope == "*") { Wanted::All } else { Wanted::These(named) }
                }
            },
            expires_at,
            // A clock that is ahead used no key in the future.
            last_used_at: at(Part::LastUsed)?.map(|at| at.min(now)),
            begins,
            tail: tail.into_iter().rev().filter(char::is_ascii_graphic).collect(),
            preview,
            issuer: row.fields.get("issuer").filter(|_| form == Form::Keyrack).and_then(text),
            ended,
        })
    }

    /// The scopes that it has here.
    ///
    /// # Errors
    /// It would be allowed to do more than before, or what nobody knows.
    pub fn scopes(&self, policy: &Policy) -> Result<Scopes, String> {
        match &self.wanted {
            Wanted::Untold => Ok(Scopes::default()),
            Wanted::All => Ok(policy.scopes.iter().map(|scope| scope.name.as_str()).collect()),
            Wanted::These(none) if none.is_empty() && self.issuer.as_ref() == Some(&policy.slug) => {
                Ok(Scopes::default())
            }
            Wanted::These(_) if policy.fully_privileged() => Err(format!(
                "it has scopes, and keys of {} can do everything: pass --map scopes= to leave them out",
                policy.name
            )),
            Wanted::These(named) => {
                let scopes: Scopes = named.iter().map(String::as_str).collect();
                match policy.unknown_scopes(&scopes).as_slice() {
                    [] => Ok(scopes),
                    unknown => Err(format!("{} has no scope {}", policy.name, unknown.join(", "))),
                }
            }
        }
    }

    /// Its masked form here: the prefix by which gates know it, dots, the last characters if they are known.
    ///
    /// # Errors
    /// Gates would not look it up.
    pub fn preview(&self, source: &Source, policy: &Policy) -> Result<String, String> {
        let hashing = source.hashing();
        if let Some(shown) = &self.preview {
            let head = shown.split_once(DOTS).map(|(prefix, _)| preview(prefix, ""));
            return match head {
                Some(head) if policy.heads_of(self.scheme).any(|known| known == head) => Ok(shown.clone()),
                Some(head) if policy.heads().any(|known| known == head) => Err(format!(
                    "{} has no former form like that of {shown} that is hashed by {}",
                    policy.name, self.scheme
                )),
                _ => Err(format!("{} has no prefix like that of {shown}", policy.name)),
            };
        }
        let begins = self.begins.as_deref();
        let former = policy.format.former.iter().filter(|former| Some(former.hash) == hashing);
        let is_ours = matches!(hashing, Some(Hashing::Sha256 | Hashing::HmacSha256)) && begins.is_some();
        let own = policy.format.prefixes().filter(|_| is_ours);
        let prefixes = former.map(|former| former.prefix.as_str()).chain(own);
        // A part of a prefix is all that is told of some.
        let fits = |prefix: &&str| begins.is_none_or(|begins| begins.starts_with(*prefix));
        let prefix = prefixes.filter(fits).max_by_key(|prefix| (begins.is_some(), prefix.len()));
        prefix.map(|prefix| preview(prefix, &self.tail)).ok_or_else(|| {
            let begins = begins.map(|begins| format!(" that begin with {begins}")).unwrap_or_default();
            format!(
                "gates would not look up {} keys{begins}: the policy of {} has no such entry in former below [format]",
                source.pepper.map_or(source.form.as_str(), |_| Hashing::HmacSha256.as_str()),
                policy.slug
            )
        })
    }

    /// What the policy says against its life.
    ///
    /// # Errors
    /// It would live longer than keys may.
    pub fn check_life(&self, policy: &Policy, now: Instant) -> Result<(), String> {
        match (self.expires_at, policy.expiry.max_days) {
            (None, _) if policy.expiry.require_expiry => {
                Err(format!("it never expires, and {} requires an expiry", policy.name))
            }
            (None, Some(most)) => {
                Err(format!("it never expires, and keys of {} live at most {most} days", policy.name))
            }
            (Some(at), Some(most)) if at - now > TimeDelta::days(i64::from(most)) => {
                Err(format!("it expires too late: keys of {} live at most {most} days", policy.name))
            }
            _ => Ok(()),
        }
    }
}

/// The hash as the database finds the key by it.
fn hash(
    source: &Source,
    value: Option<&Value>,
    short: Option<&str>,
    scheme: Option<&str>,
) -> Result<(HashedKey, Scheme), String> {
    let value = value.and_then(text).ok_or("it has no hash")?;
    if value.starts_with("pbkdf2") || value.starts_with("bcrypt") || value.starts_with("argon2") {
        return Err("its hash is a password hash, which can't be looked up: replace its key".into());
    }
    match (source.hashing(), source.pepper) {
        (Some(Hashing::Sha256 | Hashing::Sanctum), _) => Ok((HashedKey(digest(&value)?), Scheme::Sha256)),
        (Some(Hashing::HmacSha256), Some(pepper)) => {
            Ok((HashedKey::of_hmac(&digest(&value)?), Scheme::Hmac(pepper)))
        }
        (Some(Hashing::Sha512), _) => Ok((HashedKey::of_sha512(&digest(&value)?), Scheme::Sha512)),
        (Some(Hashing::Prefixed), _) => {
            let short = short.ok_or("it has no short token")?;
            Ok((HashedKey::of_prefixed(short.as_bytes(), &digest(&value)?), Scheme::Prefixed))
        }
        _ => {
            let scheme = scheme.unwrap_or("sha256");
            let scheme = scheme.parse().map_err(|()| format!("nothing is known of the scheme {scheme:?}"))?;
            source
                .peppers
                .can_find(scheme)
                .map_err(|lack| format!("{lack} here, so that it could not be found"))?;
            Ok((HashedKey(digest(&value)?), scheme))
        }
    }
}

fn digest<const N: usize>(text: &str) -> Result<[u8; N], String> {
    bytes(text).ok_or_else(|| format!("its hash isn't {N} bytes in hexadecimal or base64"))
}

fn no_time(part: Part) -> String {
    format!("{} isn't a time such as 2027-01-31T12:00:00Z or 1801483200", part.as_str())
}

/// What only our own export tells. Nothing of it may be lost: the key could do more than before.
fn kept(form: Form, fields: &Map<String, Value>) -> Result<(Tags, Networks, Budgets), String> {
    let told = |name: &str| fields.get(name).is_some_and(|value| !value.is_null());
    if form != Form::Keyrack {
        if matches!(form, Form::BetterAuth | Form::Unkey) && told("remaining") {
            return Err("it has a limited number of requests left, which an imported key can't have".into());
        }
        return Ok(Default::default());
    }
    let ends = ["revoked", "expired", "abandoned"];
    if let Some(status) = fields.get("status").and_then(Value::as_str)
        && status != "active"
        && !ends.contains(&status)
    {
        return Err(format!("it is {status}: an imported key would work immediately"));
    }
    if told("unreadable") || told("paused_until") {
        return Err(
            "a part of it couldn't be read, or it is paused: an imported key would work immediately".into()
        );
    }
    if told("revoke_at") {
        return Err("its revocation is planned, which an imported key can't have".into());
    }
    let list =
        |name: &str| fields.get(name).map_or(Some(Vec::new()), scopes).ok_or(format!("{name}: not a list"));
    let tags = Tags::checked(list("tags")?).map_err(|error| format!("tags: {error}"))?;
    let allow = Networks::parse(&list("allow")?.join(" ")).map_err(|error| format!("allow: {error}"))?;
    let limits = Budgets::parse(&list("limits")?.join(" ")).map_err(|error| format!("limits: {error}"))?;
    Ok((tags, allow, limits))
}

#[cfg(test)]
mod tests;
