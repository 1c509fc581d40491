//! What the shell offers while somebody types: the commands, columns and themes, and live from the database accounts, keys by their
//! names, operators, issuers, scopes, owners and tags. Nothing is ever asked or said; where the database does not answer soon,
//! nothing is offered.

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use clap::{Arg, Command, Parser};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::Shells;
use strum::VariantNames;

use super::output::{Fields, Record as _};
use super::{Cli, Exit, Failure, Result, Session, examples};
use crate::clock::Clock;
use crate::config::theme::Theme;
use crate::domain::issuer::Policy;
use crate::domain::key::Key;
use crate::domain::query::{Column, Query, Sort};
use crate::domain::when::Here;
use crate::service::{Access, From, InUse, PageRequest, Service};

/// Set by the script that [`script`] writes.
const VARIABLE: &str = "KEYRACK_COMPLETE";
/// Whoever presses Tab waits no longer.
const PATIENCE: Duration = Duration::from_millis(1_500);
const OFFERED: u32 = 50;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Account,
    Issuer,
    Operator,
    Owner,
    Tag,
    Scope,
    Key,
    Sort,
    Columns,
    Theme,
}

fn kind(words: &str, arg: &Arg) -> Option<Kind> {
    let noun = words.split(' ').next().unwrap_or_default();
    Some(match (noun, arg.get_id().as_str()) {
        (_, "account" | "from_account") => Kind::Account,
        ("account", "slug" | "after") if words != "account create" => Kind::Account,
        (_, "issuer") if noun != "gate" => Kind::Issuer,
        ("issuer", "slug") => Kind::Issuer,
        ("operator", "name") => Kind::Operator,
        (_, "owner" | "give_to") => Kind::Owner,
        (_, "tag" | "untag") => Kind::Tag,
        (_, "scope" | "scopes" | "add_scope" | "remove_scope") => Kind::Scope,
        (_, "sort") => Kind::Sort,
        (_, "columns") => Kind::Columns,
        (_, "--theme") => Kind::Theme,
        ("key" | "rotation" | "explain" | "alerts", "id" | "ids" | "key" | "like") => Kind::Key,
        _ => return None,
    })
}

/// The command line with what the shell is to offer.
fn command() -> Command {
    offering(examples::command(), "")
}

fn offering(command: Command, words: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let command = names.iter().fold(command, |command, name| {
        let below = format!("{words} {name}");
        command.mut_subcommand(name, |sub| offering(sub, below.trim_start()))
    });
    command.mut_args(|arg| match kind(words, &arg) {
        Some(kind) => arg.add(ArgValueCompleter::new(move |current: &OsStr| offers(kind, current))),
        None => arg,
    })
}

/// Answers the shell, if it is the one who asks. Then the program is over.
pub fn answer(arguments: &[OsString]) -> Option<u8> {
    std::env::var_os(VARIABLE)?;
    let here = std::env::current_dir().ok();
    let asked = CompleteEnv::with_factory(command).var(VARIABLE);
    match asked.try_complete(arguments.iter().cloned(), here.as_deref()) {
        Ok(true) => Some(Exit::Done as u8),
        Ok(false) => None,
        Err(_) => Some(Exit::Usage as u8),
    }
}

/// The script that lets a shell ask.
pub fn script(shell: clap_complete::Shell) -> Result<Vec<u8>> {
    let name = shell.to_string();
    let shells = Shells::builtins();
    let shell = shells.completer(&name).ok_or_else(|| Failure::usage(format!("{name} isn't known")))?;
    let mut script = Vec::new();
    let written = shell.write_registration(VARIABLE, "keyrack", "keyrack", "keyrack", &mut script);
    written.map_err(|error| Failure::output(&error))?;
    Ok(script)
}

/// The half-written command line, without the program.
fn typed() -> Vec<OsString> {
    std::env::args_os().skip_while(|word| word != "--").skip(2).collect()
}

/// The database that the half-written command line names.
fn session() -> Option<Session> {
    let words = typed();
    let named = words.iter().enumerate().find_map(|(at, word)| {
        let word = word.to_str()?;
        word.strip_prefix("--db=")
            .map(str::to_owned)
            .or_else(|| (word == "--db").then(|| words.get(at + 1)?.to_str().map(str::to_owned)).flatten())
    });
    let named = named.map(|address| format!("--db={address}"));
    let cli = Cli::try_parse_from(["keyrack", "--no-input"].into_iter().chain(named.as_deref())).ok()?;
    let mut session = Session::new(cli.global, &cli.console, Clock::System).ok()?;
    session.access = Access::Existing;
    session.warns = false;
    Some(session)
}

fn offers(kind: Kind, current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(typed) = current.to_str() else { return Vec::new() };
    let begin = |words: Vec<String>| {
        words.into_iter().filter(|word| word.starts_with(typed)).map(CompletionCandidate::new).collect()
    };
    match kind {
        Kind::Sort => return begin(Column::VARIANTS.iter().map(|column| (*column).to_owned()).collect()),
        Kind::Columns => return begin(columns(&self::typed())),
        Kind::Theme => return begin(themes()),
        _ => {}
    }
    let Some(session) = session() else { return Vec::new() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let Ok(runtime) = runtime else { return Vec::new() };
    let asked = async {
        let service = session.service().await.ok()?;
        let found = found(service, kind, typed).await.ok();
        session.close().await;
        found
    };
    let found = runtime.block_on(async { tokio::time::timeout(PATIENCE, asked).await });
    runtime.shutdown_background();
    let found = found.ok().flatten().unwrap_or_default();
    found
        .into_iter()
        .map(|(value, help)| CompletionCandidate::new(value).help(help.map(Into::into)))
        .collect()
}

/// The columns that a list has and that aren't named yet.
fn columns(words: &[OsString]) -> Vec<String> {
    let named = words.iter().enumerate().filter_map(|(at, word)| match word.to_str()? {
        "--columns" => words.get(at + 1)?.to_str(),
        word => word.strip_prefix("--columns="),
    });
    // The last of them is half written.
    let named: Vec<&str> =
        named.flat_map(|list| list.rsplit_once(',').map_or("", |(whole, _)| whole).split(',')).collect();
    let all = Fields::of(Key::COLUMNS);
    all.names().filter(|name| !named.contains(name)).map(str::to_owned).collect()
}

/// The program's themes, and those of one's own.
fn themes() -> Vec<String> {
    let folder = session().and_then(|session| session.places.themes());
    Theme::names(folder.as_deref())
}

/// Values, and what tells of each.
type Found = Vec<(String, Option<String>)>;

async fn found(service: &Service, kind: Kind, typed: &str) -> crate::service::Result<Found> {
    let begins = |(value, _): &(String, Option<String>)| value.starts_with(typed);
    Ok(match kind {
        Kind::Account => {
            let found = service.accounts(typed, None, OFFERED).await?;
            let found = found.into_iter().map(|one| (one.account.slug, Some(one.account.name.to_string())));
            found.filter(begins).collect()
        }
        Kind::Issuer => {
            let found = service.issuers().await?.into_iter();
            found.map(|one| (one.slug, Some(one.policy.name.to_string()))).filter(begins).collect()
        }
        Kind::Operator => {
            let found = service.operators().await?.into_iter();
            found
                .map(|one| (one.name.to_string(), Some(one.role.as_str().to_owned())))
                .filter(begins)
                .collect()
        }
        Kind::Owner => words(service.known(InUse::Owners, typed, OFFERED).await?),
        Kind::Tag => words(service.known(InUse::Tags, typed, OFFERED).await?),
        Kind::Scope => {
            let issuers = service.issuers().await?;
            let scopes = |policy: &Policy| {
                policy.scopes.iter().map(|scope| scope.name.to_string()).collect::<Vec<_>>()
            };
            let mut found: Vec<String> = issuers.iter().flat_map(|issuer| scopes(&issuer.policy)).collect();
            found.sort();
            found.dedup();
            found.into_iter().map(|scope| (scope, None)).filter(begins).collect()
        }
        Kind::Key => {
            let now = service.now().await?;
            // By a part of the name, or of the id, as the filter finds it.
            let text = format!("-status:ended \"{}\"", typed.replace(['"', '\\'], ""));
            let text = if typed.is_empty() { "-status:ended" } else { text.as_str() };
            let Ok(query) = Query::parse(text, Here::utc(now)) else { return Ok(Vec::new()) };
            let page = PageRequest { query, sort: Sort::default(), from: From::Start, limit: OFFERED };
            let rows = service.page(&page).await?.rows.into_iter();
            let told = rows.map(|row| {
                (row.key.id.to_string(), Some(format!("{} of {}", row.key.label(), row.key.account)))
            });
            told.collect()
        }
        Kind::Sort | Kind::Columns | Kind::Theme => Vec::new(),
    })
}

fn words(found: Vec<crate::domain::text::SafeText>) -> Found {
    found.into_iter().map(|word| (word.to_string(), None)).collect()
}
