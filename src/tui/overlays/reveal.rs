//! The one time a secret is shown (VG-11, VA-06). It covers the whole screen, so that nothing stands beside the secret
//! when it is selected with the mouse.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::{Action, Context};
use crate::domain::Instant;
use crate::domain::audit;
use crate::domain::expiry::Overlap;
use crate::domain::key::{CLAIM_TIME, Key};
use crate::domain::secret::PlainKey;
use crate::domain::subjects::Subjects;
use crate::domain::text::{SafeText, hyphened};
use crate::service::{Created, RevokeKeys};
use crate::tui::effect::{CopyText, Effect, Reply, Request, RequestId, Timer, To};
use crate::tui::input::{self, Input};
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::Opening;
use crate::tui::receipts;
use crate::tui::shell::Shell;
use crate::tui::tracked::Deed;
use crate::tui::typed::Typed;
use crate::tui::view::times;
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::Wish;
use crate::tui::words::{ExitReason, Severity};

#[cfg(test)]
mod tests;
mod view;

/// A new key with its secret. The secret is shared with a copy or a file under way, never cloned, and wiped with the
/// last of them.
#[derive(Debug)]
pub struct State {
    number: u64,
    key: Key,
    secret: Arc<PlainKey>,
    /// A command that checks the key, without the secret in it.
    check: Option<SafeText>,
    /// The key that this one replaces, how long that one goes on working, and its own expiry.
    replaces: Option<(SafeText, Overlap, Option<Instant>)>,
    hidden: bool,
    /// The secret is copied, and not the command that checks it.
    copying: Option<RequestId>,
    /// Whether the secret reached a clipboard or a file.
    taken: bool,
    stage: Stage,
    path: TextField,
    said: Option<(Severity, SafeText)>,
    acknowledge: Wish,
    discard: Wish,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Show,
    /// Asking for the path of the file.
    Path,
    /// Asking whether to go without having copied or written the secret.
    Leave(Way),
    /// The acknowledgement, or the revocation, is under way.
    Closing,
    /// Asking whether to revoke the new key.
    Discard,
}

/// How one wants to go on from the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Close it, and leave the key unconfirmed.
    Leave,
    /// Leave Keyrack.
    Quit,
    /// The person says that they have it.
    Done,
}

/// Shows the secret. The mouse is left to the terminal, so that the secret can be selected.
pub fn open(
    shell: &mut Shell,
    number: u64,
    created: Created,
    replaces: Option<(SafeText, Overlap, Option<Instant>)>,
) -> Opened {
    let Created { key, secret, check } = created;
    let path = TextField::with(&file_name(&key));
    let state = State {
        number,
        key,
        secret: Arc::new(secret),
        check: check.map(SafeText::new),
        replaces,
        hidden: false,
        copying: None,
        taken: false,
        stage: Stage::Show,
        path,
        said: None,
        acknowledge: Wish::new(shell, number),
        discard: Wish::new(shell, number),
    };
    let tick = state.tick(shell);
    shell.toast = None;
    Opened::new(state, vec![Effect::Mouse(false), tick])
}

/// A file's name made of the key's: letters, digits and hyphens.
fn file_name(key: &Key) -> String {
    let name = hyphened(&key.name, 48);
    if name.is_empty() { "secret.key".into() } else { format!("{name}.key") }
}

impl State {
    /// Rings when the minutes that are left change.
    fn tick(&self, shell: &Shell) -> Effect {
        let left = (self.key.created_at + CLAIM_TIME - shell.now).num_milliseconds().max(0);
        let after = u64::try_from(left % 60_000 + 50).unwrap_or(60_000);
        Effect::SetTimer {
            timer: Timer::Of(To::Overlay(self.number)),
            after: Duration::from_millis(after.max(1000)),
        }
    }

    fn say(&mut self, severity: Severity, words: impl Into<SafeText>) {
        self.said = Some((severity, words.into()));
    }

    fn press(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        // What is typed faster than a person types was not meant for here.
        if key.hurried {
            return Vec::new();
        }
        match key.action {
            Some(Action::CopySecret) => {
                let copy = Request::Copy(CopyText::Secret(self.secret.clone()));
                let (id, effect) = shell.ask(To::Overlay(self.number), copy);
                self.copying = Some(id);
                return vec![effect];
            }
            Some(Action::WriteSecret) => {
                self.stage = Stage::Path;
                self.said = None;
            }
            Some(Action::CopyCheck) => match self.check.clone() {
                Some(check) => return self.ask(shell, Request::Copy(CopyText::Check(check))),
                None => self.say(Severity::Info, "this issuer's policy defines no request that checks a key"),
            },
            Some(Action::HideSecret) => self.hidden = !self.hidden,
            Some(Action::Discard) => self.stage = Stage::Discard,
            Some(Action::LeaveReveal | Action::Done) if self.taken => {
                return if key.confirms() { self.done(shell) } else { Vec::new() };
            }
            Some(Action::LeaveReveal) => self.stage = Stage::Leave(Way::Leave),
            Some(Action::Done) => self.stage = Stage::Leave(Way::Done),
            _ => {}
        }
        Vec::new()
    }

    /// Asks for something whose answer is only shown.
    fn ask(&self, shell: &mut Shell, request: Request) -> Vec<Effect> {
        vec![shell.ask(To::Overlay(self.number), request).1]
    }

    fn done(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let key = self.key.id;
        self.stage = Stage::Closing;
        self.say(Severity::Info, "telling the database that the secret is confirmed…");
        self.acknowledge.send(shell, |operation| Request::Acknowledge { operation, key })
    }

    fn press_path(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        match key.action {
            Some(Action::Accept) if key.confirms() => {
                let path = self.path.value().trim().to_owned();
                if path.is_empty() {
                    return Vec::new();
                }
                self.stage = Stage::Show;
                let secret = self.secret.clone();
                return self.ask(shell, Request::WriteSecret { path: PathBuf::from(path), secret });
            }
            Some(Action::CancelPrompt) => self.stage = Stage::Show,
            Some(Action::ClearLine) => self.path.clear(),
            _ => {
                self.path.key(key.event);
            }
        }
        Vec::new()
    }

    fn press_leave(&mut self, shell: &mut Shell, key: input::Key, way: Way) -> Vec<Effect> {
        match key.action {
            Some(Action::Yes) if key.confirms() => {
                match way {
                    Way::Leave => {}
                    Way::Done => return self.done(shell),
                    Way::Quit => {
                        shell.open(Opening::Leave(ExitReason::Interrupted));
                        return Vec::new();
                    }
                }
                let ends = times::exact(self.key.created_at + CLAIM_TIME, shell.utc);
                let name = &self.key.name;
                let words = format!(
                    "the secret of {name} was not confirmed; unless the key is used, it expires at {ends}"
                );
                shell.toast(Severity::Warning, words);
                return self.close(shell);
            }
            Some(Action::No | Action::PressButton) => self.stage = Stage::Show,
            Some(Action::Discard) if !key.hurried => self.stage = Stage::Discard,
            _ => {}
        }
        Vec::new()
    }

    fn press_discard(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        match key.action {
            Some(Action::Yes) if key.confirms() => {
                let reason = Some("discarded at its reveal".to_owned());
                let request = RevokeKeys { keys: vec![self.key.id], reason, ..RevokeKeys::default() };
                self.stage = Stage::Closing;
                self.say(Severity::Info, "revoking it…");
                return self
                    .discard
                    .send(shell, |operation| Request::Revoke { operation, request: request.clone() });
            }
            Some(Action::No | Action::PressButton) => self.stage = Stage::Show,
            _ => {}
        }
        Vec::new()
    }

    fn close(&self, shell: &mut Shell) -> Vec<Effect> {
        shell.close();
        shell.changed(Subjects::of(audit::Action::KeyAcknowledge));
        vec![Effect::Mouse(shell.mouse)]
    }

    fn acknowledged(&mut self, shell: &mut Shell, key: &Key) -> Vec<Effect> {
        let name = &key.name;
        let words = match &self.replaces {
            None => format!("{name} is confirmed"),
            Some((old, Overlap::None, _)) => format!("{name} replaces {old}, which is revoked now"),
            Some((old, overlap, own)) => {
                let end = times::exact(overlap.end(*own, shell.now), shell.utc);
                format!("{name} replaces {old}, which keeps working until {end}")
            }
        };
        shell.toast(Severity::Good, words.clone());
        let mut effects = self.close(shell);
        if let (Some((_, Overlap::None, _)), Some(old)) = (&self.replaces, key.predecessor) {
            // Told in the last line, where gates run.
            effects.push(receipts::begin(shell, Deed::Revoked, words, vec![old]).1);
        }
        effects
    }

    /// It did not come to an end: back to the secret, with the reason.
    fn stays(&mut self, why: SafeText) -> Vec<Effect> {
        self.stage = Stage::Show;
        self.say(Severity::Bad, why);
        Vec::new()
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        match self.stage {
            Stage::Show | Stage::Closing => Context::Reveal,
            Stage::Path => Context::Prompt,
            Stage::Leave(_) => Context::Leaving,
            Stage::Discard => Context::Dialog,
        }
    }

    fn answers(&self, action: Action) -> bool {
        matches!(action, Action::Yes | Action::Done | Action::LeaveReveal | Action::Accept)
    }

    /// Ctrl-C asks first, as long as the secret is nowhere else.
    fn guards_exit(&self) -> bool {
        !self.taken && !matches!(self.stage, Stage::Leave(Way::Quit))
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let key = match input {
            Input::Key(key) => key,
            Input::Paste(pasted) if self.stage == Stage::Path => {
                self.path.paste(&pasted.line());
                return Vec::new();
            }
            _ => return Vec::new(),
        };
        if key.action == Some(Action::Interrupt) {
            // The second one is the answer; `guards_exit` lets it through before it comes here.
            self.stage = Stage::Leave(Way::Quit);
            return Vec::new();
        }
        match self.stage {
            Stage::Show => self.press(shell, key),
            Stage::Path => self.press_path(shell, key),
            Stage::Leave(way) => self.press_leave(shell, key, way),
            Stage::Discard => self.press_discard(shell, key),
            Stage::Closing => Vec::new(),
        }
    }

    fn timer(&mut self, shell: &mut Shell) -> Vec<Effect> {
        vec![self.tick(shell)]
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        match reply {
            Reply::Copy(outcome) => {
                self.taken |= outcome.reached && self.copying == Some(id);
                let severity = if outcome.reached { Severity::Good } else { Severity::Warning };
                self.say(severity, outcome.words);
            }
            Reply::WriteSecret(Ok(path)) => {
                self.taken = true;
                self.say(Severity::Good, format!("written to {} (mode 0600)", path.display()));
            }
            Reply::WriteSecret(Err(failure)) => self.say(Severity::Bad, failure.text),
            reply if self.acknowledge.awaits(id) => {
                let settled = self.acknowledge.settle(shell, id, reply, Reply::try_as_acknowledge);
                return match settled {
                    Some(Ok(key)) => self.acknowledged(shell, &key),
                    Some(Err(failure)) => self.stays(failure.text),
                    None => Vec::new(),
                };
            }
            reply => {
                let settled = self.discard.settle(shell, id, reply, Reply::try_as_revoke);
                return match settled {
                    Some(Ok(revoked)) => {
                        let effects = self.close(shell);
                        shell.open(Opening::Revoked(revoked));
                        effects
                    }
                    Some(Err(failure)) => self.stays(failure.text),
                    None => Vec::new(),
                };
            }
        }
        Vec::new()
    }

    fn typed(&self, shell: &Shell) -> Option<Typed> {
        Typed::of(&Request::Acknowledge { operation: self.key.id, key: self.key.id }, shell)
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.paint(shell, frame, area);
    }
}
