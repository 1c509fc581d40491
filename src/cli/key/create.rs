//! `keyrack key create`: a new key and its secret, once.

use std::path::PathBuf;

use clap::Args;

use super::super::failure::{Failure, Result};
use super::super::session::Session;
use super::handover::{Destination, hand_over};
use super::the_key;
use crate::domain::budget::Budgets;
use crate::domain::expiry::Expiry;
use crate::domain::issuer::Policy;
use crate::domain::key::{Key, OperationId};
use crate::domain::network::Networks;
use crate::domain::owner::{Owner, Tags};
use crate::domain::plan::{Part, Plan};
use crate::domain::scope::Scopes;
use crate::domain::when::Here;
use crate::service::{Alike, CreateKey, new_operation};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The account that the key acts for
    #[arg(short, long, value_name = "SLUG", required_unless_present = "like")]
    account: Option<String>,
    /// A name that says what uses the key. Default with --like: "NAME (2)"
    #[arg(short, long, allow_hyphen_values = true, required_unless_present = "like")]
    name: Option<String>,
    /// Copy what is not given from this key, but never its secret: account, description, scopes, networks,
    /// budgets, owner, tags and lifetime
    #[arg(long, value_name = "ID")]
    like: Option<String>,
    /// A longer description
    #[arg(short, long, allow_hyphen_values = true)]
    description: Option<String>,
    /// A scope that the key holds (resource:action); may be repeated. `keyrack issuer show` lists them
    #[arg(short, long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    scopes: Vec<String>,
    /// When the key expires: never, 30d, 90d, 1y, 2027-01-31, …. Default: set by the policy
    #[arg(short, long, value_name = "WHEN")]
    expires: Option<String>,
    /// When the key starts to work: 3h, tomorrow, 2027-01-31, 2027-01-31 09:00, …; a day means its first
    /// second. Until then it is refused. The policy's maximum lifetime still counts from its creation
    #[arg(long, value_name = "WHEN")]
    not_before: Option<String>,
    /// When the key is revoked automatically, which can't be undone from then on: 7d, friday, 2027-01-31 18:00,
    /// …; a day means its last second. It does not replace an expiry that the policy requires
    #[arg(long, value_name = "WHEN")]
    revoke_at: Option<String>,
    /// An address or network that the key may be used from; may be repeated. Default: any
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    allow: Vec<String>,
    /// The person or team responsible for the key
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    /// The owner's mail address
    #[arg(long, value_name = "ADDRESS")]
    owner_mail: Option<String>,
    /// A tag; may be repeated
    #[arg(long = "tag", value_name = "TAG", value_delimiter = ',')]
    tags: Vec<String>,
    /// A budget for this key instead of the policy's, such as 100/1m; may be repeated
    #[arg(long = "budget", value_name = "BUDGET", value_delimiter = ',')]
    budgets: Vec<String>,
    /// Write the secret to this new file (mode 0600) instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let told = Told::of(&arguments)?;
    let service = session.service().await?;
    let like = match &arguments.like {
        Some(id) => Some(service.alike(the_key(service, id).await?.id).await?),
        None => None,
    };
    let account = arguments.account.as_deref().or(like.as_ref().map(|like| like.of.account.as_str()));
    let account = service.account(account.unwrap_or_default()).await?.account;
    let policy = service.issuer(&account.issuer).await?.policy;
    let now = service.now().await?;
    let expiry = expiry(arguments.expires.as_deref(), &policy, session.here(now))?;
    let plan = plan(&arguments, session.here(now))?;
    let place = Destination::find(arguments.out.as_deref(), session)?;
    let request = match like {
        Some(like) => told.over(like, &arguments, account.slug, expiry, session)?,
        None => told.alone(&arguments, account.slug, expiry.unwrap_or(policy.expiry.default)),
    };
    let created = service.create_key(CreateKey { operation: new_operation(), plan, ..request }).await?;
    if session.would(|| format!("create {}", described(&created.key, &policy, session.here(now)))) {
        return Ok(());
    }
    hand_over(created, &policy, place, session, service).await
}

/// What was told, read.
struct Told {
    scopes: Scopes,
    allow: Networks,
    owner: Option<Owner>,
    tags: Tags,
    limits: Budgets,
}

impl Told {
    fn of(arguments: &Arguments) -> Result<Self> {
        let usage = |flag: &str, error: &dyn std::fmt::Display| Failure::usage(format!("{flag}: {error}"));
        let owner = arguments.owner.as_deref().unwrap_or_default();
        Ok(Self {
            scopes: arguments.scopes.iter().cloned().collect(),
            allow: Networks::parse(&arguments.allow.join(" ")).map_err(|error| usage("--allow", &error))?,
            owner: Owner::checked(owner, arguments.owner_mail.as_deref())
                .map_err(|error| usage("--owner", &error))?,
            tags: Tags::checked(&arguments.tags).map_err(|error| usage("--tag", &error))?,
            limits: Budgets::parse(&arguments.budgets.join(" "))
                .map_err(|error| usage("--budget", &error))?,
        })
    }

    fn alone(self, arguments: &Arguments, account: String, expiry: Expiry) -> CreateKey {
        CreateKey {
            operation: OperationId::nil(),
            account,
            name: arguments.name.clone().unwrap_or_default(),
            description: arguments.description.clone().unwrap_or_default(),
            scopes: self.scopes,
            expiry,
            plan: Plan::default(),
            allow: self.allow,
            owner: self.owner,
            tags: self.tags,
            limits: self.limits,
        }
    }

    /// The key that it shall be like, but for what was told.
    fn over(
        self,
        like: Alike,
        arguments: &Arguments,
        account: String,
        expiry: Option<Expiry>,
        session: &Session,
    ) -> Result<CreateKey> {
        let Alike { of, request: like, notes } = like;
        if arguments.name.as_deref().is_some_and(|name| name.trim() == of.name.as_str()) {
            return Err(Failure::usage(format!(
                "--name: a new key like {:?} needs a name of its own, such as {:?}",
                of.name.as_str(),
                like.name
            )));
        }
        // What is told anyway needs no note.
        for note in notes.iter().filter(|_| arguments.scopes.is_empty() || arguments.expires.is_none()) {
            session.remark(&format!("{note}."));
        }
        Ok(CreateKey {
            account,
            name: arguments.name.clone().unwrap_or(like.name),
            description: arguments.description.clone().unwrap_or(like.description),
            scopes: if arguments.scopes.is_empty() { like.scopes } else { self.scopes },
            expiry: expiry.unwrap_or(like.expiry),
            allow: if arguments.allow.is_empty() { like.allow } else { self.allow },
            owner: if arguments.owner.is_none() { like.owner } else { self.owner },
            tags: if arguments.tags.is_empty() { like.tags } else { self.tags },
            limits: if arguments.budgets.is_empty() { like.limits } else { self.limits },
            ..like
        })
    }
}

/// What was chosen, if anything was.
fn expiry(text: Option<&str>, policy: &Policy, here: Here) -> Result<Option<Expiry>> {
    let read = |text| policy.expiry.read(text, here);
    text.map(read).transpose().map_err(|error| Failure::usage(format!("--expires: {error}")))
}

/// What is planned of it, if anything is.
fn plan(arguments: &Arguments, here: Here) -> Result<Plan> {
    let read = |flag: &str, part: Part, text: &Option<String>| {
        let at = text.as_deref().map(|text| part.read(text, here)).transpose();
        at.map_err(|error| Failure::usage(format!("{flag}: {error}")))
    };
    Ok(Plan {
        not_before: read("--not-before", Part::NotBefore, &arguments.not_before)?,
        revoke_at: read("--revoke-at", Part::RevokeAt, &arguments.revoke_at)?,
    })
}

fn described(key: &Key, policy: &Policy, here: Here) -> String {
    let end = key
        .expires_at
        .map_or_else(|| "never expires".to_owned(), |at| format!("expires {}", here.zone.exact(at)));
    let scopes = if key.scopes.is_empty() { "none".to_owned() } else { key.scopes.to_string() };
    let planned = [("works from", key.not_before), ("is revoked at", key.plan().map(|plan| plan.at))];
    let planned =
        planned.map(|(how, at)| at.map(|at| format!(", {how} {}", here.zone.exact(at))).unwrap_or_default());
    let (noun, name, account) = (&policy.wording.noun, key.name.as_str(), &key.account);
    format!("{noun} {name:?} for account {account}, which {end}{}, scopes {scopes}", planned.concat())
}
