//! Asking before one leaves while a sweep goes on: it stops between two letters, and never in the middle of one. What was
//! sent to be changed is waited for a moment, and no longer.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::tui::effect::{Effect, Timer, To};
use crate::tui::form::{Pressed, YesNo};
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::shell::Shell;
use crate::tui::sweep_state::Sweeping;
use crate::tui::sweeping;
use crate::tui::widgets::buttons::Button;
use crate::tui::widgets::sheet::Sheet;
use crate::tui::words::{ExitReason, ScreenId};

#[cfg(test)]
mod tests;

/// How long the answer to a change is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The question, and how the person wanted to leave.
#[derive(Debug)]
pub struct State {
    reason: ExitReason,
    form: YesNo,
}

/// Leaves; asks first while a sweep goes on, waits first while a change is not answered.
pub fn open(shell: &mut Shell, number: u64, reason: ExitReason) -> Opened {
    let mut effects = Vec::new();
    if !shell.sweeps() {
        if shell.unanswered.is_empty() || shell.leaving.is_some() {
            return Opened { layer: None, effects: vec![Effect::Quit(reason)] };
        }
        shell.leaving = Some(reason.clone());
        effects.push(Effect::SetTimer { timer: Timer::Of(To::Overlay(number)), after: PATIENCE });
    }
    Opened::new(State { reason, form: YesNo::question() }, effects)
}

impl Layer for State {
    fn guards_exit(&self) -> bool {
        true
    }

    fn context(&self) -> Context {
        Context::Dialog
    }

    /// Once the sweep has ended it is another question.
    fn question(&self, shell: &Shell) -> (Context, usize) {
        (Context::Dialog, usize::from(shell.sweeps()))
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let Input::Key(key) = input else { return Vec::new() };
        if shell.leaving.is_some() {
            let quits =
                || shell.keymap.lookup(ScreenId::Keys.context(), key.event, false) == Some(Action::Quit);
            match key.action {
                // Whoever insists gets out; the loop's end still waits for the letter, with the terminal given back.
                Some(Action::Interrupt) => shell.quit(self.reason.clone()),
                None if !shell.sweeps() && quits() => shell.quit(self.reason.clone()),
                Some(Action::No) => {
                    shell.leaving = None;
                    shell.close();
                }
                _ => {}
            }
            return Vec::new();
        }
        // The second Ctrl-C is a yes.
        if key.action == Some(Action::Interrupt) {
            return if key.hurried { Vec::new() } else { self.leave(shell) };
        }
        match self.form.press(key, &[], false) {
            Pressed::Close => shell.close(),
            Pressed::Go => return self.leave(shell),
            _ => {}
        }
        Vec::new()
    }

    fn timer(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if shell.leaving.is_some() && !shell.sweeps() {
            shell.quit(self.reason.clone());
        }
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, 60, 12);
        if let (Some(_), false, [(_, change), others @ ..]) =
            (&shell.leaving, shell.sweeps(), shell.unanswered.as_slice())
        {
            let and = if others.is_empty() { "" } else { " and more" };
            let [again, stay] = [Action::Interrupt, Action::No].map(|action| shell.keymap.key(action));
            let seconds = PATIENCE.as_secs();
            sheet.words(
                Role::Info,
                &format!("Waiting at most {seconds} s for the answer to: {}{and}.", change.what),
            );
            sheet.words(Role::Text, &format!("{again} leaves without it, {stay} stays."));
            sheet.draw(frame, "Leaving Keyrack", Role::DialogBorder);
            return;
        }
        let count = shell.sweep.as_ref().map(Sweeping::count).unwrap_or_default();
        if shell.leaving.is_some() {
            sheet.words(Role::Info, "It stops after the letter under way; then Keyrack quits…");
        } else if shell.sweeps() {
            let words = format!(
                "A sweep is running: {count} letters. It stops after the letter under way; the rest stays due, for the next sweep."
            );
            sheet.words(Role::Text, &words);
        } else {
            sheet.words(Role::Text, "The sweep has ended meanwhile.");
        }
        sheet.space();
        let yes = format!("Stop it and leave ({})", shell.keymap.key(Action::Yes));
        sheet.line(self.form.line(styles, Button::new(&yes), "No, stay"), true);
        sheet.draw(frame, "Leave Keyrack?", Role::DialogBorder);
    }
}

impl State {
    fn leave(&self, shell: &mut Shell) -> Vec<Effect> {
        if !shell.sweeps() {
            shell.quit(self.reason.clone());
            return Vec::new();
        }
        shell.leaving = Some(self.reason.clone());
        sweeping::stop(shell)
    }
}
