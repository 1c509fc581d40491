//! What systemd hears from the service (`sd_notify(3)`): that it is ready, what it does, and that it is alive.
//!
//! Without systemd nobody listens and nothing is sent.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::domain::text::SafeText;

/// A sweep without any news for this long hangs. A letter takes half a minute at most, a look for what is due a few
/// seconds in a million keys.
const SILENCE: Duration = Duration::from_secs(5 * 60);

/// The line to the supervisor.
pub struct Supervisor {
    /// Twice in the time after which systemd takes the service for dead.
    pulse: Option<Interval>,
    /// When the sweep that is running gave its last sign of life.
    heard: Option<Instant>,
}

impl Supervisor {
    pub fn new() -> Self {
        let pulse = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()).map(|limit| {
            let mut pulse = interval(limit / 2);
            pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
            pulse
        });
        Self { pulse, heard: None }
    }

    pub fn ready(&self, status: &str) {
        send(&[NotifyState::Ready, NotifyState::Status(&SafeText::new(status))]);
    }

    pub fn status(&self, status: &str) {
        send(&[NotifyState::Status(&SafeText::new(status))]);
    }

    pub fn stopping(&self) {
        send(&[NotifyState::Stopping, NotifyState::Status("stopping after the letters under way")]);
    }

    /// A sweep begins, or gives a sign of life.
    pub fn hear(&mut self) {
        self.heard = Some(Instant::now());
    }

    /// No sweep is running: there is nothing that could hang.
    pub fn rest(&mut self) {
        self.heard = None;
    }

    /// Returns when it is time for [`Self::beat`]; never where nobody wants to know.
    pub async fn pulse(&mut self) {
        match &mut self.pulse {
            Some(pulse) => {
                pulse.tick().await;
            }
            None => std::future::pending().await,
        }
    }

    /// Says that the service is alive, unless its sweep hangs: then systemd shall start it anew.
    pub fn beat(&self) {
        if self.is_alive(Instant::now()) {
            send(&[NotifyState::Watchdog]);
        } else {
            tracing::error!("the sweep does not respond; the watchdog is not notified");
        }
    }
}

impl Supervisor {
    fn is_alive(&self, now: Instant) -> bool {
        self.heard.is_none_or(|heard| now - heard < SILENCE)
    }
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the supervisor can't be notified");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_that_hangs_is_not_called_alive_and_one_at_rest_is() {
        let now = Instant::now();
        let mut supervisor = Supervisor { pulse: None, heard: None };
        assert!(supervisor.is_alive(now + 10 * SILENCE));
        supervisor.heard = Some(now);
        assert!(supervisor.is_alive(now + SILENCE / 2));
        assert!(!supervisor.is_alive(now + SILENCE));
        supervisor.rest();
        assert!(supervisor.is_alive(now + SILENCE));
    }
}
