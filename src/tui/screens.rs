//! The screens: one is shown at a time, under whatever overlays are open.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::effect::{Effect, Reply, RequestId, Timer, To};
use super::input::Input;
use super::screen::Screen;
use super::shell::Shell;
use super::words::ScreenId;
use crate::config::keymap::{Action, Context};
use crate::domain::query::Sort;
use crate::domain::subjects::Subjects;

pub mod accounts;
pub mod alerts;
pub mod audit;
pub mod expiring;
pub mod issuers;
pub mod keys;
mod of_keys;
pub mod operators;
pub mod reminders;

fn make(screen: ScreenId) -> Box<dyn Screen> {
    match screen {
        ScreenId::Keys => Box::<keys::State>::default(),
        ScreenId::Expiring => Box::<expiring::State>::default(),
        ScreenId::Reminders => Box::<reminders::State>::default(),
        ScreenId::Accounts => Box::<accounts::State>::default(),
        ScreenId::Audit => Box::<audit::State>::default(),
        ScreenId::Issuers => Box::<issuers::State>::default(),
        ScreenId::Operators => Box::<operators::State>::default(),
        ScreenId::Alerts => Box::<alerts::State>::default(),
    }
}

/// What each screen knows, whether it is shown or not: in the order of [`ScreenId::ALL`].
#[derive(Debug)]
pub struct Screens([Box<dyn Screen>; ScreenId::ALL.len()]);

impl Default for Screens {
    fn default() -> Self {
        Self(ScreenId::ALL.map(make))
    }
}

impl Screens {
    pub fn of(&self, screen: ScreenId) -> &dyn Screen {
        &*self.0[screen.place()]
    }

    pub fn of_mut(&mut self, screen: ScreenId) -> &mut dyn Screen {
        &mut *self.0[screen.place()]
    }

    /// The screen of the shell is shown from now on.
    pub fn enter(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.of_mut(shell.screen).enter(shell)
    }

    pub fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        self.of_mut(shell.screen).input(shell, input)
    }

    pub fn reply(&mut self, shell: &mut Shell, screen: ScreenId, id: RequestId, reply: Reply) -> Vec<Effect> {
        self.of_mut(screen).reply(shell, id, reply)
    }

    /// A timer of the screen that set it, or of the one that is shown.
    pub fn timer(&mut self, shell: &mut Shell, timer: Timer) -> Vec<Effect> {
        let screen = match timer {
            Timer::Of(To::Screen(screen)) => screen,
            _ => shell.screen,
        };
        self.of_mut(screen).timer(shell, timer)
    }

    /// Something of these kinds changed in the database. The others read again when they are shown.
    pub fn changed(&mut self, shell: &mut Shell, touched: Subjects) -> Vec<Effect> {
        self.of_mut(shell.screen).changed(shell, touched)
    }

    /// Sorts the table of keys.
    pub fn sort(&mut self, shell: &mut Shell, sort: Sort) -> Vec<Effect> {
        self.of_mut(ScreenId::Keys).sort(shell, sort)
    }

    /// Which bindings hold.
    pub fn context(&self, shell: &Shell) -> Context {
        self.of(shell.screen).context()
    }

    pub fn label(&self, shell: &Shell, action: Action, label: &'static str) -> Option<Cow<'static, str>> {
        self.of(shell.screen).label(shell, action, label)
    }

    pub fn summary(&self, shell: &Shell) -> String {
        self.of(shell.screen).summary(shell)
    }

    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.of(shell.screen).draw(shell, frame, area);
    }
}
