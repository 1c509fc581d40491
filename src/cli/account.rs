//! `keyrack account`: the customers of an issuer.

use std::io::{BufWriter, Stdout};

use clap::{ArgGroup, Args, Subcommand};

use super::failure::Result;
use super::output::{Column, Printer, Record, Tone};
use super::session::Session;
use crate::domain::Instant;
use crate::domain::account::{AccountSummary, Standing};
use crate::service::{ChangeAccount, CreateAccount, Service, new_operation};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create an account
    Create(Create),
    /// List accounts
    #[command(visible_alias = "ls")]
    List(List),
    /// Show an account
    #[command(visible_alias = "get")]
    Show(One),
    /// Change an account's name, admins or plan
    #[command(visible_alias = "edit")]
    Change(Change),
    /// Suspend an account: no key can be created for it, and gates refuse its keys
    Suspend(One),
    /// Reinstate a suspended account, so that its keys work and new ones can be created
    Reinstate(One),
}

#[derive(Debug, Args)]
pub struct Create {
    /// The issuer whose customer it is
    #[arg(short, long, value_name = "SLUG")]
    issuer: String,
    /// Its short name, unique and permanent: lower-case letters, digits and hyphens
    #[arg(short, long)]
    slug: String,
    /// Its full name
    #[arg(short, long, allow_hyphen_values = true)]
    name: String,
    /// The mail address of an admin of the account; may be repeated
    #[arg(short, long = "admin", value_name = "MAIL", required = true, value_delimiter = ',')]
    admins: Vec<String>,
    /// One of the policy's plans
    #[arg(short, long)]
    plan: Option<String>,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("changes").required(true).multiple(true).args(["new_name", "admins", "plan", "no_plan"]))]
pub struct Change {
    /// The account's slug
    slug: String,
    /// Its new full name
    #[arg(id = "new_name", short, long = "name", value_name = "NAME", allow_hyphen_values = true)]
    name: Option<String>,
    /// The mail address of an admin; replaces all present admins; may be repeated
    #[arg(short, long = "admin", value_name = "MAIL", value_delimiter = ',')]
    admins: Option<Vec<String>>,
    /// One of the policy's plans
    #[arg(short, long, conflicts_with = "no_plan")]
    plan: Option<String>,
    /// Remove its plan
    #[arg(long)]
    no_plan: bool,
}

#[derive(Debug, Args)]
pub struct List {
    /// Only accounts whose slug, name or issuer contains this
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    filter: Option<String>,
    /// At most this many; 0 for all
    #[arg(short, long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    limit: u64,
    /// Continue after this slug
    #[arg(long, value_name = "SLUG")]
    after: Option<String>,
}

#[derive(Debug, Args)]
pub struct One {
    /// The account's slug
    slug: String,
}

pub async fn run(command: Command, session: &Session) -> Result {
    let service = session.service().await?;
    match command {
        Command::Create(create) => self::create(create, service, session).await,
        Command::List(list) => self::list(list, service, session).await,
        Command::Show(one) => show(&one.slug, session.printer(), service).await,
        Command::Change(change) => self::change(change, service, session).await,
        Command::Suspend(one) => set(&one.slug, Standing::Suspended, service, session).await,
        Command::Reinstate(one) => set(&one.slug, Standing::Good, service, session).await,
    }
}

async fn create(create: Create, service: &Service, session: &Session) -> Result {
    let account = service
        .create_account(
            new_operation(),
            CreateAccount {
                issuer: create.issuer,
                slug: create.slug,
                name: create.name,
                admins: create.admins,
                plan: create.plan,
            },
        )
        .await?;
    if session.would(|| {
        format!("create account {} ({:?}) of {}", account.slug, account.name.as_str(), account.issuer)
    }) {
        return Ok(());
    }
    session.remark(&format!(
        "Account {} created. Its first key: keyrack key create --account {} --name NAME",
        account.slug, account.slug
    ));
    show(&account.slug, session.outcome(), service).await
}

async fn list(list: List, service: &Service, session: &Session) -> Result {
    let filter = list.filter.unwrap_or_default();
    let wanted = if list.limit == 0 { u64::MAX } else { list.limit };
    let (filter, first) = (&filter, &list.after);
    let read = |last: Option<AccountSummary>, limit| async move {
        let after = last.map(|last| last.account.slug).or_else(|| first.clone());
        service.accounts(filter, after.as_deref(), limit).await
    };
    let (printed, _) = session.printer().pages(wanted, service.now().await?, read).await?;
    if printed == 0 && session.format().for_people() {
        session.remark("No accounts. Create one with `keyrack account create`.");
    }
    Ok(())
}

/// Tells of an account that was asked for or changed.
async fn show(slug: &str, printer: Printer<BufWriter<Stdout>>, service: &Service) -> Result {
    let summary = service.account(slug).await?;
    printer.one(&summary, service.now().await?)
}

async fn change(change: Change, service: &Service, session: &Session) -> Result {
    let plan = if change.no_plan { Some(None) } else { change.plan.map(Some) };
    let wish = ChangeAccount { name: change.name, admins: change.admins, plan };
    let before = service.account(&change.slug).await?.account;
    let account = service.change_account(new_operation(), &change.slug, wish).await?;
    if session.settled(before == account, || {
        let admins: Vec<&str> = account.admins.iter().map(|admin| admin.as_str()).collect();
        let plan = account.plan.as_deref().unwrap_or("none");
        let name = account.name.as_str();
        format!("change account {} to {name:?}, admins {}, plan {plan}", account.slug, admins.join(", "))
    }) {
        return Ok(());
    }
    show(&account.slug, session.outcome(), service).await
}

async fn set(slug: &str, standing: Standing, service: &Service, session: &Session) -> Result {
    let before = service.account(slug).await?;
    let after = service.set_standing(new_operation(), slug, standing).await?;
    let same = before.account.standing == standing;
    if session.settled(same, || {
        let (from, to) = (before.account.standing.as_str(), after.standing.as_str());
        format!("set the standing of {slug} from {from} to {to}")
    }) {
        return Ok(());
    }
    if !same && standing == Standing::Suspended && before.active_keys > 0 {
        session.remark(&format!(
            "Keys that gates refuse until it is reinstated: {}. To revoke them: keyrack key revoke --filter 'account:{slug} status:suspended'",
            before.active_keys
        ));
    }
    show(slug, session.outcome(), service).await
}

impl Record for AccountSummary {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("STANDING", 6, "standing", |summary, _| summary.account.standing.as_str().into()),
        Column::<Self>::new("SLUG", 1, "slug", |summary, _| summary.account.slug.as_str().into()).whole(),
        Column::<Self>::new("NAME", 3, "name", |summary, _| summary.account.name.as_str().into())
            .cell(|summary, _| summary.account.label().into_owned()),
        Column::new("ISSUER", 2, "issuer", |summary, _| summary.account.issuer.as_str().into()),
        Column::new("PLAN", 5, "plan", |summary, _| summary.account.plan.as_deref().into()),
        Column::new("ACTIVE KEYS", 7, "active_keys", |summary, _| summary.active_keys.into()),
        Column::field(10, "suspended_keys", |summary, _| summary.suspended_keys.into()),
        Column::new("EXPIRING", 8, "expiring_keys", |summary, _| summary.expiring_keys.into()),
        Column::wide("ADMINS", 4, "admins", |summary, _| {
            summary.account.admins.iter().map(|mail| mail.as_str()).collect()
        }),
        Column::field(11, "unreadable", |summary, _| {
            Some(summary.account.odd.as_str()).filter(|odd| !odd.is_empty()).into()
        }),
        Column::wide("CREATED", 9, "created_at", |summary, _| summary.account.created_at.into()),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(match self.account.standing {
            Standing::Good => Tone::Good,
            Standing::Suspended => Tone::Bad,
        })
    }
}
