//! All that the console knows. The view reads it, only `update` changes it.

use ratatui::layout::Size;

use super::ahead::Ahead;
use super::overlays::Overlays;
use super::screens::Screens;
use super::shell::{Link, Shell};
use super::standing::Standing;
use super::styles::Styles;
use super::undo::Marks;
use super::view::body;
use super::views::Views;
use super::words::ScreenId;
use crate::config::keymap::Keymap;
use crate::domain::Instant;

/// The whole state: what all share, the screens, and what lies over them.
#[derive(Debug)]
pub struct State {
    pub shell: Shell,
    /// Asks for what the shell shows whatever the screen.
    pub standing: Standing,
    pub screens: Screens,
    pub overlays: Overlays,
    /// What was pressed too early.
    pub ahead: Ahead,
    /// What was shown before.
    pub views: Views,
    /// What was marked on the screen that is shown, before the present message.
    pub marked: Option<(ScreenId, Marks)>,
    /// Whether what changes now is an undoing.
    pub undoing: bool,
}

impl State {
    /// `seed` makes the operation ids: 32 random bytes.
    pub fn new(now: Instant, size: Size, styles: Styles, keymap: Keymap, seed: [u8; 32]) -> Self {
        Self {
            shell: Shell::new(now, size, styles, keymap, seed),
            standing: Standing::default(),
            screens: Screens::default(),
            overlays: Overlays::default(),
            ahead: Ahead::default(),
            views: Views::default(),
            marked: None,
            undoing: false,
        }
    }

    /// The picture is on the screen: questions are read from now on, unless there is no room for them.
    pub fn drawn(&mut self, now: Instant) {
        if body::fits(self.shell.size) {
            self.overlays.drawn(&self.shell, now);
        } else {
            self.overlays.hidden();
        }
    }

    /// A change was answered: whoever waited for that leaves, and stays where there is something to see, a failure or a
    /// secret.
    pub fn leave_or_stay(&mut self, leaves: bool) {
        if self.shell.sweeps() || leaves && !self.shell.unanswered.is_empty() {
            return;
        }
        let Some(reason) = self.shell.leaving.take() else { return };
        self.overlays.stay();
        if leaves {
            self.shell.quit(reason);
        }
    }

    /// Whether anything on the screen is said relative to the present.
    pub fn shows_ages(&self) -> bool {
        self.shell.relative_times || matches!(self.shell.link, Link::Lost { .. })
    }
}
