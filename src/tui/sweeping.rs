//! A sweep that was started in this console: it goes on while one works elsewhere.

use std::collections::VecDeque;

use super::effect::{Effect, Outcomes, RequestId, To};
use super::shell::Shell;
use super::sweep_state::Sweeping;
use super::words::{Severity, count};
use crate::config::keymap::Action;
use crate::domain::reminder::{Door, Progress, State, Sweep, Tally};
use crate::domain::subjects::Subjects;
use crate::service::{SweepNews, SweepOrder};

/// Starts a sweep. One at a time: while one goes on this does nothing.
pub fn start(shell: &mut Shell) -> Vec<Effect> {
    if shell.sweeps() {
        return Vec::new();
    }
    let order = SweepOrder { operation: shell.operation(), door: Door::Console, limit: None };
    let id = shell.request_id(To::Shell);
    shell.sweep = Some(Sweeping {
        id,
        began_at: shell.now,
        letters: None,
        tally: Tally::default(),
        last: VecDeque::new(),
        troubles: Vec::new(),
        stopping: false,
        outcome: None,
    });
    vec![Effect::Sweep { of: id, order }]
}

/// Lets it end after the letter under way.
pub fn stop(shell: &mut Shell) -> Vec<Effect> {
    match &mut shell.sweep {
        Some(sweep) if sweep.running() && !sweep.stopping => {
            sweep.stopping = true;
            vec![Effect::StopSweep]
        }
        _ => Vec::new(),
    }
}

/// Takes note of news; those of another sweep are dropped.
pub fn news(shell: &mut Shell, of: RequestId, news: SweepNews) {
    if let Some(sweep) = shell.sweep.as_mut().filter(|sweep| sweep.id == of && sweep.running()) {
        sweep.take(news);
        shell.redraw = true;
    }
}

/// It has ended: says what came of it, and leaves if that was waited for.
pub fn ended(shell: &mut Shell, of: RequestId, outcome: Outcomes<Box<Sweep>>) {
    let Some(sweep) = shell.sweep.as_mut().filter(|sweep| sweep.id == of && sweep.running()) else { return };
    if let Ok(done) = &outcome {
        sweep.tally = done.tally;
    }
    sweep.outcome = Some(outcome.clone());
    match &outcome {
        Ok(done) => {
            let (severity, mut words) = summary(done);
            if done.tally.failed + done.tally.ambiguous > 0 {
                let key = shell.keymap.key(Action::ScreenReminders);
                words.push_str(&format!(". Reminders ({key}) tells why"));
            }
            shell.toast(severity, words);
        }
        Err(failure) => shell.failed(failure),
    }
    shell.changed(Subjects::REMINDERS | Subjects::AUDIT);
    if let Some(reason) = shell.leaving.take() {
        shell.quit(reason);
    }
}

/// What a sweep came to, in one sentence.
pub fn summary(sweep: &Sweep) -> (Severity, String) {
    let Tally { sent, written, failed, deferred, ambiguous, .. } = sweep.tally;
    let mut words = match (sent, written) {
        (0, 0) if sweep.tally.letters() == 0 => "nothing was due".to_owned(),
        (0, 0) => "no letter was sent".to_owned(),
        (0, _) => format!("{} written as files; nothing left this machine", count(written, "letter")),
        _ => format!("{} sent", count(sent, "letter")),
    };
    for (many, what) in [
        (failed, State::Failed.as_str()),
        (deferred, "deferred and tried again later"),
        (ambiguous, State::Ambiguous.as_str()),
    ] {
        if many > 0 {
            words.push_str(&format!(", {many} {what}"));
        }
    }
    let severity = match sweep.progress {
        Progress::Ended if failed + ambiguous > 0 => Severity::Warning,
        Progress::Ended => Severity::Good,
        Progress::Running | Progress::Stopped | Progress::Lost => {
            let why = sweep.trouble.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            words = format!("the sweep stopped early{why}; {words}");
            Severity::Warning
        }
    };
    (severity, words)
}
