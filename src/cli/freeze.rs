//! `keyrack freeze` and `keyrack creation`: keys that a filter fits, or the making of keys, held for a while.

use clap::{Args, Subcommand};

use super::failure::{Exit, Failure, Result};
use super::key::pause::HowLong;
use super::key::receipt::Gates;
use super::output::{Column, Record, Tone};
use super::session::{Session, insist};
use super::{count, filter, prompt, say};
use crate::domain::Instant;
use crate::domain::hold::{Hold, HoldKind, refuses};
use crate::service::{Count, HoldTarget, new_operation};

#[derive(Debug, Subcommand)]
pub enum Freeze {
    /// Refuse all keys that match a filter until a given time, including keys created later
    Add {
        /// Which keys: account: issuer: by: scope: name: id: or words. Conditions that change with use or time
        /// are not allowed
        #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
        filter: String,
        #[command(flatten)]
        how_long: HowLong,
    },
    /// List the freezes in force
    #[command(visible_alias = "ls")]
    List(Which),
    /// Lift a freeze or a creation stop, by its number
    Lift {
        #[arg(value_name = "N")]
        n: i64,
    },
}

#[derive(Debug, Subcommand)]
pub enum Creation {
    /// Stop the creation of keys until a given time
    Stop {
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        how_long: HowLong,
    },
    /// Allow the creation of keys again
    Allow {
        #[command(flatten)]
        whose: Whose,
    },
    /// List the creation stops in force
    #[command(visible_alias = "ls")]
    List(Which),
}

#[derive(Debug, Args)]
pub struct Which {
    /// Include those that were lifted or have expired
    #[arg(short, long)]
    all: bool,
}

#[derive(Debug, Args)]
pub struct Whose {
    /// Only for keys of this issuer
    #[arg(long, value_name = "SLUG", conflicts_with = "account")]
    issuer: Option<String>,
    /// Only for keys of this account
    #[arg(short, long, value_name = "SLUG")]
    account: Option<String>,
}

impl Whose {
    fn target(self) -> HoldTarget {
        HoldTarget::Creation { account: self.account, issuer: self.issuer }
    }

    /// Whether a stop is of just these.
    fn is_of(&self, hold: &Hold) -> bool {
        let issuer = hold.issuer.as_deref().filter(|_| hold.account.is_none());
        hold.account.as_deref() == self.account.as_deref() && issuer == self.issuer.as_deref()
    }
}

pub async fn freeze(command: Freeze, session: &Session) -> Result {
    match command {
        Freeze::Add { filter: text, how_long } => {
            let query = filter::query(&text, session)?;
            let counted = session.service().await?.count(&refuses(&query)).await?;
            let fits = match counted {
                Count::Exactly(number) => count(number, "key"),
                Count::AtLeast(number) => format!("at least {}", count(number, "key")),
            };
            let what = format!("Freeze all keys that match {text}: {fits} now, and keys created later");
            add(HoldTarget::Keys(query), how_long, &what, session).await
        }
        Freeze::List(which) => list(HoldKind::Freeze, &which, session).await,
        Freeze::Lift { n } => lift(&[n], session).await,
    }
}

pub async fn creation(command: Creation, session: &Session) -> Result {
    match command {
        Creation::Stop { whose, how_long } => {
            let of = match (&whose.account, &whose.issuer) {
                (Some(account), _) => format!(" of account {account}"),
                (None, Some(issuer)) => format!(" of issuer {issuer}"),
                (None, None) => String::new(),
            };
            add(whose.target(), how_long, &format!("Stop the creation of keys{of}"), session).await
        }
        Creation::Allow { whose } => {
            let holds = session.service().await?.holds(false).await?;
            let stops = holds.iter().filter(|hold| hold.kind == HoldKind::Creation);
            let numbers: Vec<i64> =
                stops.clone().filter(|hold| whose.is_of(hold)).map(|hold| hold.n).collect();
            if numbers.is_empty() {
                let others: Vec<String> = stops.map(Hold::words).collect();
                let but =
                    if others.is_empty() { String::new() } else { format!(". But: {}", others.join("; ")) };
                session.remark(&format!(
                    "There is no creation stop for exactly these. Nothing was changed{but}."
                ));
                return Ok(());
            }
            lift(&numbers, session).await
        }
        Creation::List(which) => list(HoldKind::Creation, &which, session).await,
    }
}

async fn list(kind: HoldKind, which: &Which, session: &Session) -> Result {
    let service = session.service().await?;
    let holds = service.holds(which.all).await?;
    let holds: Vec<Hold> = holds.into_iter().filter(|hold| hold.kind == kind).collect();
    session.printer().list(&holds, service.now().await?).map(drop)
}

async fn add(target: HoldTarget, how_long: HowLong, what: &str, session: &Session) -> Result {
    let service = session.service().await?;
    let now = service.now().await?;
    let order = how_long.order(session.here(now))?;
    let attempt = async |service: &crate::service::Service| {
        let operation = new_operation();
        insist(|| service.hold(operation, target.clone(), order.clone())).await
    };
    if session.global.dry_run || prompt::must_ask(&session.global) {
        // Nobody is asked about what is refused anyway.
        let tried = attempt(&service.trying()).await?;
        if session.global.dry_run || prompt::can_ask(&session.global) {
            say(&format!("  until  {}", session.zone().exact(tried.pause.until)));
        }
        if session.global.dry_run {
            say(&format!("{what}: nothing was changed."));
            return Ok(());
        }
    }
    if !prompt::confirm(&session.global, what).await? {
        return Err(Failure::new(Exit::Failure, "nothing was changed"));
    }
    let hold = attempt(service).await?;
    session.outcome().one(&hold, now)?;
    session.remark(&format!("{}. Lift it with `keyrack freeze lift {}`.", hold.words(), hold.n));
    confirmed(hold.kind, "freeze", session).await
}

/// Gates say to a freeze that they know of it; the making of keys is no matter of theirs.
async fn confirmed(kind: HoldKind, verb: &'static str, session: &Session) -> Result {
    if kind == HoldKind::Creation {
        return Ok(());
    }
    let mut gates = Gates::of(verb);
    gates.ask(&[], session.service().await?).await;
    gates.tell(session);
    gates.verdict()
}

async fn lift(numbers: &[i64], session: &Session) -> Result {
    let service = session.service().await?;
    let now = service.now().await?;
    let (mut lifted, mut done) = (Vec::new(), Ok(()));
    for n in numbers {
        let operation = new_operation();
        match insist(|| service.lift(operation, *n)).await {
            Ok(hold) if session.would(|| format!("lift {n}: {}", hold.words())) => {}
            Ok(hold) => lifted.push(hold),
            // What was lifted before is told all the same.
            Err(failure) => {
                done = Err(failure);
                break;
            }
        }
    }
    match lifted.as_slice() {
        [] => return done,
        [one] => session.outcome().one(one, now)?,
        // One document, however many they are.
        several => drop(session.outcome().list(several, now)?),
    }
    for hold in &lifted {
        session.remark(&format!("Lifted: {}.", hold.target()));
        confirmed(hold.kind, "lift", session).await?;
    }
    done
}

impl Record for Hold {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("N", 1, "n", |hold, _| hold.n.unsigned_abs().into()),
        Column::new("WHAT", 2, "kind", |hold, _| <&str>::from(hold.kind).into()),
        Column::new("KEYS", 3, "target", |hold, _| hold.target().into()),
        Column::new("SINCE", 4, "made_at", |hold, _| hold.pause.at.into()),
        Column::new("UNTIL", 5, "until", |hold, _| hold.pause.until.into()),
        Column::new("BY", 6, "made_by", |hold, _| hold.pause.by.as_str().into()),
        Column::new("REASON", 7, "reason", |hold, _| hold.pause.reason.as_deref().into()),
        Column::wide("MESSAGE", 8, "message", |hold, _| hold.pause.message.as_deref().into()),
        Column::wide("LIFTED", 9, "lifted_at", |hold, _| hold.lifted_at.into()),
        Column::wide("LIFTED BY", 10, "lifted_by", |hold, _| hold.lifted_by.as_deref().into()),
        Column::field(11, "holds", |hold, now| hold.holds(now).into()),
    ];

    fn tone(&self, now: Instant) -> Option<Tone> {
        Some(if self.holds(now) { Tone::Bad } else { Tone::Quiet })
    }
}
