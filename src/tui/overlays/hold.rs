//! Holding all keys that a filter fits, or the making of keys, for a while; and lifting what is held (KR-05).

use crossterm::event::KeyCode;
use ratatui::Frame;
use ratatui::layout::Rect;

use super::how_long::{SPANS, USUAL};
use crate::config::keymap::{Action, Context};
use crate::domain::audit;
use crate::domain::hold::{Hold, HoldKind};
use crate::domain::key::OperationId;
use crate::domain::operator::Permission;
use crate::domain::query::Query;
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;
use crate::service::{Count, Field};
use crate::tui::effect::{Effect, Failure, FailureKind, Reply, RequestId};
use crate::tui::form::{Form, Pressed};
use crate::tui::input::{self, Input};
use crate::tui::latest::Latest;
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::Opening;
use crate::tui::receipts;
use crate::tui::shell::Shell;
use crate::tui::tracked::Deed;
use crate::tui::typed::Typed;
use crate::tui::undo::Undo;
use crate::tui::view::times;
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::{Asking, Wish};
use crate::tui::words::Severity;

#[cfg(test)]
mod tests;
mod view;
mod wanted;

/// What is to be held, for how long, and what it fits now.
#[derive(Debug)]
pub struct State {
    number: u64,
    what: What,
    /// A filter of keys; whose keys can't be made.
    of: TextField,
    /// One of [`SPANS`]; `None`: as is written in `other`.
    span: Option<usize>,
    other: TextField,
    message: TextField,
    reason: TextField,
    /// The number of keys, typed, where the filter fits several.
    number_typed: TextField,
    form: Form<Focus>,
    wish: Wish,
    counting: Latest,
    /// The filter that was counted last, and how many keys it fits once that is known.
    fits: Option<(Query, Option<Count>)>,
    amiss: Option<SafeText>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Freeze,
    Stop,
    /// The hold with this number.
    Lift(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    What,
    Of,
    Span,
    Other,
    Message,
    Reason,
    Number,
}

/// Asks what to hold, offering the filter `of`; or whether to lift the hold of this number.
pub fn open(shell: &mut Shell, number: u64, of: &str, lift: Option<i64>) -> Opened {
    if !shell.refuse_unless(Permission::ChangeHolds, "freeze keys or stop their creation") {
        return Opened::refused();
    }
    let mut state = State {
        number,
        what: lift.map_or(What::Freeze, What::Lift),
        of: TextField::with(of),
        span: Some(USUAL),
        other: TextField::default(),
        message: TextField::default(),
        reason: TextField::default(),
        number_typed: TextField::default(),
        form: Form::question(),
        wish: Wish::new(shell, number),
        counting: Latest::default(),
        fits: None,
        amiss: None,
    };
    state.form.go_to(Focus::What);
    let effects = state.count(shell, false);
    Opened::new(state, effects)
}

impl State {
    /// What can be chosen: both kinds, and each hold that can be lifted.
    fn offered(&self, shell: &Shell) -> Vec<What> {
        let holds = shell.holds.iter().filter(|hold| hold.holds(shell.now)).map(|hold| What::Lift(hold.n));
        let mut offered = vec![What::Freeze, What::Stop];
        offered.extend(holds);
        if !offered.contains(&self.what) {
            offered.push(self.what);
        }
        offered
    }

    fn lifted<'s>(&self, shell: &'s Shell) -> Option<&'s Hold> {
        let What::Lift(n) = self.what else { return None };
        shell.holds.iter().find(|hold| hold.n == n)
    }

    fn fields(&self) -> Vec<Focus> {
        let mut fields = vec![Focus::What];
        if matches!(self.what, What::Lift(_)) {
            return fields;
        }
        fields.extend([Focus::Of, Focus::Span]);
        if self.span.is_none() {
            fields.push(Focus::Other);
        }
        fields.extend([Focus::Message, Focus::Reason]);
        if self.to_type().is_some() {
            fields.push(Focus::Number);
        }
        fields
    }

    fn field(&mut self) -> Option<&mut TextField> {
        Some(match self.form.field()? {
            Focus::Of => &mut self.of,
            Focus::Other => &mut self.other,
            Focus::Message => &mut self.message,
            Focus::Reason => &mut self.reason,
            Focus::Number => &mut self.number_typed,
            Focus::What | Focus::Span => return None,
        })
    }

    /// Something was written or chosen.
    fn edited(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.amiss = None;
        if self.form.on(Focus::Number) {
            return Vec::new();
        }
        self.wish.edited();
        self.count(shell, false)
    }

    fn send(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if !matches!(self.what, What::Lift(_)) {
            let untyped =
                self.to_type().filter(|number| self.number_typed.value().trim() != number.to_string());
            let target = self.target(shell).err();
            let counting = self.fits.as_ref().is_some_and(|(_, count)| count.is_none());
            let wrong = [
                (target.is_some(), Focus::Of),
                (self.lasting(shell).is_err(), Focus::Other),
                (self.text_error(Focus::Message).is_some(), Focus::Message),
                (self.text_error(Focus::Reason).is_some(), Focus::Reason),
                (untyped.is_some(), Focus::Number),
            ];
            if let Some((_, at)) = wrong.into_iter().find(|(wrong, _)| *wrong) {
                self.form.go_to(at);
                let untyped = untyped.filter(|_| at == Focus::Number).map(|number| {
                    format!("type {number}: that many keys are refused immediately, and new ones too")
                });
                self.amiss = target.or(untyped).map(Into::into);
                return Vec::new();
            }
            if self.what == What::Freeze && counting {
                self.amiss = Some("Still counting the keys that match. Try again in a moment.".into());
                return Vec::new();
            }
        }
        self.amiss = None;
        self.send_wish(shell)
    }

    /// The database holds it. Gates are asked about keys; the making of keys is no matter of theirs.
    fn done(&mut self, shell: &mut Shell, hold: &Hold) -> Vec<Effect> {
        let lifted = matches!(self.what, What::Lift(_));
        let (what, action) = match (hold.kind, lifted) {
            (HoldKind::Freeze, false) => ("frozen", audit::Action::FreezeAdd),
            (HoldKind::Freeze, true) => ("not frozen any more", audit::Action::FreezeLift),
            (HoldKind::Creation, false) => ("stopped", audit::Action::CreationStop),
            (HoldKind::Creation, true) => ("allowed again", audit::Action::CreationAllow),
        };
        let target = hold.target();
        let of = match hold.kind {
            HoldKind::Freeze => target.clone(),
            HoldKind::Creation => format!("creation of keys ({target})"),
        };
        let until = times::exact(hold.pause.until, shell.utc);
        let until = if lifted { String::new() } else { format!(" until {until}") };
        shell.toast(Severity::Good, format!("{of}: {what}{until}"));
        if !lifted {
            let opening = Opening::Hold { of: String::new(), lift: Some(hold.n) };
            shell.undo.push(Undo::Open(format!("holding {target}"), Box::new(opening)));
        }
        shell.close();
        shell.changed(Subjects::of(action));
        if hold.kind == HoldKind::Creation {
            return Vec::new();
        }
        let deed = if lifted { Deed::Resumed } else { Deed::Paused };
        vec![receipts::begin(shell, deed, of, Vec::new()).1]
    }

    fn refused(&mut self, failure: &Failure) {
        match failure.kind {
            FailureKind::Field(Field::Filter | Field::Account) => self.form.go_to(Focus::Of),
            FailureKind::Field(Field::Until) => {
                self.form.go_to(if self.span.is_none() { Focus::Other } else { Focus::Span });
            }
            FailureKind::Field(Field::Message) => self.form.go_to(Focus::Message),
            FailureKind::Field(Field::Reason) => self.form.go_to(Focus::Reason),
            _ => {}
        }
    }

    /// Another choice of the field that the cursor is in.
    fn choose(&mut self, shell: &mut Shell, by: isize) -> Vec<Effect> {
        if self.form.on(Focus::What) {
            let offered = self.offered(shell);
            let at = offered.iter().position(|what| *what == self.what).unwrap_or(0);
            let at = at.saturating_add_signed(by).min(offered.len() - 1);
            self.what = offered[at];
        } else {
            let at = self.span.unwrap_or(SPANS.len()).saturating_add_signed(by);
            self.span = Some(at).filter(|at| *at < SPANS.len());
        }
        self.edited(shell)
    }

    fn press(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        let sideways = match key.event.code {
            KeyCode::Left => -1,
            KeyCode::Right => 1,
            _ => 0,
        };
        let chooses = self.form.on(Focus::What) || self.form.on(Focus::Span);
        if chooses && sideways != 0 && matches!(key.action, Some(Action::NextButton | Action::PreviousButton))
        {
            return self.choose(shell, sideways);
        }
        if self.form.on(Focus::Number) && key.action == Some(Action::Press) && !key.hurried {
            return if key.unread { Vec::new() } else { self.send(shell) };
        }
        let fields = self.fields();
        match self.form.press(key, &fields, self.typing()) {
            Pressed::Close => shell.close(),
            Pressed::Go => return self.send(shell),
            // Digits faster than a person types them are no answer.
            Pressed::Text(event)
                if !(key.hurried && self.form.on(Focus::Number))
                    && self.field().is_some_and(|field| field.key(event)) =>
            {
                return self.edited(shell);
            }
            _ => {}
        }
        Vec::new()
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        if self.typing() { Context::Form } else { Context::Dialog }
    }

    fn typing(&self) -> bool {
        !self.form.on_button() && !self.form.on(Focus::What) && !self.form.on(Focus::Span)
    }

    fn answers(&self, action: Action) -> bool {
        let answer = matches!(action, Action::Yes | Action::Submit);
        let pressed = matches!(action, Action::Press | Action::PressButton);
        answer || pressed && (self.form.on_button() || self.form.on(Focus::Number))
    }

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    fn asking(&self, shell: &Shell) -> Option<Asking> {
        self.ask(shell)
    }

    fn changed(&mut self, shell: &mut Shell, subjects: Subjects) -> Vec<Effect> {
        let counts = subjects.meet(Subjects::KEYS) && !self.wish.under_way();
        if counts { self.count(shell, true) } else { Vec::new() }
    }

    /// The same on every field and button.
    fn question(&self, _: &Shell) -> (Context, usize) {
        (Context::Dialog, 0)
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.wish.under_way() {
            return Vec::new();
        }
        match input {
            // A text may be pasted; an answer may not.
            Input::Paste(pasted) if !self.form.on(Focus::Number) => {
                match self.field().is_some_and(|field| field.paste(&pasted.line())) {
                    true => self.edited(shell),
                    false => Vec::new(),
                }
            }
            Input::Key(key) => self.press(shell, key),
            _ => Vec::new(),
        }
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if let Reply::Count(outcome) = reply {
            let Some(settled) = self.counting.settle(shell, id) else { return Vec::new() };
            if let (true, Ok(count), Some((_, fits))) = (settled.newest, outcome, &mut self.fits) {
                // Another number is another question.
                if fits.replace(count).is_some_and(|before| before != count) {
                    self.number_typed.clear();
                    self.wish.changed();
                }
            }
            return settled.next.into_iter().collect();
        }
        match self.wish.settle(shell, id, reply, Reply::try_as_hold) {
            Some(Ok(hold)) => self.done(shell, &hold),
            Some(Err(failure)) => {
                self.refused(&failure);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn typed(&self, shell: &Shell) -> Option<Typed> {
        let sent = self.ask(shell).and_then(|ask| Typed::of(&ask(OperationId::nil()), shell));
        Some(sent.unwrap_or_else(|| Typed::new("freeze list")))
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.paint(shell, frame, area);
    }
}
