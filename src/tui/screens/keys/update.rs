//! What gestures change in the screen of keys.

use std::any::Any;
use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::state::State;
use super::table::{Table, account_at_hand};
use super::tabs::Tab;
use super::{columns, detail};
use crate::config::keymap::{Action, Context};
use crate::domain::query::Sort;
use crate::domain::subjects::Subjects;
use crate::domain::text::thousands;
use crate::service::Count;
use crate::tui::effect::{Effect, Reply, Request, RequestId, Timer, To};
use crate::tui::input::Input;
use crate::tui::listing::{Load, Rows, Source, Taken};
use crate::tui::opening::Opening;
use crate::tui::screen::{self, Screen, its_rows};
use crate::tui::screens::of_keys;
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::views::View;
use crate::tui::words::ScreenId;

const ME: To = To::Screen(ScreenId::Keys);

impl Screen for State {
    its_rows!();

    fn place(&self, shell: &Shell) -> Rect {
        self.areas(shell).table()
    }

    fn context(&self) -> Context {
        match self.rows.context() {
            Context::Keys if self.detail.open && self.detail.focused => Context::Detail,
            context => context,
        }
    }

    fn changed(&mut self, shell: &mut Shell, touched: Subjects) -> Vec<Effect> {
        if touched.meet(Table::ABOUT) || !self.rows.loaded && !self.rows.busy() {
            let load = if self.rows.loaded { Load::Again } else { self.rows.anew() };
            return self.read(shell, load);
        }
        // The table stands; the detail tells of the account and of the audit.
        self.detail.account_stale |= touched.meet(Subjects::ACCOUNTS);
        if touched.meet(Subjects::AUDIT) {
            self.detail.forget_trail();
        }
        self.follow(shell)
    }

    fn sort(&mut self, shell: &mut Shell, sort: Sort) -> Vec<Effect> {
        self.rows.reorder();
        self.rows.source.sort = sort;
        self.read(shell, self.rows.anew())
    }

    fn open_tab(&mut self, shell: &mut Shell, tab: usize) -> Vec<Effect> {
        Tab::ALL.get(tab).map_or_else(Vec::new, |tab| self.turn(shell, *tab))
    }

    fn nearer(&self, filter: bool) -> bool {
        self.detail.open || self.rows.nearer(filter)
    }

    fn view(&self, view: &mut View) {
        view.filter = self.rows.filter_text().to_owned();
        (view.tab, view.sort) = (self.rows.source.tab as usize, self.rows.source.sort);
    }

    fn show(&mut self, shell: &mut Shell, view: &View, row: Option<&dyn Any>) {
        if self.rows.filter_text() != view.filter {
            self.rows.filter(&view.filter, shell.here(), false);
        }
        let tab = Tab::ALL.get(view.tab).copied().unwrap_or_default();
        if (tab, view.sort) != (self.rows.source.tab, self.rows.source.sort) {
            self.rows.turn_to(|source| (source.tab, source.sort) = (tab, view.sort));
        }
        self.rows.stand(row);
    }

    fn timer(&mut self, shell: &mut Shell, timer: Timer) -> Vec<Effect> {
        match timer {
            Timer::Slow => self.slow = self.rows.busy(),
            Timer::Clock => {
                let mut effects: Vec<Effect> = self.read_usage(shell).into_iter().collect();
                effects.extend(self.read_last_used(shell));
                return effects;
            }
            Timer::Of(ME) if self.counts.rung() => return self.recount(shell),
            _ => {}
        }
        Vec::new()
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if let Input::Click(at) = input
            && let Some(column) = self.heading_at(shell, at)
        {
            let sort = self.rows.source.sort;
            let direction = if column == sort.column { sort.direction.reversed() } else { column.natural() };
            return self.sort(shell, Sort { column, direction });
        }
        // One step back: out of the detail, then the marks, then the filter.
        if input.action() == Some(Action::Back) && self.detail.open {
            self.detail.open = false;
            self.detail.focused = false;
            return Vec::new();
        }
        let place = self.place(shell);
        match self.rows.take(shell, input, place) {
            Taken::Done(mut effects) => {
                effects.extend(self.follow(shell));
                effects
            }
            Taken::Left(action) => self.act(shell, action),
        }
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        match action {
            Action::Sort => shell.open(Opening::Sort(self.rows.source.sort)),
            Action::ChooseColumns => shell.open(Opening::Columns),
            Action::SortReverse => {
                let sort = self.rows.source.sort;
                return self.sort(shell, Sort { direction: sort.direction.reversed(), ..sort });
            }
            Action::Left | Action::Right => {
                let by = if action == Action::Left { -1 } else { 1 };
                return self.tab().step(by).map_or_else(Vec::new, |tab| self.turn(shell, tab));
            }
            Action::Open => {
                self.detail.open = !self.detail.open;
                // In the place of the table, the keys are the detail's own at once.
                self.detail.focused = self.detail.open && self.areas(shell).page() == 0;
                self.detail.scroll = 0;
                return self.follow(shell);
            }
            Action::FocusDetail => {
                self.detail.focused = !self.detail.open || !self.detail.focused;
                self.detail.open = true;
                return self.follow(shell);
            }
            Action::ToggleUsage => {
                let width = self.areas(shell).rows.width;
                let shown = columns::has_usage(width, self.uses.column, shell.columns.as_deref());
                self.uses.column = Some(!shown);
                if let Some(chosen) = &mut shell.columns {
                    chosen.retain(|field| *field != columns::Field::Usage);
                    chosen.extend((!shown).then_some(columns::Field::Usage));
                }
                return self.read_usage(shell).into_iter().collect();
            }
            Action::New => {
                shell.open(Opening::Create { account: account_at_hand(&self.rows.filter.meaning) });
            }
            Action::ScrollUp => self.scroll(shell, -1),
            Action::ScrollDown => self.scroll(shell, 1),
            Action::ScrollPageUp => self.scroll(shell, -10),
            Action::ScrollPageDown => self.scroll(shell, 10),
            Action::ScrollTop => self.scroll(shell, i32::MIN / 2),
            Action::ScrollBottom => self.scroll(shell, i32::MAX / 2),
            action => return of_keys::act(&self.rows, shell, action),
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        self.answered(shell, id, reply)
    }

    /// The issuer's own word where it has one (VA-04, VG-08). While the detail is open, the hints are about it: how to
    /// close it, how to scroll it.
    fn label(&self, shell: &Shell, action: Action, label: &'static str) -> Option<Cow<'static, str>> {
        let open = self.detail.open;
        match action {
            Action::Back => open.then_some("close".into()),
            Action::Open if open => None,
            Action::FocusDetail if open => Some(if self.detail.focused { "list" } else { "scroll" }.into()),
            _ if !screen::allowed(shell, action) => None,
            Action::New => {
                let wording = shell.wording();
                Some(if self.rows.is_empty() { wording.first } else { wording.new }.into())
            }
            _ => Some(label.into()),
        }
    }

    fn typed(&self, shell: &Shell) -> Option<Typed> {
        let detail = self.rows.selected_id().filter(|_| self.detail.open && self.rows.marks().is_empty());
        match detail {
            Some(key) => Typed::of(&Request::Key(*key), shell),
            None => self.rows.typed(shell),
        }
    }

    fn summary(&self, shell: &Shell) -> String {
        let noun = shell.wording().noun;
        let plural = |n: u64| if n == 1 { noun.clone() } else { format!("{noun}s") };
        match self.count().filter(|_| self.rows.filter.mistake.is_none()) {
            Some(Count::Exactly(n)) if !self.rows.filter.is_empty() && self.rows.goes_beyond() => {
                format!("{} match · {} shown", thousands(n), thousands(self.rows.len() as u64))
            }
            Some(Count::Exactly(n)) => format!("{} {}", thousands(n), plural(n)),
            Some(Count::AtLeast(n)) => format!("over {} {}", thousands(n), plural(n)),
            None => String::new(),
        }
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, _: Rect) {
        self.draw_all(shell, frame);
    }
}

impl State {
    fn scroll(&mut self, shell: &Shell, by: i32) {
        let most = detail::most(self, shell);
        let scroll = i32::from(self.detail.scroll.min(most)).saturating_add(by);
        self.detail.scroll = u16::try_from(scroll.clamp(0, i32::from(most))).unwrap_or(0);
    }
}
