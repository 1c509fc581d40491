//! `keyrack key pause` and `keyrack key resume`: refused for a while, and not any more.

use std::sync::Arc;

use clap::Args;

use super::super::failure::{Exit, Failure, Result};
use super::super::output::{Column, Record, Tone};
use super::super::session::{Session, insist};
use super::super::{prompt, say};
use super::decide::{self, Looks};
use super::receipt::Gates;
use super::which::{self, Chosen, Which};
use crate::domain::Instant;
use crate::domain::key::{Key, KeyId, OperationId, Status};
use crate::domain::manifest::Manifest;
use crate::domain::pause::{Lasting, USUAL};
use crate::domain::when::Here;
use crate::service::{self, GateReceipt, Held, PauseOrder, Service, new_operation};

/// For how long.
#[derive(Debug, Args)]
pub struct HowLong {
    /// How long, such as 15m, 1h or 2d; at most what the policy allows [default: 1h]
    #[arg(long = "for", value_name = "SPAN", conflicts_with = "until")]
    span: Option<String>,
    /// Until this time, such as tomorrow, friday or "2027-01-31 18:00"
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// A message for refused callers, where the policy shows it
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    message: Option<String>,
    /// Why; kept with it and in the audit
    #[arg(short, long, visible_alias = "note", value_name = "TEXT", allow_hyphen_values = true)]
    reason: Option<String>,
}

impl HowLong {
    pub fn order(self, here: Here) -> Result<PauseOrder> {
        let lasting = match (&self.until, self.span.as_deref().unwrap_or(USUAL)) {
            (Some(text), _) => {
                Lasting::until(text, here).map_err(|error| Failure::usage(format!("--until: {error}")))?
            }
            (None, text) => Lasting::span(text).map_err(|error| Failure::usage(format!("--for: {error}")))?,
        };
        Ok(PauseOrder { lasting, message: self.message, reason: self.reason })
    }
}

#[derive(Debug, Args)]
#[command(group = which::needed(&[]))]
pub struct Pause {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how_long: HowLong,
}

#[derive(Debug, Args)]
#[command(group = which::needed(&[]))]
pub struct Resume {
    #[command(flatten)]
    which: Which,
}

/// What is done to the keys.
enum Order {
    Pause(PauseOrder),
    Resume,
}

impl Order {
    fn verb(&self) -> &'static str {
        match self {
            Self::Pause(_) => "pause",
            Self::Resume => "resume",
        }
    }

    /// Whether it concerns a key that a filter found.
    fn concerns(&self, key: &Key, now: Instant) -> bool {
        match self {
            Self::Pause(_) => !key.has_ended(now),
            Self::Resume => key.paused.as_ref().is_some_and(|pause| pause.holds(now)),
        }
    }

    async fn carry_out(
        &self,
        service: &Service,
        operation: OperationId,
        ids: &[KeyId],
        shown: Option<Arc<Manifest>>,
    ) -> service::Result<Vec<Held>> {
        match self {
            Self::Pause(order) => service.pause_keys(operation, ids, order.clone(), shown).await,
            Self::Resume => service.resume_keys(operation, ids, shown).await,
        }
    }
}

pub async fn pause(arguments: Pause, session: &Session) -> Result {
    let now = session.service().await?.now().await?;
    let order = arguments.how_long.order(session.here(now))?;
    run(&arguments.which, Order::Pause(order), session).await
}

pub async fn resume(arguments: Resume, session: &Session) -> Result {
    run(&arguments.which, Order::Resume, session).await
}

async fn run(which: &Which, order: Order, session: &Session) -> Result {
    let service = session.service().await?;
    let mut chosen = which.choose(service, session).await?;
    chosen.remark_parts(session);
    let mut looks = Looks::default();
    loop {
        let now = service.now().await?;
        which.narrow(&mut chosen, |key| order.concerns(key, now));
        let done = decide_and_do(which, &order, &chosen, session, now).await;
        match looks.again(done, chosen, which, service, session).await? {
            Some(others) => chosen = others,
            None => return Ok(()),
        }
    }
}

async fn decide_and_do(
    which: &Which,
    order: &Order,
    chosen: &Chosen,
    session: &Session,
    now: Instant,
) -> Result {
    let (service, ids, verb) = (session.service().await?, chosen.ids(), order.verb());
    if ids.is_empty() {
        session.outcome().list::<Told>(&[], now)?;
        session.remark(&format!("There is no matching key to {verb}. Nothing was changed."));
        return Ok(());
    }
    let shown = decide::shown(chosen, which, session, now);
    if session.global.dry_run || prompt::must_ask(&session.global) {
        // Nobody is asked about what is refused anyway.
        let (trying, operation) = (service.trying(), new_operation());
        let tried = insist(|| order.carry_out(&trying, operation, &ids, shown.clone())).await?;
        if session.global.dry_run || prompt::can_ask(&session.global) {
            decide::show(chosen, service, now).await?;
            let until = tried.iter().find(|one| one.changed).and_then(|one| one.key.paused.as_ref());
            if let Some(pause) = until {
                say(&format!("  until      {}", session.zone().exact(pause.until)));
            }
        }
        if session.global.dry_run {
            let none = tried.iter().filter(|one| !one.changed).count();
            let but = if none == 0 { String::new() } else { format!("; {none} would stay as they are") };
            say(&format!("Would {verb} {}{but}. Nothing was changed.", chosen.words()));
            return Ok(());
        }
    }
    let mut question = format!("{verb} {}", chosen.words());
    question[..1].make_ascii_uppercase();
    if !decide::sure(chosen, &question, session).await? {
        return Err(Failure::new(Exit::Failure, format!("nothing was {verb}d")));
    }
    carry_out(order, &ids, shown.clone(), session).await?;
    if shown.is_some() && prompt::must_ask(&session.global) {
        decide::newcomers(chosen, which, service, session).await;
    }
    Ok(())
}

/// All of them or none.
async fn carry_out(order: &Order, ids: &[KeyId], shown: Option<Arc<Manifest>>, session: &Session) -> Result {
    let service = session.service().await?;
    if let Some(why) = service.only_reads() {
        return Err(Failure::new(Exit::Failure, why));
    }
    let operation = new_operation();
    let held = insist(|| order.carry_out(service, operation, ids, shown.clone())).await?;
    let mut gates = Gates::of(order.verb());
    let receipt = gates.ask(ids, service).await;
    let (changed, frozen) = (held.iter().filter(|one| one.changed).count(), still_frozen(&held));
    let now = service.now().await.unwrap_or_else(|_| session.clock.now());
    let until =
        held.iter().find(|one| one.changed).and_then(|one| one.key.held(now)).map(|pause| pause.until);
    let told: Vec<_> = held.into_iter().map(|held| Told { held, gates: Arc::clone(&receipt) }).collect();
    let mut printer = session.outcome();
    let printed = printer.rows(&told, now);
    let printed = printed.and_then(|()| printer.finish::<Told>().map(drop));
    let what = match changed {
        0 => "Nothing was changed".to_owned(),
        1 => format!("One key is {}d", order.verb()),
        many => format!("{many} keys are {}d", order.verb()),
    };
    let until = until.filter(|_| matches!(order, Order::Pause(_)) && changed > 0);
    let until = until.map(|until| format!(" until {}", session.zone().exact(until))).unwrap_or_default();
    session.remark(&format!("{what}{until}."));
    if let (Order::Resume, Some(words)) = (order, frozen) {
        session.remark(&words);
    }
    if changed > 0 {
        gates.tell(session);
    }
    printed.and_then(|()| gates.verdict()).map_err(|failure| match failure.exit {
        Exit::Done => {
            let words = format!(
                "the keys are {}d, but standard output was closed before this was printed",
                order.verb()
            );
            Failure::new(Exit::Failure, words)
        }
        _ => failure,
    })
}

/// A freeze holds on when a key's own pause is over.
fn still_frozen(held: &[Held]) -> Option<String> {
    let freeze = held.iter().find_map(|one| one.key.frozen.as_ref())?;
    Some(format!("But of those some are {}.", freeze.words()))
}

/// A key that was to be paused or resumed, and what the gates say to it.
struct Told {
    held: Held,
    gates: Arc<[GateReceipt]>,
}

impl Told {
    fn key(&self) -> &Key {
        &self.held.key
    }
}

impl Record for Told {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("STATUS", 2, "status", |told, now| told.key().status(now).as_str().into()),
        Column::<Self>::new("NAME", 7, "name", |told, _| told.key().name.as_str().into())
            .cell(|told, _| told.key().label().into_owned()),
        Column::new("ACCOUNT", 6, "account", |told, _| told.key().account.as_str().into()),
        Column::new("KEY", 8, "preview", |told, _| told.key().preview.as_str().into()),
        Column::new("UNTIL", 3, "paused_until", |told, now| {
            told.key().held(now).map(|pause| pause.until).into()
        }),
        Column::wide("BY", 4, "paused_by", |told, now| {
            told.key().held(now).map(|pause| pause.by.as_str()).into()
        }),
        Column::wide("REASON", 5, "reason", |told, now| {
            told.key().held(now).and_then(|pause| pause.reason.as_deref()).into()
        }),
        Column::wide("MESSAGE", 11, "message", |told, now| {
            told.key().held(now).and_then(|pause| pause.message.as_deref()).into()
        }),
        Column::field(9, "changed", |told, _| told.held.changed.into()),
        Column::field(10, "gates", |told, _| serde_json::json!(told.gates).into()),
        Column::<Self>::new("ID", 1, "id", |told, _| told.key().id.to_string().into()).cell(|told, look| {
            if look.wide { told.key().id.to_string() } else { super::record::short_id(told.key()) }
        }),
    ];

    fn tone(&self, now: Instant) -> Option<Tone> {
        let status: Status = self.key().status(now);
        Some(super::record::tone(status))
    }
}
