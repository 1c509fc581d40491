//! How everything stands: what needs attention now, a line each.

use strum::IntoStaticStr;

use super::{Count, Error, Field, GateStanding, Outbox, Outlook, Result, Service};
use crate::domain::Instant;
use crate::domain::hold::Hold;
use crate::domain::query::Query;
use crate::domain::reminder::Sweep;
use crate::domain::text::{counted, thousands};
use crate::domain::when::{Here, Zone};

/// A sweep that is due and did not come for so many hours wants a person: a daily one may be late.
const LATE_HOURS: i64 = 48;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum About {
    Keys,
    Expiring,
    Rotations,
    Holds,
    Alerts,
    Gates,
    Reminders,
    Sweep,
    Approvals,
}

/// One thing and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matter {
    pub about: About,
    pub what: String,
    pub count: Option<u64>,
    /// Whether somebody should look at it.
    pub wants: bool,
}

impl Service {
    /// Everything that may want a person, and how it is; instants are told in this zone.
    pub async fn overview(&self, zone: Zone) -> Result<Vec<Matter>> {
        let now = self.look().await?;
        let counted = async |text: &str| {
            let query =
                Query::parse(text, Here { now, zone }).map_err(|e| Error::invalid(Field::Filter, e))?;
            self.count(&query).await
        };
        let exact = |at: Instant| zone.exact(at).to_string();
        let outbox = self.outbox().await?;
        let last = self.sweeps(1).await?.pop();
        Ok(vec![
            keys(counted("-status:ended").await?, counted("status:paused").await?),
            expiring(&self.outlook().await?),
            overlaps(counted("overlap:old").await?),
            holds(&self.holds(false).await?),
            alerts(self.open_alerts().await?),
            gates(&self.gates().await?, exact),
            reminders(&outbox),
            sweep(&outbox, last.as_ref(), now, exact),
            approvals(self.approvals(false).await?.len() as u64),
        ])
    }
}

fn number(of: Count) -> (u64, String) {
    (of.number(), format!("{}{}", counted(of.number(), "key"), of.or_more()))
}

fn keys(living: Count, paused: Count) -> Matter {
    let ((living, words), (paused, held)) = (number(living), number(paused));
    let held = if paused == 0 { String::new() } else { format!(", of which paused: {held}") };
    let verb = if living == 1 { "hasn't" } else { "haven't" };
    let what = format!("{words} that {verb} ended{held}");
    Matter { about: About::Keys, what, count: Some(living), wants: false }
}

fn expiring(outlook: &Outlook) -> Matter {
    let (week, month, over) = (outlook.within_7_days, outlook.within_30_days, outlook.overdue);
    let over_words = match over {
        0 => String::new(),
        1 => "; 1 key expired in the last 30 days and wasn't replaced".to_owned(),
        over => format!("; {} expired in the last 30 days and weren't replaced", counted(over, "key")),
    };
    let what = format!("{} within 7 days, {} within 30{over_words}", counted(week, "key"), thousands(month));
    Matter { about: About::Expiring, what, count: Some(week), wants: week + over > 0 }
}

fn overlaps(open: Count) -> Matter {
    let (open, words) = number(open);
    let what = match open {
        0 => "no old key works beside its replacement".to_owned(),
        1 => "1 old key still works beside its replacement".to_owned(),
        _ => format!("{words} still work beside their replacements"),
    };
    Matter { about: About::Rotations, what, count: Some(open), wants: false }
}

fn holds(holds: &[Hold]) -> Matter {
    let what = match holds {
        [] => "no keys are frozen, and no creation is stopped".to_owned(),
        [one] => one.words(),
        [first, rest @ ..] => format!("{}; and {} more", first.words(), rest.len()),
    };
    // Somebody has decided so, and it ends by itself.
    Matter { about: About::Holds, what, count: Some(holds.len() as u64), wants: false }
}

fn alerts(open: u64) -> Matter {
    let what = match open {
        0 => "no alert is open".to_owned(),
        1 => "1 alert is open".to_owned(),
        many => format!("{} are open", counted(many, "alert")),
    };
    Matter { about: About::Alerts, what, count: Some(open), wants: open > 0 }
}

fn approvals(waiting: u64) -> Matter {
    let what = match waiting {
        0 => "no change waits for a second person".to_owned(),
        1 => "1 change waits for a second person".to_owned(),
        many => format!("{} wait for a second person", counted(many, "change")),
    };
    Matter { about: About::Approvals, what, count: Some(waiting), wants: waiting > 0 }
}

fn gates(gates: &[GateStanding], exact: impl Fn(Instant) -> String) -> Matter {
    let silent: Vec<&GateStanding> = gates.iter().filter(|gate| !gate.alive).collect();
    let alive = gates.len() - silent.len();
    let mut what = match (alive, gates.len()) {
        (_, 0) => "no gate was heard from within a day".to_owned(),
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
    Matter { about: About::Gates, what, count: Some(alive as u64), wants: !silent.is_empty() }
}

fn reminders(outbox: &Outbox) -> Matter {
    let Outbox { due, failed, ambiguous, .. } = *outbox;
    let what = [(due, "due"), (failed, "failed"), (ambiguous, "ambiguous")];
    let what = what.map(|(count, how)| format!("{} {how}", thousands(count))).join(", ");
    Matter { about: About::Reminders, what, count: Some(due), wants: failed + ambiguous > 0 }
}

fn sweep(outbox: &Outbox, last: Option<&Sweep>, now: Instant, exact: impl Fn(Instant) -> String) -> Matter {
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
    Matter { about: About::Sweep, what, count: None, wants }
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
        assert_eq!(keys(Count::Exactly(1), Count::Exactly(0)).what, "1 key that hasn't ended");
        assert_eq!(keys(Count::AtLeast(9), Count::Exactly(0)).what, "9 keys or more that haven't ended");
        assert!(alerts(1).wants && !alerts(0).wants);
        assert!(approvals(1).wants && !approvals(0).wants);
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
