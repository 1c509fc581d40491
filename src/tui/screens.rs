//! The screens: one is shown at a time, under whatever overlays are open.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::effect::{Effect, Reply, RequestId, Timer};
use super::input::Input;
use super::state::Shell;
use crate::config::keymap::{Action, Context};

pub mod keys;

/// Names a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScreenId {
    Keys,
}

impl ScreenId {
    /// In the order of their numbers and of `[` and `]`.
    pub const ALL: [Self; 1] = [Self::Keys];

    pub fn title(self) -> &'static str {
        match self {
            Self::Keys => "Keys",
        }
    }

    /// The screen that an action asks for.
    pub fn of(action: Action) -> Option<Self> {
        match action {
            Action::ScreenKeys => Some(Self::Keys),
            _ => None,
        }
    }

    /// The screen `step` places further, round and round.
    pub fn step(self, step: isize) -> Self {
        let count = Self::ALL.len() as isize;
        let at = Self::ALL.iter().position(|screen| *screen == self).unwrap_or(0) as isize;
        Self::ALL[(at + step).rem_euclid(count) as usize]
    }
}

/// What each screen knows, whether it is shown or not.
#[derive(Debug, Default)]
pub struct Screens {
    pub keys: keys::State,
}

impl Screens {
    /// The screen is shown from now on.
    pub fn enter(&mut self, shell: &mut Shell) -> Vec<Effect> {
        match shell.screen {
            ScreenId::Keys => self.keys.enter(shell),
        }
    }

    pub fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        match shell.screen {
            ScreenId::Keys => self.keys.input(shell, input),
        }
    }

    pub fn reply(&mut self, shell: &mut Shell, screen: ScreenId, id: RequestId, reply: Reply) -> Vec<Effect> {
        match screen {
            ScreenId::Keys => self.keys.reply(shell, id, reply),
        }
    }

    pub fn timer(&mut self, shell: &mut Shell, timer: Timer) -> Vec<Effect> {
        match shell.screen {
            ScreenId::Keys => self.keys.timer(shell, timer),
        }
    }

    /// The database changed: what is shown has to be read again.
    pub fn changed(&mut self, shell: &mut Shell) -> Vec<Effect> {
        match shell.screen {
            ScreenId::Keys => self.keys.changed(shell),
        }
    }

    /// Which bindings hold.
    pub fn context(&self, shell: &Shell) -> Context {
        match shell.screen {
            ScreenId::Keys => self.keys.context(),
        }
    }

    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        match shell.screen {
            ScreenId::Keys => self.keys.draw(shell, frame, area),
        }
    }

    /// What stands at the right end of the header: how many there are.
    pub fn summary(&self, shell: &Shell) -> String {
        match shell.screen {
            ScreenId::Keys => self.keys.summary(shell),
        }
    }
}
