//! Replacing a key: how long shall the old one go on working?

use crossterm::event::KeyCode;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::audit;
use crate::domain::expiry::Overlap;
use crate::domain::key::{Key, Status};
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::tui::effect::{Effect, Reply, Request, RequestId, To};
use crate::tui::input::{Input, Key as Press};
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::{Made, Opening};
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::view::{key_facts, times};
use crate::tui::widgets::sheet::Sheet;
use crate::tui::widgets::text_field::TextField;
use crate::tui::widgets::{choice, fit, picker};
use crate::tui::wish::{Asking, Wish};
use crate::tui::words::Severity;

pub mod each;
pub mod many;
#[cfg(test)]
mod tests;

/// The key to be replaced and the chosen overlap.
#[derive(Debug)]
pub struct State {
    key: Key,
    choices: Vec<Overlap>,
    at: usize,
    /// When the replacement expires, if that is said.
    expiry: TextField,
    /// Whether the cursor stands there, and not on the overlap.
    writing: bool,
    number: u64,
    /// The key is read once more, for something has changed.
    news: Option<RequestId>,
    wish: Wish,
}

/// Asks for the overlap. The policy may leave only one choice: none.
pub fn open(shell: &mut Shell, number: u64, key: Key) -> Opened {
    if !shell.refuse_unless(Permission::ChangeKeys, "rotate keys") {
        return Opened::refused();
    }
    let status = key.status(shell.now);
    if !matches!(status, Status::Active | Status::Planned | Status::Paused | Status::Refused) {
        let words = match status {
            Status::Suspended => format!("Account {} is suspended: reinstate it first", key.account),
            _ => format!("{} is {}: create a new one in its place", key.name, status.as_str()),
        };
        shell.toast(Severity::Warning, words);
        return Opened::refused();
    }
    let overlap = shell.issuer(&key.issuer).is_none_or(|issuer| issuer.policy.rotation.overlap);
    let choices = if overlap { Overlap::ALL.to_vec() } else { vec![Overlap::None] };
    let at = choices.iter().position(|choice| *choice == Overlap::Hours24).unwrap_or(0);
    let wish = Wish::new(shell, number);
    let (expiry, writing) = (TextField::default(), false);
    Opened::new(State { key, choices, at, expiry, writing, number, news: None, wish }, Vec::new())
}

impl Layer for State {
    fn context(&self) -> Context {
        if self.writing { Context::Form } else { Context::Dialog }
    }

    fn typing(&self) -> bool {
        self.writing
    }

    /// The same on both fields.
    fn question(&self, _: &Shell) -> (Context, usize) {
        (Context::Dialog, 0)
    }

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    fn asking(&self, shell: &Shell) -> Option<Asking> {
        let (key, overlap) = (self.key.id, self.choices[self.at]);
        let expiry = many::read(self.expiry.value(), Some(&self.key), shell).ok()?;
        Some(Box::new(move |operation| Request::Rotate { operation, key, overlap, expiry }))
    }

    fn changed(&mut self, shell: &mut Shell, _: Subjects) -> Vec<Effect> {
        let (id, effect) = shell.ask(To::Overlay(self.number), Request::Key(self.key.id));
        self.news = Some(id);
        vec![effect]
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.wish.under_way() {
            return Vec::new();
        }
        let key = match input {
            Input::Key(key) => key,
            Input::Paste(pasted) if self.writing => {
                self.expiry.paste(&pasted.line());
                self.wish.edited();
                return Vec::new();
            }
            _ => return Vec::new(),
        };
        if self.writing {
            return self.write(shell, key);
        }
        match key.action {
            // Up and down lead from field to field, left and right through the choices.
            Some(Action::NextButton | Action::PreviousButton)
                if !matches!(key.event.code, KeyCode::Left | KeyCode::Right) =>
            {
                self.writing = true;
            }
            Some(Action::No | Action::Interrupt) => shell.close(),
            Some(action @ (Action::NextButton | Action::PreviousButton)) => {
                self.at = picker::step(
                    self.at,
                    if action == Action::NextButton { 1 } else { -1 },
                    self.choices.len(),
                );
                self.wish.edited();
            }
            Some(Action::Yes) if key.confirms() => return self.send_wish(shell),
            _ => {}
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if self.news == Some(id) {
            if let Reply::Key(Ok(key)) = reply
                && self.key != *key
            {
                self.key = *key;
                self.wish.changed();
            }
            return Vec::new();
        }
        let settled = self.wish.settle(shell, id, reply, Reply::try_as_rotate);
        if let Some(Ok(created)) = settled {
            shell.close();
            shell.changed(Subjects::of(audit::Action::KeyRotate));
            shell.made(Made::Key(created.key.id));
            let replaces = Some((self.key.name.clone(), self.choices[self.at], self.key.expires_at));
            shell.open(Opening::Reveal { created, replaces });
        }
        Vec::new()
    }

    fn typed(&self, _: &Shell) -> Option<Typed> {
        Some(Typed::new("key rotate").word(self.key.id.to_string()))
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, 72, 11);
        sheet.facts(&key_facts::of(shell, &self.key));
        sheet.space();
        sheet.words(
            Role::Text,
            "A replacement with the same name, scopes and allow-list is created first. This key does not change until you confirm the new secret.",
        );
        sheet.space();
        let words: Vec<&str> = self.choices.iter().map(|choice| words(*choice)).collect();
        let lines = choice::lines(styles, &words, self.at, true, sheet.field_columns());
        sheet.lines("Overlap", lines, Some(0));
        if self.choices.len() == 1 {
            sheet.note(Role::Warning, "this issuer's policy allows no overlap");
        }
        sheet.note(Role::Muted, &self.end(shell));
        let chosen = many::read(self.expiry.value(), Some(&self.key), shell);
        let wrong = chosen.as_ref().err().map(String::as_str).filter(|_| !self.writing);
        let hint = "as now; or 90d, 1y, never, 2027-01-31";
        sheet.text("Expires", &self.expiry, self.writing, hint, wrong);
        if let Ok(Some(expiry)) = chosen {
            let at = expiry.instant(shell.now).map(|at| times::exact(at, shell.utc));
            let words = at.map_or("never expires".into(), |at| format!("expires on {at}"));
            sheet.note(Role::Muted, &format!("The new key {words}."));
        } else if self.key.successor.is_none() {
            sheet.note(Role::Muted, &self.usual_expiry(shell));
        }
        sheet.failure(self.wish.failure());
        sheet.space();
        let (yes, no) = (shell.keymap.key(Action::Yes), shell.keymap.key(Action::No));
        if self.wish.under_way() {
            sheet.line(Line::styled("making the replacement…", styles.of(Role::Info)), true);
        } else {
            sheet.keys(&[
                (&yes, "make the replacement"),
                ("← →", "overlap"),
                ("↓", "expiry"),
                (&no, "leave it"),
            ]);
        }
        let title = format!("Rotate {}", fit::cut(&self.key.name, 50));
        sheet.draw(frame, &title, Role::DialogBorder);
    }
}

impl State {
    /// A key in the field of the expiry.
    fn write(&mut self, shell: &mut Shell, key: Press) -> Vec<Effect> {
        match key.action {
            Some(Action::CloseForm | Action::Interrupt) => shell.close(),
            Some(Action::Submit) if key.confirms() => return self.send_wish(shell),
            Some(
                Action::NextField
                | Action::PreviousField
                | Action::FieldUp
                | Action::FieldDown
                | Action::Press,
            ) => self.writing = false,
            _ if self.expiry.key(key.event) => self.wish.edited(),
            _ => {}
        }
        Vec::new()
    }

    /// When the old key ends if the successor is taken over now.
    fn end(&self, shell: &Shell) -> String {
        let overlap = self.choices[self.at];
        if overlap == Overlap::None {
            return "The old key stops working as soon as you confirm the new secret (Done).".into();
        }
        let at = times::exact(overlap.end(self.key.stops_at(), shell.now), shell.utc);
        format!("The old key keeps working until about {at}, counted from Done.")
    }

    /// When the replacement expires, by the policy as it is now.
    fn usual_expiry(&self, shell: &Shell) -> String {
        let life = self.key.expires_at.map(|end| end - self.key.created_at);
        let allowed = shell.issuer(&self.key.issuer).map_or(life, |it| it.policy.expiry.renewed(life));
        let why = if allowed == life { "" } else { ", which is what the policy allows now" };
        match allowed {
            None => format!("The new key never expires{why}."),
            Some(life) => {
                format!("The new key expires on {}{why}.", times::exact(shell.now + life, shell.utc))
            }
        }
    }
}

fn words(overlap: Overlap) -> &'static str {
    match overlap {
        Overlap::None => "none",
        Overlap::Minutes15 => "15 min",
        Overlap::Hour1 => "1 hour",
        Overlap::Hours24 => "24 hours",
        Overlap::Days7 => "7 days",
    }
}
