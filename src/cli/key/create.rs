//! `keyrack key create`: a new key and its secret, once.

use std::path::PathBuf;

use clap::Args;

use super::super::failure::{Failure, Result};
use super::super::session::Session;
use super::handover::{Destination, hand_over};
use crate::domain::expiry::Expiry;
use crate::domain::issuer::Policy;
use crate::domain::key::Key;
use crate::domain::network::Networks;
use crate::domain::owner::{Owner, Tags};
use crate::domain::scope::Scopes;
use crate::domain::when::Here;
use crate::service::{CreateKey, new_operation};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The account that the key acts for
    #[arg(short, long, value_name = "SLUG")]
    account: String,
    /// A name that says what uses the key
    #[arg(short, long, allow_hyphen_values = true)]
    name: String,
    /// More about it
    #[arg(short, long, allow_hyphen_values = true, default_value = "", hide_default_value = true)]
    description: String,
    /// A scope that the key holds (resource:action); may be repeated. `keyrack issuer show` lists them
    #[arg(short, long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    scopes: Vec<String>,
    /// When the key ends: never, 30d, 90d, 1y, 2027-01-31, …; the policy's default unless told
    #[arg(short, long, value_name = "WHEN")]
    expires: Option<String>,
    /// An address or network that the key may be used from; may be repeated. Without one: any
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    allow: Vec<String>,
    /// Who answers for the key, a person or a team
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    /// Where the owner is told of the key
    #[arg(long, value_name = "ADDRESS")]
    owner_mail: Option<String>,
    /// A tag; may be repeated
    #[arg(long = "tag", value_name = "TAG", value_delimiter = ',')]
    tags: Vec<String>,
    /// Write the secret into this new file (mode 0600) instead of to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let allow = Networks::parse(&arguments.allow.join(" "))
        .map_err(|error| Failure::usage(format!("--allow: {error}")))?;
    let scopes: Scopes = arguments.scopes.into_iter().collect();
    let owner =
        Owner::checked(arguments.owner.as_deref().unwrap_or_default(), arguments.owner_mail.as_deref())
            .map_err(|error| Failure::usage(format!("--owner: {error}")))?;
    let tags = Tags::checked(&arguments.tags).map_err(|error| Failure::usage(format!("--tag: {error}")))?;
    let service = session.service().await?;
    let account = service.account(&arguments.account).await?.account;
    let policy = service.issuer(&account.issuer).await?.policy;
    let now = service.now().await?;
    let expiry = expiry(arguments.expires.as_deref(), &policy, session.here(now))?;
    let place = Destination::find(arguments.out.as_deref(), session)?;
    let created = service
        .create_key(CreateKey {
            operation: new_operation(),
            account: account.slug,
            name: arguments.name,
            description: arguments.description,
            scopes,
            expiry,
            allow,
            owner,
            tags,
        })
        .await?;
    if session.would(|| format!("create {}", described(&created.key, &policy, session.here(now)))) {
        return Ok(());
    }
    hand_over(created, &policy, place, session, service).await
}

/// What was chosen, or the policy's own choice.
fn expiry(text: Option<&str>, policy: &Policy, here: Here) -> Result<Expiry> {
    match text {
        None => Ok(policy.expiry.default),
        Some(text) => {
            policy.expiry.read(text, here).map_err(|error| Failure::usage(format!("--expires: {error}")))
        }
    }
}

fn described(key: &Key, policy: &Policy, here: Here) -> String {
    let end = key
        .expires_at
        .map_or_else(|| "never expires".to_owned(), |at| format!("expires {}", here.zone.exact(at)));
    let scopes = if key.scopes.is_empty() { "none".to_owned() } else { key.scopes.to_string() };
    let (noun, name, account) = (&policy.wording.noun, key.name.as_str(), &key.account);
    format!("{noun} {name:?} for account {account}, which {end}, scopes {scopes}")
}
