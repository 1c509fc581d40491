//! `keyrack issuer`: the products that give out keys, and their policies.

use std::path::PathBuf;

use clap::Subcommand;

use super::failure::{Exit, Failure, Result};
use super::output::{Column, Format, Record};
use super::prompt;
use super::session::{Session, insist};
use crate::domain::issuer::{Issuer, Policy, policy_file};
use crate::service::{Service, new_operation};

/// No policy is longer than this many bytes.
const LONGEST: u64 = 1024 * 1024;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List issuers
    #[command(visible_alias = "ls")]
    List,
    /// Show an issuer's policy, as TOML that `issuer apply` takes, or as JSON
    #[command(visible_alias = "get")]
    Show {
        /// The issuer's slug, or a preset's
        slug: String,
    },
    /// List the policies that come with the program
    Presets,
    /// Create an issuer, or replace its policy, from a TOML file (- for standard input)
    Apply { file: PathBuf },
    /// Create an issuer from a preset
    Add { preset: String },
}

pub async fn run(command: Command, session: &Session) -> Result {
    match command {
        Command::List => {
            let service = session.service().await?;
            let issuers = service.issuers().await?;
            if issuers.is_empty() && session.format().for_people() {
                session.remark(&format!(
                    "No issuers yet. Add a preset: keyrack issuer add {}",
                    preset_names().join("|")
                ));
            }
            session.printer().list(&issuers, service.now().await?).map(drop)
        }
        Command::Show { slug } => show(&slug, session).await,
        Command::Presets => {
            let presets: Vec<Preset> = policy_file::all_presets().into_iter().map(Preset).collect();
            session.printer().list(&presets, session.clock.now()).map(drop)
        }
        Command::Apply { file } => {
            let (policy, version) = read(&file)?;
            let service = session.service().await?;
            let before = service.issuers().await?.into_iter().find(|issuer| issuer.slug == policy.slug);
            let operation = new_operation();
            // Without a version in the file, that of the policy whose end the person is asked about.
            let version = version.or(before.as_ref().map(|issuer| issuer.version));
            let apply = async |service: &Service| match version {
                Some(version) => service.apply_policy_over(operation, policy.clone(), version).await,
                None => service.add_issuer(operation, policy.clone()).await,
            };
            // Nobody is asked about what is refused anyway.
            let trying = service.trying();
            insist(|| apply(&trying)).await?;
            let hits = service.policy_hits(&policy).await?;
            for hit in &hits {
                session.remark(&format!("  {}", hit.words));
            }
            let sure = !hits.iter().any(|hit| hit.harms)
                || prompt::confirm(&session.global, &format!("Replace the policy of {}", policy.slug))
                    .await?;
            if !sure {
                return Err(Failure::new(Exit::Failure, "nothing was changed"));
            }
            let issuer = insist(|| apply(service)).await?;
            tell(before, issuer, session).await
        }
        Command::Add { preset } => {
            let policy = policy_file::preset(&preset).ok_or_else(|| {
                Failure::not_found(format!("no preset {preset:?}: there are {}", preset_names().join(", ")))
            })?;
            let service = session.service().await?;
            let operation = new_operation();
            let issuer = insist(|| service.add_issuer(operation, policy.clone())).await?;
            tell(None, issuer, session).await
        }
    }
}

fn preset_names() -> Vec<String> {
    policy_file::all_presets().into_iter().map(|policy| policy.slug).collect()
}

async fn show(slug: &str, session: &Session) -> Result {
    let service = session.service().await?;
    let issuer = match service.issuer(slug).await {
        Ok(issuer) => issuer,
        Err(error) => {
            let failure = Failure::from(error);
            return match policy_file::preset(slug).filter(|_| failure.exit == Exit::NotFound) {
                Some(preset) => {
                    session.remark(&format!("{slug} is a preset that this database does not have yet."));
                    match session.format() {
                        Format::Table | Format::Wide => print(&toml(&preset)?),
                        _ => session.printer().one(&Preset(preset), session.clock.now()),
                    }
                }
                None => Err(failure),
            };
        }
    };
    match session.format() {
        Format::Table | Format::Wide if !issuer.policy.odd.is_empty() => Err(Failure::check(format!(
            "the policy of {slug} can't be read: {}. Apply a valid one: keyrack issuer apply FILE",
            issuer.policy.odd
        ))),
        Format::Table | Format::Wide => {
            session.remark(&format!(
                "Version {} of the policy, of {}.",
                issuer.version,
                session.zone().exact(issuer.updated_at)
            ));
            // Who applies the file to a policy that was changed meanwhile is told so.
            print(&format!("version = {}\n{}", issuer.version, toml(&issuer.policy)?))
        }
        _ => session.printer().one(&issuer, session.clock.now()),
    }
}

/// The policy as a person would write it, and as `issuer apply` takes it.
fn toml(policy: &Policy) -> Result<String> {
    toml::to_string_pretty(policy)
        .map_err(|error| Failure::new(Exit::Failure, format!("the policy can't be written as TOML: {error}")))
}

fn print(text: &str) -> Result {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let text = super::failure::clean(text.trim_end());
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// Reads a policy file. A mistake is told with file, line and column.
fn read(file: &std::path::Path) -> Result<(Policy, Option<i64>)> {
    use std::io::Read;
    let failed = |error: std::io::Error| Failure::usage(format!("{} can't be read: {error}", file.display()));
    let mut text = String::new();
    // One more, so that a file that is too long is known from one that just fits.
    if file.as_os_str() == "-" {
        std::io::stdin().lock().take(LONGEST + 1).read_to_string(&mut text).map_err(failed)?;
    } else {
        std::fs::File::open(file)
            .map_err(failed)?
            .take(LONGEST + 1)
            .read_to_string(&mut text)
            .map_err(failed)?;
    }
    if text.len() as u64 > LONGEST {
        let most = LONGEST / 1024 / 1024;
        return Err(Failure::usage(format!(
            "{} is too long for a policy: at most {most} MiB",
            file.display()
        )));
    }
    policy_file::parse_versioned(&text).map_err(|error| {
        Failure::usage(format!("{}:{}:{}: {}", file.display(), error.line, error.column, error.reason))
    })
}

/// Tells what became, or on a dry run would become, of an issuer that was like that before.
async fn tell(before: Option<Issuer>, issuer: Issuer, session: &Session) -> Result {
    let what = match &before {
        None => "new",
        Some(before) if before.version == issuer.version => "unchanged",
        Some(_) => "changed",
    };
    if session.global.dry_run {
        session.remark(&format!("Issuer {} would be {what}. Nothing was changed.", issuer.slug));
        return Ok(());
    }
    session.remark(&format!("Issuer {} is {what}; its policy has version {}.", issuer.slug, issuer.version));
    session.outcome().one(&issuer, session.service().await?.now().await?)
}

/// A policy that comes with the program.
pub struct Preset(Policy);

/// What has a policy, and the columns that tell of it.
trait OfPolicy: Sized + 'static {
    fn policy(&self) -> &Policy;

    const SLUG: Column<Self> = Column::new("SLUG", 1, "slug", |it, _| it.policy().slug.as_str().into());
    const NAME: Column<Self> = Column::new("NAME", 2, "name", |it, _| it.policy().name.as_str().into());
    const PREFIX: Column<Self> =
        Column::new("PREFIX", 3, "prefix", |it, _| it.policy().format.prefix.as_str().into());
    const SCOPES: Column<Self> = Column::head("SCOPES", |it, _| match it.policy() {
        policy if policy.fully_privileged() => "none".into(),
        policy => (policy.scopes.len() as u64).into(),
    });
    const EXPIRY: Column<Self> =
        Column::head("EXPIRY", |it, _| it.policy().expiry.default.to_string().into());
    const ACTIVE_KEYS: Column<Self> =
        Column::<Self>::head("ACTIVE KEYS", |it, _| it.policy().caps.active_keys.map(u64::from).into())
            .missing("no limit");
    const POLICY: Column<Self> =
        Column::field(9, "policy", |it, _| serde_json::to_value(it.policy()).unwrap_or_default().into());
}

impl OfPolicy for Preset {
    fn policy(&self) -> &Policy {
        &self.0
    }
}

impl OfPolicy for Issuer {
    fn policy(&self) -> &Policy {
        &self.policy
    }
}

impl Record for Preset {
    const COLUMNS: &'static [Column<Self>] =
        &[Self::SLUG, Self::NAME, Self::PREFIX, Self::SCOPES, Self::EXPIRY, Self::ACTIVE_KEYS, Self::POLICY];
}

impl Record for Issuer {
    const COLUMNS: &'static [Column<Self>] = &[
        Self::SLUG,
        Self::NAME,
        Self::PREFIX,
        Self::SCOPES,
        Self::EXPIRY,
        Self::ACTIVE_KEYS,
        Column::new("VERSION", 4, "version", |issuer, _| issuer.version.into()),
        Column::new("UPDATED", 5, "updated_at", |issuer, _| issuer.updated_at.into()),
        Self::POLICY,
    ];
}
