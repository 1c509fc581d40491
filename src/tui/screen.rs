//! What every screen can do, with what most of them do as the default.

use std::any::Any;
use std::borrow::Cow;
use std::fmt::Debug;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::effect::{Effect, Reply, RequestId, Timer};
use super::input::Input;
use super::listing::{Rows, Taken};
use super::opening::Made;
use super::shell::Shell;
use super::typed::Typed;
use super::view::room::body;
use super::views::View;
use super::widgets::list;
use crate::config::keymap::{Action, Context};
use crate::domain::operator::Permission;
use crate::domain::query::Sort;
use crate::domain::subjects::Subjects;

/// Says that a screen's list is its field `rows`.
macro_rules! its_rows {
    () => {
        fn list(&self) -> &dyn Rows {
            &self.rows
        }

        fn list_mut(&mut self) -> &mut dyn Rows {
            &mut self.rows
        }
    };
}
pub(super) use its_rows;

/// One of the screens, shown or not.
pub trait Screen: Any + Debug {
    /// Its list.
    fn list(&self) -> &dyn Rows;

    fn list_mut(&mut self) -> &mut dyn Rows;

    /// Where its list is on the screen, with the heading.
    fn place(&self, shell: &Shell) -> Rect {
        list::list_area(body(shell))
    }

    /// How many rows of it are shown.
    fn page(&self, shell: &Shell) -> usize {
        list::page(self.place(shell))
    }

    /// Which bindings hold.
    fn context(&self) -> Context {
        self.list().context()
    }

    /// It is shown from now on.
    fn enter(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.changed(shell, Subjects::ALL)
    }

    /// Something of these kinds changed in the database: what it shows of them has to be read again.
    fn changed(&mut self, shell: &mut Shell, touched: Subjects) -> Vec<Effect> {
        let page = self.page(shell);
        self.list_mut().changed(shell, touched, page)
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let place = self.place(shell);
        match self.list_mut().gesture(shell, input, place) {
            Taken::Done(effects) => effects,
            Taken::Left(action) => self.act(shell, action),
        }
    }

    /// An action that is not the list's.
    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect>;

    /// The answer to something that it asked for.
    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        let page = self.page(shell);
        self.list_mut().reply(shell, id, reply, page).map_or_else(Vec::new, |came| came.effects)
    }

    /// A timer has run out: its own, or one for whatever is shown.
    fn timer(&mut self, _: &mut Shell, _: Timer) -> Vec<Effect> {
        Vec::new()
    }

    /// Other rows shall be shown, once it is entered. `stay`: the cursor stays on its row, where that is one of them.
    fn filter(&mut self, shell: &mut Shell, text: &str, stay: bool) {
        self.list_mut().filter(text, shell.here(), stay);
    }

    /// Opens a tab by its number.
    fn open_tab(&mut self, _: &mut Shell, _: usize) -> Vec<Effect> {
        Vec::new()
    }

    /// Whether one step back closes something of its own. `filter`: whether clearing the filter counts.
    fn nearer(&self, filter: bool) -> bool {
        self.list().nearer(filter)
    }

    /// Writes down what it shows.
    fn view(&self, view: &mut View) {
        view.filter = self.list().filter_text().to_owned();
    }

    /// Shows this again, once it is entered, with the cursor on this row.
    fn show(&mut self, shell: &mut Shell, view: &View, row: Option<&dyn Any>) {
        let list = self.list_mut();
        if list.filter_text() != view.filter {
            list.filter(&view.filter, shell.here(), false);
        }
        list.stand(row);
    }

    /// Something new was made here: the cursor goes to it, where this is its list.
    fn made(&mut self, shell: &mut Shell, made: &Made) -> Vec<Effect> {
        self.list_mut().made(shell, made)
    }

    /// The rows shall stand in another order.
    fn sort(&mut self, _: &mut Shell, _: Sort) -> Vec<Effect> {
        Vec::new()
    }

    /// The command that shows the same.
    fn typed(&self, shell: &Shell) -> Option<Typed> {
        self.list().typed(shell)
    }

    /// The last line's word for an action here; `None` where it does nothing, or the role forbids it.
    fn label(&self, shell: &Shell, action: Action, label: &'static str) -> Option<Cow<'static, str>> {
        allowed(shell, action).then(|| label.into())
    }

    /// What stands at the right end of the header: how many there are.
    fn summary(&self, _: &Shell) -> String {
        String::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect);
}

/// Whether an action does something on most screens, and the operator's role permits it, as far as that is known.
pub fn allowed(shell: &Shell, action: Action) -> bool {
    let changes = matches!(
        action,
        Action::New
            | Action::NewLike
            | Action::EditKey
            | Action::Revoke
            | Action::Pause
            | Action::Resume
            | Action::Rotate
            | Action::Acknowledge
            | Action::TellAdmins
            | Action::CloseOverlap
            | Action::ExtendOverlap
    );
    let holds = action == Action::Freeze;
    let idle = matches!(action, Action::Back | Action::FocusDetail);
    let may = |permission| shell.who.is_none() || shell.may(permission);
    !idle && (!changes || may(Permission::ChangeKeys)) && (!holds || may(Permission::ChangeHolds))
}
