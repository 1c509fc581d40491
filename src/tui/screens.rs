//! The screens: one is shown at a time, under whatever overlays are open.

use super::effect::{Effect, Timer, To};
use super::opening::Made;
use super::screen::Screen;
use super::shell::Shell;
use super::words::ScreenId;

pub mod accounts;
pub mod alerts;
pub mod audit;
pub mod expiring;
pub mod hygiene;
pub mod issuers;
pub mod keys;
mod of_keys;
pub mod operators;
pub mod overview;
pub mod reminders;
pub mod rotations;

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
        ScreenId::Hygiene => Box::<hygiene::State>::default(),
        ScreenId::Rotations => Box::<rotations::State>::default(),
        ScreenId::Overview => Box::<overview::State>::default(),
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

    /// The one that is shown.
    pub fn shown(&self, shell: &Shell) -> &dyn Screen {
        self.of(shell.screen)
    }

    pub fn of_mut(&mut self, screen: ScreenId) -> &mut dyn Screen {
        &mut *self.0[screen.place()]
    }

    /// A timer of the screen that set it, or of the one that is shown.
    pub fn timer(&mut self, shell: &mut Shell, timer: Timer) -> Vec<Effect> {
        let screen = match timer {
            Timer::Of(To::Screen(screen)) => screen,
            _ => shell.screen,
        };
        self.of_mut(screen).timer(shell, timer)
    }

    /// Something new was made here.
    pub fn made(&mut self, shell: &mut Shell, made: &Made) -> Vec<Effect> {
        ScreenId::ALL.into_iter().flat_map(|screen| self.of_mut(screen).made(shell, made)).collect()
    }
}
