//! The screens: one is shown at a time, under whatever overlays are open.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::effect::{Effect, Reply, RequestId, Timer, To};
use super::input::Input;
use super::shell::Shell;
use super::words::ScreenId;
use crate::config::keymap::Context;
use crate::domain::subjects::Subjects;

pub mod accounts;
pub mod alerts;
pub mod audit;
pub mod expiring;
pub mod issuers;
pub mod keys;
pub mod operators;
pub mod reminders;

/// What each screen knows, whether it is shown or not.
#[derive(Debug, Default)]
pub struct Screens {
    pub keys: keys::State,
    pub expiring: expiring::State,
    pub reminders: reminders::State,
    pub accounts: accounts::State,
    pub audit: audit::State,
    pub issuers: issuers::State,
    pub operators: operators::State,
    pub alerts: alerts::State,
}

impl Screens {
    /// The screen is shown from now on.
    pub fn enter(&mut self, shell: &mut Shell) -> Vec<Effect> {
        match shell.screen {
            ScreenId::Keys => self.keys.enter(shell),
            ScreenId::Expiring => self.expiring.enter(shell),
            ScreenId::Reminders => self.reminders.enter(shell),
            ScreenId::Accounts => self.accounts.enter(shell),
            ScreenId::Audit => self.audit.enter(shell),
            ScreenId::Issuers => self.issuers.enter(shell),
            ScreenId::Operators => self.operators.enter(shell),
            ScreenId::Alerts => self.alerts.enter(shell),
        }
    }

    pub fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        match shell.screen {
            ScreenId::Keys => self.keys.input(shell, input),
            ScreenId::Expiring => self.expiring.input(shell, input),
            ScreenId::Reminders => self.reminders.input(shell, input),
            ScreenId::Accounts => self.accounts.input(shell, input),
            ScreenId::Audit => self.audit.input(shell, input),
            ScreenId::Issuers => self.issuers.input(shell, input),
            ScreenId::Operators => self.operators.input(shell, input),
            ScreenId::Alerts => self.alerts.input(shell, input),
        }
    }

    pub fn reply(&mut self, shell: &mut Shell, screen: ScreenId, id: RequestId, reply: Reply) -> Vec<Effect> {
        match screen {
            ScreenId::Keys => self.keys.reply(shell, id, reply),
            ScreenId::Expiring => self.expiring.reply(shell, id, reply),
            ScreenId::Reminders => self.reminders.reply(shell, id, reply),
            ScreenId::Accounts => self.accounts.reply(shell, id, reply),
            ScreenId::Audit => self.audit.reply(shell, id, reply),
            ScreenId::Issuers => self.issuers.reply(shell, id, reply),
            ScreenId::Operators => self.operators.reply(shell, id, reply),
            ScreenId::Alerts => self.alerts.reply(shell, id, reply),
        }
    }

    /// A timer of the screen that set it, or of the one that is shown.
    pub fn timer(&mut self, shell: &mut Shell, timer: Timer) -> Vec<Effect> {
        let screen = match timer {
            Timer::Of(To::Screen(screen)) => screen,
            _ => shell.screen,
        };
        match screen {
            ScreenId::Keys => self.keys.timer(shell, timer),
            ScreenId::Expiring => self.expiring.timer(shell, timer),
            ScreenId::Reminders => self.reminders.timer(shell, timer),
            ScreenId::Accounts => self.accounts.timer(shell, timer),
            ScreenId::Audit => self.audit.timer(shell, timer),
            ScreenId::Issuers => self.issuers.timer(shell, timer),
            ScreenId::Operators => self.operators.timer(shell, timer),
            ScreenId::Alerts => self.alerts.timer(shell, timer),
        }
    }

    /// The database changed: what is shown has to be read again, if it shows something of what was touched.
    pub fn changed(&mut self, shell: &mut Shell, touched: Subjects) -> Vec<Effect> {
        if !shown(shell.screen).meet(touched) {
            return Vec::new();
        }
        match shell.screen {
            ScreenId::Keys => self.keys.changed(shell),
            ScreenId::Expiring => self.expiring.changed(shell),
            ScreenId::Reminders => self.reminders.changed(shell),
            ScreenId::Accounts => self.accounts.changed(shell),
            ScreenId::Audit => self.audit.changed(shell),
            ScreenId::Issuers => self.issuers.changed(shell),
            ScreenId::Operators => self.operators.changed(shell),
            ScreenId::Alerts => self.alerts.changed(shell),
        }
    }

    /// Which bindings hold.
    pub fn context(&self, shell: &Shell) -> Context {
        match shell.screen {
            ScreenId::Keys => self.keys.context(),
            ScreenId::Expiring => self.expiring.context(),
            ScreenId::Reminders => self.reminders.context(),
            ScreenId::Accounts => self.accounts.context(),
            ScreenId::Audit => self.audit.context(),
            ScreenId::Issuers => self.issuers.context(),
            ScreenId::Operators => self.operators.context(),
            ScreenId::Alerts => self.alerts.context(),
        }
    }

    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        match shell.screen {
            ScreenId::Keys => self.keys.draw(shell, frame, area),
            ScreenId::Expiring => self.expiring.draw(shell, frame, area),
            ScreenId::Reminders => self.reminders.draw(shell, frame, area),
            ScreenId::Accounts => self.accounts.draw(shell, frame, area),
            ScreenId::Audit => self.audit.draw(shell, frame, area),
            ScreenId::Issuers => self.issuers.draw(shell, frame, area),
            ScreenId::Operators => self.operators.draw(shell, frame, area),
            ScreenId::Alerts => self.alerts.draw(shell, frame, area),
        }
    }

    /// What stands at the right end of the header: how many there are.
    pub fn summary(&self, shell: &Shell) -> String {
        match shell.screen {
            ScreenId::Keys => self.keys.summary(shell),
            ScreenId::Expiring => self.expiring.summary(shell),
            ScreenId::Reminders => self.reminders.summary(shell),
            ScreenId::Accounts => self.accounts.summary(shell),
            ScreenId::Audit => self.audit.summary(shell),
            ScreenId::Issuers => self.issuers.summary(shell),
            ScreenId::Operators => self.operators.summary(shell),
            ScreenId::Alerts => self.alerts.summary(shell),
        }
    }
}

/// What a screen shows something of.
fn shown(screen: ScreenId) -> Subjects {
    match screen {
        // A key's detail shows its account, its reminders and what was done to it.
        ScreenId::Keys => Subjects::ALL,
        ScreenId::Expiring => Subjects::KEYS | Subjects::ACCOUNTS | Subjects::ISSUERS | Subjects::REMINDERS,
        ScreenId::Reminders => Subjects::REMINDERS | Subjects::KEYS,
        ScreenId::Accounts => Subjects::ACCOUNTS | Subjects::ISSUERS,
        ScreenId::Audit => Subjects::AUDIT,
        ScreenId::Issuers => Subjects::ISSUERS,
        ScreenId::Operators => Subjects::OPERATORS,
        ScreenId::Alerts => Subjects::ALERTS | Subjects::KEYS,
    }
}
