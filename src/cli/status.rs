//! `keyrack status`: what wants a person now, on one screen.

use clap::Args;

use super::count;
use super::failure::{Failure, Result};
use super::filter;
use super::output::{Column, Record, Tone};
use super::session::Session;
use crate::domain::Instant;
use crate::domain::hold::Hold;
use crate::domain::reminder::Sweep;
use crate::service::{Count, GateStanding, Outbox, Outlook};

/// A sweep that is due and did not come for so many hours wants a person: a daily one may be late.
const LATE_HOURS: i64 = 48;

#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 nothing wants a person, 6 something does.\n\
                  For a monitor: keyrack status --json | jq '.[] | select(.wants)'")]
pub struct Arguments {}

/// One thing and how it is.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    id: &'static str,
    what: String,
    count: Option<u64>,
    /// Whether somebody should look at it.
    wants: bool,
    /// The command that shows more.
    next: &'static str,
}

pub async fn run(_: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let counted =
        async |text: &str| -> Result<Count> { Ok(service.count(&filter::query(text, session)?).await?) };
    let now = service.now().await?;
    let zone = session.zone();
    let exact = |at: Instant| zone.exact(at).to_string();
    let outbox = service.outbox().await?;
    let last = service.sweeps(1).await?.pop();
    let lines = [
        keys(counted("-status:ended").await?, counted("status:paused").await?),
        expiring(&service.outlook().await?),
        overlaps(counted("overlap:old").await?),
        holds(&service.holds(false).await?),
        alerts(service.open_alerts().await?),
        gates(&service.gates().await?, exact),
        reminders(&outbox),
        sweep(&outbox, last.as_ref(), now, exact),
    ];
    session.printer().list(&lines, now)?;
    let wanting: Vec<&str> = lines.iter().filter(|line| line.wants).map(|line| line.id).collect();
    match wanting.as_slice() {
        [] => Ok(()),
        [one] => Err(Failure::check(format!("1 thing wants a person: {one}"))),
        some => Err(Failure::check(format!("{} things want a person: {}", some.len(), some.join(", ")))),
    }
}

fn number(of: Count) -> (u64, String) {
    (of.number(), format!("{}{}", count(of.number(), "key"), of.or_more()))
}

fn keys(living: Count, paused: Count) -> Line {
    let ((living, words), (paused, held)) = (number(living), number(paused));
    let held = if paused == 0 { String::new() } else { format!(", of which paused: {held}") };
    let what = format!("{words} that haven't ended{held}");
    Line { id: "keys", what, count: Some(living), wants: false, next: "key list --filter status:paused" }
}

fn expiring(outlook: &Outlook) -> Line {
    let (week, month, over) = (outlook.within_7_days, outlook.within_30_days, outlook.overdue);
    let over_words = match over {
        0 => String::new(),
        over => format!("; {} expired in the last 30 days and weren't replaced", count(over, "key")),
    };
    let what = format!("{} within 7 days, {month} within 30{over_words}", count(week, "key"));
    Line { id: "expiring", what, count: Some(week), wants: week + over > 0, next: "expiring --within 7d" }
}

fn overlaps(open: Count) -> Line {
    let (open, words) = number(open);
    let what = match open {
        0 => "no old key works beside its replacement".to_owned(),
        1 => "1 old key still works beside its replacement".to_owned(),
        _ => format!("{words} still work beside their replacements"),
    };
    Line { id: "rotations", what, count: Some(open), wants: false, next: "rotation list" }
}

fn holds(holds: &[Hold]) -> Line {
    let what = match holds {
        [] => "no keys are frozen, and no creation is stopped".to_owned(),
        [one] => one.words(),
        [first, rest @ ..] => format!("{}; and {} more", first.words(), rest.len()),
    };
    // Somebody has decided so, and it ends by itself.
    Line { id: "holds", what, count: Some(holds.len() as u64), wants: false, next: "freeze list" }
}

fn alerts(open: u64) -> Line {
    let what = match open {
        0 => "no alert is open".to_owned(),
        1 => "1 alert is open".to_owned(),
        many => format!("{many} alerts are open"),
    };
    Line { id: "alerts", what, count: Some(open), wants: open > 0, next: "alerts list" }
}

fn gates(gates: &[GateStanding], exact: impl Fn(Instant) -> String) -> Line {
    let silent: Vec<&GateStanding> = gates.iter().filter(|gate| !gate.alive).collect();
    let alive = gates.len() - silent.len();
    let mut what = match (alive, gates.len()) {
        (_, 0) => "no gate was heard of within a day".to_owned(),
        (1, _) => "1 gate is alive".to_owned(),
        (alive, _) => format!("{alive} gates are alive"),
    };
    let leases: Vec<String> = gates
        .iter()
        .filter(|gate| gate.alive && gate.freshness.lease().is_some())
        .map(|gate| format!("{} ({})", gate.name, gate.freshness))
        .collect();
    if !leases.is_empty() {
        what.push_str(&format!("; answering from memory: {}", leases.join(", ")));
    }
    if let Some(gate) = silent.first() {
        let more = if silent.len() > 1 { format!(" and {} more", silent.len() - 1) } else { String::new() };
        what.push_str(&format!("; out of touch: {} since {}{more}", gate.name, exact(gate.heard_at)));
    }
    Line { id: "gates", what, count: Some(alive as u64), wants: !silent.is_empty(), next: "doctor" }
}

fn reminders(outbox: &Outbox) -> Line {
    let Outbox { due, failed, ambiguous, .. } = outbox;
    let what = format!("{due} due, {failed} failed, {ambiguous} ambiguous");
    Line { id: "reminders", what, count: Some(*due), wants: failed + ambiguous > 0, next: "reminders list" }
}

fn sweep(outbox: &Outbox, last: Option<&Sweep>, now: Instant, exact: impl Fn(Instant) -> String) -> Line {
    let (what, wants) = match last {
        None => ("no sweep has sent reminders yet".to_owned(), outbox.due > 0),
        Some(last) => {
            let trouble = last.trouble.as_ref().map(|why| format!("; it stopped early: {why}"));
            let late = outbox.due > 0 && (now - last.began_at).num_hours() >= LATE_HOURS;
            let late_words = if late { "; reminders are due since then" } else { "" };
            let words = format!("the last began at {}{late_words}", exact(last.began_at));
            (words + trouble.as_deref().unwrap_or_default(), late || trouble.is_some())
        }
    };
    Line { id: "sweep", what, count: None, wants, next: "reminders sweeps" }
}

impl Record for Line {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("ABOUT", 1, "id", |line, _| line.id.into()),
        Column::<Self>::new("", 2, "wants", |line, _| line.wants.into())
            .cell(|line, _| if line.wants { "!".to_owned() } else { "✓".to_owned() }),
        Column::<Self>::new("HOW IT IS", 3, "what", |line, _| line.what.as_str().into()).whole(),
        Column::wide("COUNT", 4, "count", |line, _| line.count.into()),
        Column::new("MORE", 5, "next", |line, _| line.next.into()),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(if self.wants { Tone::Warning } else { Tone::Good })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::noon;
    use crate::domain::freshness::Freshness;

    fn at(_: Instant) -> String {
        "then".into()
    }

    #[test]
    fn what_is_late_failed_or_silent_wants_a_person_and_a_decision_does_not() {
        assert!(!keys(Count::Exactly(1), Count::Exactly(1)).wants);
        assert_eq!(keys(Count::AtLeast(9), Count::Exactly(0)).what, "9 keys or more that haven't ended");
        assert!(alerts(1).wants && !alerts(0).wants);
        assert!(!holds(&[]).wants);
        let gate = |alive| GateStanding {
            alive,
            name: "east".into(),
            host: "web".into(),
            listen: ":1".into(),
            version: "0".into(),
            began_at: noon(),
            heard_at: noon(),
            freshness: Freshness::Proof,
            applied: 1,
        };
        assert!(!gates(&[gate(true)], at).wants && !gates(&[], at).wants);
        let both = gates(&[gate(true), gate(false)], at);
        assert!(both.wants && both.what == "1 gate is alive; out of touch: east since then", "{both:?}");
        let lease = GateStanding { freshness: Freshness::of_millis(1_000), ..gate(true) };
        let leased = gates(&[gate(true), lease], at);
        assert!(
            !leased.wants && leased.what == "2 gates are alive; answering from memory: east (lease=1s)",
            "{leased:?}"
        );
        let due = Outbox { due: 1, ..Outbox::default() };
        assert!(sweep(&due, None, noon(), at).wants && !sweep(&Outbox::default(), None, noon(), at).wants);
        assert!(reminders(&Outbox { failed: 1, ..Outbox::default() }).wants && !reminders(&due).wants);
    }
}
