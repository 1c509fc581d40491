//! A sweep: first exactly what would be sent to whom, then the question, then how it goes on. It goes on when this is
//! closed, and opening it again shows it again.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::{Action, Context};
use crate::domain::text::SafeText;
use crate::service::SweepPreview;
use crate::tui::effect::{Effect, Reply, Request, RequestId, To};
use crate::tui::form::{Pressed, YesNo};
use crate::tui::input::{Input, Key};
use crate::tui::layer::{Layer, Opened};
use crate::tui::shell::Shell;
use crate::tui::sweep_state::{MAY_SWEEP, Sweeping};
use crate::tui::sweeping;
use crate::tui::typed::Typed;
use crate::tui::view::times;
use crate::tui::widgets::scroll;
use crate::tui::words::Severity;

#[cfg(test)]
mod tests;
mod view;

/// Letters that are shown in full before one sends.
const SHOWN: u32 = 200;

/// Where one is, from reading to watching.
#[derive(Debug)]
pub struct State {
    number: u64,
    step: Step,
    /// The first line shown of what is longer than the screen.
    top: usize,
    asked: Option<RequestId>,
}

#[derive(Debug)]
enum Step {
    Reading,
    /// It could not be read; why.
    Unread(SafeText),
    Preview(Box<SweepPreview>),
    /// Send it?
    Ask(Box<SweepPreview>, YesNo),
    /// The console's own sweep, whether it goes on or has ended.
    Watch,
}

/// Shows the sweep that goes on, or what one would send.
pub fn open(shell: &mut Shell, number: u64) -> Opened {
    let mut state = State { number, step: Step::Watch, top: 0, asked: None };
    let effects = if shell.sweeps() { Vec::new() } else { state.read(shell) };
    Opened::new(state, effects)
}

impl State {
    fn read(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let (id, effect) = shell.ask(To::Overlay(self.number), Request::PreviewSweep(SHOWN));
        self.asked = Some(id);
        self.step = Step::Reading;
        self.top = 0;
        vec![effect, shell.ask(To::Shell, Request::Post).1]
    }

    /// What would be sent, if there is something and the person may.
    fn sendable(&self, shell: &Shell) -> Option<&SweepPreview> {
        let able = shell.may(MAY_SWEEP) && !matches!(shell.post, Some(Err(_)));
        match &self.step {
            Step::Preview(preview) if preview.letters_in_all > 0 && able => Some(preview),
            _ => None,
        }
    }

    fn press(&mut self, shell: &mut Shell, key: Key) -> Vec<Effect> {
        if let Some(by) = scroll::step(key.action) {
            self.scroll(shell, by);
            return Vec::new();
        }
        match key.action {
            Some(Action::CloseSweep) => shell.close(),
            Some(Action::StopSweep) if !key.hurried => return sweeping::stop(shell),
            Some(Action::SendLetters) if !key.hurried => return self.go_on(shell),
            _ => {
                let Step::Ask(_, form) = &mut self.step else { return Vec::new() };
                match form.press(key, &[], false) {
                    Pressed::Close => self.back(),
                    Pressed::Go => return self.send(shell),
                    _ => {}
                }
            }
        }
        Vec::new()
    }

    /// Enter: from what would be sent to the question, from what can't be sent and from a summary out.
    fn go_on(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if let Some(preview) = self.sendable(shell) {
            let age = shell.now - preview.now;
            if age > chrono::Duration::minutes(5) {
                let words = format!(
                    "what is due was read {} and is being read again",
                    times::ago(preview.now, shell.now)
                );
                shell.toast(Severity::Info, words);
                return self.read(shell);
            }
            if let Step::Preview(preview) = std::mem::replace(&mut self.step, Step::Reading) {
                self.step = Step::Ask(preview, YesNo::question());
            }
            return Vec::new();
        }
        let waits = match self.step {
            Step::Reading => true,
            Step::Watch => shell.sweeps(),
            _ => false,
        };
        if !waits {
            shell.close();
        }
        Vec::new()
    }

    /// No: back to what would be sent.
    fn back(&mut self) {
        if let Step::Ask(preview, _) = std::mem::replace(&mut self.step, Step::Reading) {
            self.step = Step::Preview(preview);
        }
    }

    fn send(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.step = Step::Watch;
        self.top = 0;
        sweeping::start(shell)
    }

    fn scroll(&mut self, shell: &Shell, by: isize) {
        let most = self.most(shell);
        self.top = self.top.min(most).saturating_add_signed(by).min(most);
    }

    fn watched<'s>(&self, shell: &'s Shell) -> Option<&'s Sweeping> {
        shell.sweep.as_ref().filter(|_| matches!(self.step, Step::Watch))
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        match self.step {
            Step::Reading | Step::Unread(_) | Step::Preview(_) => Context::Preview,
            Step::Ask(..) => Context::Dialog,
            Step::Watch => Context::Sweeping,
        }
    }

    /// Where the letters go is read beside the preview, and may be said later.
    fn question(&self, shell: &Shell) -> (Context, usize) {
        let post = shell.post.as_ref().map_or(0, |post| if post.is_ok() { 1 } else { 2 });
        (self.context(), post)
    }

    fn label(&self, shell: &Shell, action: Action, label: &'static str) -> Option<Cow<'static, str>> {
        let running = matches!(self.step, Step::Watch) && shell.sweeps();
        let stopping = shell.sweep.as_ref().is_some_and(|sweep| sweep.stopping);
        match action {
            Action::SendLetters => self.sendable(shell).is_some().then(|| label.into()),
            Action::StopSweep => (running && !stopping).then(|| label.into()),
            Action::CloseSweep if running => Some("leave it running".into()),
            _ => Some(label.into()),
        }
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        match input {
            Input::Scroll { lines, .. } => self.scroll(shell, lines as isize),
            Input::Key(key) => return self.press(shell, key),
            Input::Paste(_) | Input::Click(_) => {}
        }
        Vec::new()
    }

    fn reply(&mut self, _: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if self.asked != Some(id) {
            return Vec::new();
        }
        let Reply::PreviewSweep(result) = reply else { return Vec::new() };
        self.asked = None;
        self.step = match result {
            Ok(preview) => Step::Preview(preview),
            Err(failure) => Step::Unread(failure.text),
        };
        Vec::new()
    }

    fn typed(&self, _: &Shell) -> Option<Typed> {
        Some(Typed::new("reminders sweep --dry-run"))
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.paint(shell, frame, area);
    }
}
