//! Reminders as people read them: a sign and a word for each state, what became of a key's thresholds.

use crate::config::theme::Role;
use crate::domain::Instant;
use crate::domain::key::Key;
use crate::domain::reminder::{Delivery, Reminder, State, crossed};

#[cfg(test)]
mod tests;

/// The sign of a state, told apart without colour, and its role.
pub fn sign(state: State) -> (&'static str, Role) {
    match state {
        State::Pending => ("○", Role::Info),
        State::Sending => ("→", Role::Info),
        State::Sent => ("✓", Role::Ok),
        State::Written => ("≡", Role::Info),
        State::Failed => ("✕", Role::Danger),
        State::Ambiguous => ("?", Role::Warning),
        State::Superseded | State::Cancelled => ("–", Role::Muted),
    }
}

/// A role for a whole line: only what somebody must look at stands out.
pub fn calm(role: Role) -> Role {
    if role == Role::Ok { Role::Muted } else { role }
}

/// `✕ failed`
pub fn with_sign(state: State) -> String {
    format!("{} {}", sign(state).0, state.as_str())
}

/// `○ pending ✕1`: where a reminder stands, and how many recipients it did not reach while others wait.
pub fn standing(reminder: &Reminder) -> (String, Role) {
    let words = with_sign(reminder.state);
    match reminder.recipients().first() {
        Some((worst, count)) if worst.needs_attention() && *worst != reminder.state => {
            let (sign, role) = sign(*worst);
            (format!("{words} {sign}{count}"), role)
        }
        _ => (words, sign(reminder.state).1),
    }
}

/// `✕ failed, to ada@example.com and 1 more: 550 no such user`; of several fates `ada@example.com (1 failed, 1 sent)`. `when`: what stands behind the state. `answer`: whether
/// the server's words belong to it.
pub fn told(reminder: &Reminder, when: &str, answer: impl Fn(&Delivery) -> bool) -> String {
    let why = reminder.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    let mut words = format!("{}{why}{when}", with_sign(reminder.state));
    if let Some(delivery) = reminder.telling() {
        words.push_str(&format!(", to {}", delivery.recipient));
        match (reminder.mixed(), reminder.deliveries.len() - 1) {
            (Some(mixed), _) => words.push_str(&format!(" ({mixed})")),
            (None, 0) => {}
            (None, more) => words.push_str(&format!(" and {more} more")),
        }
        if let Some(said) = delivery.answer.as_ref().filter(|_| answer(delivery)) {
            words.push_str(&format!(": {said}"));
        }
    }
    words
}

/// What became of one threshold of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark<'r> {
    /// There is a reminder.
    Made(&'r Reminder),
    /// It was crossed, and the next sweep sends it.
    Due,
    /// It is not crossed yet.
    Ahead,
    /// It was passed over: a tighter one was crossed before a sweep came, or the key has ended or was replaced.
    Passed,
}

impl Mark<'_> {
    pub fn sign(self) -> (&'static str, Role) {
        match self {
            Self::Made(reminder) => {
                (sign(reminder.telling().map_or(reminder.state, |one| one.state)).0, standing(reminder).1)
            }
            Self::Due => sign(State::Pending),
            Self::Ahead => ("·", Role::Muted),
            Self::Passed => sign(State::Superseded),
        }
    }
}

/// The thresholds of a key, the earliest first, and what became of each. `days_before`: the policy's; `reminders`: the
/// key's. What was made for an earlier expiry is left out. `due`: whether the next sweep makes a reminder of it.
pub fn marks<'r>(
    key: &Key,
    days_before: &[u32],
    reminders: &'r [Reminder],
    due: bool,
    now: Instant,
) -> Vec<(u32, Mark<'r>)> {
    let Some(expires_at) = key.stops_at() else { return Vec::new() };
    let made: Vec<&Reminder> =
        reminders.iter().filter(|reminder| reminder.expires_at == expires_at).collect();
    let life = expires_at - key.created_at;
    let mut days: Vec<u32> = days_before
        .iter()
        .copied()
        .filter(|days| chrono::Duration::days(i64::from(*days)) < life)
        .chain(made.iter().map(|reminder| reminder.days_before))
        .collect();
    days.sort_unstable_by(|a, b| b.cmp(a));
    days.dedup();
    let crossed = crossed(days_before, key.created_at, expires_at, now);
    days.into_iter()
        .map(|days| {
            let mark = match made.iter().find(|reminder| reminder.days_before == days) {
                Some(reminder) => Mark::Made(reminder),
                None if due && crossed.first() == Some(&days) => Mark::Due,
                None if now >= expires_at || key.is_revoked(now) || crossed.contains(&days) => Mark::Passed,
                None => Mark::Ahead,
            };
            (days, mark)
        })
        .collect()
}

/// The marks in a narrow column: `30d ✓  7d ·`, in the role of the one that matters most.
pub fn short(marks: &[(u32, Mark<'_>)]) -> (String, Role) {
    let words: Vec<String> = marks.iter().map(|(days, mark)| format!("{days}d {}", mark.sign().0)).collect();
    let role = [Role::Danger, Role::Warning, Role::Info]
        .into_iter()
        .find(|role| marks.iter().any(|(_, mark)| mark.sign().1 == *role));
    (words.join("  "), role.unwrap_or(Role::Muted))
}
