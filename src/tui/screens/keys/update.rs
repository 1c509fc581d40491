//! What gestures and answers change in the table of keys.

use ratatui::layout::Position;

use super::state::{Load, State};
use super::{columns, detail, view};
use crate::config::keymap::Action;
use crate::domain::Instant;
use crate::domain::key::Key;
use crate::domain::query::{Column, Completion, Query, Sort, Term, Test};
use crate::tui::effect::{CopyText, Effect, Request, Timer, To};
use crate::tui::input::{self, Input};
use crate::tui::opening::Opening;
use crate::tui::shell::Shell;
use crate::tui::words::{ScreenId, Severity};

const ME: To = To::Screen(ScreenId::Keys);

impl State {
    /// The screen is shown from now on.
    pub fn enter(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if self.loaded { self.changed(shell) } else { self.read(shell, Load::First) }
    }

    /// Replaces the filter, without reading yet.
    pub fn set_filter(&mut self, text: &str, now: Instant) {
        self.filter.set(text, now);
        self.filter.keep();
        self.restart();
    }

    pub fn set_sort(&mut self, shell: &mut Shell, sort: Sort) -> Vec<Effect> {
        self.sort = sort;
        self.read(shell, Load::First)
    }

    /// The filter's meaning changed: what was counted and marked does not hold any more.
    fn restart(&mut self) {
        self.count = None;
        self.loaded = false;
        self.marks.clear();
        self.anchor = None;
    }

    /// The database changed.
    pub fn changed(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if !self.loaded {
            return self.read(shell, Load::First);
        }
        self.read(shell, Load::Again)
    }

    pub fn timer(&mut self, shell: &mut Shell, timer: Timer) -> Vec<Effect> {
        match timer {
            Timer::Slow => self.slow = self.pages.busy(),
            Timer::Clock => {
                let mut effects: Vec<Effect> = self.read_usage(shell).into_iter().collect();
                effects.extend(self.read_last_used(shell));
                return effects;
            }
            Timer::Of(ME) => {
                self.recount_due = false;
                return self.recount(shell);
            }
            _ => {}
        }
        Vec::new()
    }

    pub fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        match input {
            Input::Paste(pasted) if self.filter.editing => {
                let changed = self.filter.paste(&pasted, shell.now);
                self.filtered(shell, changed)
            }
            Input::Key(key) if self.filter.editing => self.type_filter(shell, key),
            Input::Key(key) => key.action.map_or_else(Vec::new, |action| self.act(shell, action)),
            Input::Scroll { lines, .. } => self.step(shell, lines as isize),
            Input::Click(at) => self.click(shell, at),
            Input::Paste(_) => {
                shell.toast(Severity::Info, "to look for what you pasted, press / first");
                Vec::new()
            }
        }
    }

    /// A row is selected, and opened if it was selected already; a heading sorts.
    fn click(&mut self, shell: &mut Shell, at: Position) -> Vec<Effect> {
        if let Some(column) = view::heading_at(self, shell, at) {
            let direction =
                if column == self.sort.column { self.sort.direction.reversed() } else { column.natural() };
            return self.set_sort(shell, Sort { column, direction });
        }
        match view::row_at(self, shell, at) {
            Some(place) if place == self.place => self.act(shell, Action::Open),
            Some(place) => self.step(shell, place as isize - self.place as isize),
            None => Vec::new(),
        }
    }

    fn type_filter(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        let changed = match key.action {
            Some(Action::Accept) => {
                self.filter.keep();
                return Vec::new();
            }
            Some(Action::CancelPrompt) => {
                self.filter.keep();
                self.filter.set("", shell.now)
            }
            Some(Action::ClearLine) => self.filter.set("", shell.now),
            Some(Action::CompletePrompt) => {
                let completion = self.completion(shell);
                self.filter.take_completion(&completion, shell.now)
            }
            _ => self.filter.press(key, shell.now),
        };
        self.filtered(shell, changed)
    }

    /// What fits at the filter's cursor, from what is known without asking the database.
    pub(super) fn completion(&self, shell: &Shell) -> Completion {
        self.filter.completion(|field| {
            let issuers = shell.issuers.iter().flatten();
            let rows = self.window.rows.iter().map(|row| &row.key);
            let mut values: Vec<String> = match field {
                "issuer" => issuers.map(|issuer| issuer.slug.clone()).collect(),
                "scope" => {
                    issuers.flat_map(|issuer| &issuer.policy.scopes).map(|scope| scope.name.clone()).collect()
                }
                "account" => rows.map(|key| key.account.clone()).collect(),
                "by" => rows.map(|key| key.created_by.to_string()).collect(),
                _ => Vec::new(),
            };
            values.sort_unstable();
            values.dedup();
            values
        })
    }

    fn filtered(&mut self, shell: &mut Shell, changed: bool) -> Vec<Effect> {
        if !changed {
            return Vec::new();
        }
        self.count = None;
        self.marks.clear();
        self.anchor = None;
        self.read(shell, Load::First)
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        let page = view::rows_shown(self, shell).max(1) as isize;
        match action {
            Action::Up => self.step(shell, -1),
            Action::Down => self.step(shell, 1),
            Action::PageUp => self.step(shell, -page),
            Action::PageDown => self.step(shell, page),
            Action::HalfPageUp => self.step(shell, -(page / 2).max(1)),
            Action::HalfPageDown => self.step(shell, (page / 2).max(1)),
            Action::Top => self.go_to_start(shell),
            Action::Bottom => self.go_to_end(shell),
            Action::Filter => {
                self.filter.begin();
                Vec::new()
            }
            Action::ClearFilter => {
                let changed = self.filter.set("", shell.now);
                self.filtered(shell, changed)
            }
            Action::Back => self.back(shell),
            Action::Sort => {
                shell.open(Opening::Sort(self.sort));
                Vec::new()
            }
            Action::SortReverse => {
                let sort = Sort { direction: self.sort.direction.reversed(), ..self.sort };
                self.set_sort(shell, sort)
            }
            Action::Left => self.sort_by_neighbour(shell, -1),
            Action::Right => self.sort_by_neighbour(shell, 1),
            Action::Mark => self.mark(shell),
            Action::MarkRange => self.mark_range(shell),
            Action::MarkAll => {
                self.marks.extend(self.window.rows.iter().map(|row| row.key.id));
                if self.window.more_after || self.window.more_before {
                    shell.toast(
                        Severity::Warning,
                        "only the rows at hand were marked: narrow the filter to mark all of them",
                    );
                }
                Vec::new()
            }
            Action::ClearMarks => {
                self.marks.clear();
                self.anchor = None;
                Vec::new()
            }
            Action::Open => {
                self.detail.open = !self.detail.open;
                // In the place of the table, the keys are the detail's own at once.
                self.detail.focused = self.detail.open && view::rows_shown(self, shell) == 0;
                self.detail.scroll = 0;
                self.follow(shell)
            }
            Action::FocusDetail => {
                self.detail.focused = !self.detail.open || !self.detail.focused;
                self.detail.open = true;
                self.follow(shell)
            }
            Action::ToggleUsage => {
                let width = view::Areas::of(self, shell).rows.width;
                self.uses.column = Some(!columns::has_usage(width, self.uses.column));
                self.read_usage(shell).into_iter().collect()
            }
            Action::Explain => self.open_for_key(shell, Opening::Explain),
            Action::CopyPreview => self.copy(shell),
            Action::CopyId => self.copy_id(shell),
            Action::ShowAccountKeys => {
                if let Some(key) = self.selected_key() {
                    let filter = format!("account:{}", key.account);
                    shell.filter(filter);
                }
                Vec::new()
            }
            Action::ShowSameCreator => {
                if let Some(key) = self.selected_key() {
                    let test = Test::CreatedBy(vec![key.created_by.as_str().to_owned()]);
                    let query = Query { terms: vec![Term { negated: false, test }] };
                    shell.filter(query.to_string());
                }
                Vec::new()
            }
            Action::KeyReminders => {
                if let Some(id) = self.selected {
                    shell.reminders(format!("key:{id}"));
                }
                Vec::new()
            }
            Action::OpenLinked => {
                let linked = self.selected_key().and_then(|key| key.successor.or(key.predecessor));
                match linked {
                    // Named by its id, a key is found whatever its status.
                    Some(id) => shell.filter(format!("status:active,expired,abandoned,revoked id:{id}")),
                    None => shell.toast(Severity::Info, "this key neither replaces another nor is replaced"),
                }
                Vec::new()
            }
            Action::New => {
                shell.open(Opening::Create { account: self.account_at_hand() });
                Vec::new()
            }
            Action::Revoke => self.revoke(shell),
            Action::Rotate => self.open_for_key(shell, Opening::Rotate),
            Action::Limit => self.open_for_key(shell, Opening::Limit),
            Action::ScrollUp => self.scroll(shell, -1),
            Action::ScrollDown => self.scroll(shell, 1),
            Action::ScrollPageUp => self.scroll(shell, -10),
            Action::ScrollPageDown => self.scroll(shell, 10),
            Action::ScrollTop => self.scroll(shell, i32::MIN / 2),
            Action::ScrollBottom => self.scroll(shell, i32::MAX / 2),
            _ => Vec::new(),
        }
    }

    /// One step back: out of the detail, then the marks, then the filter.
    fn back(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if self.detail.open {
            self.detail.open = false;
            self.detail.focused = false;
        } else if !self.marks.is_empty() {
            self.marks.clear();
            self.anchor = None;
        } else {
            let changed = self.filter.set("", shell.now);
            return self.filtered(shell, changed);
        }
        Vec::new()
    }

    fn scroll(&mut self, shell: &Shell, by: i32) -> Vec<Effect> {
        let most = detail::most(self, shell);
        let scroll = i32::from(self.detail.scroll.min(most)).saturating_add(by);
        self.detail.scroll = u16::try_from(scroll.clamp(0, i32::from(most))).unwrap_or(0);
        Vec::new()
    }

    fn sort_by_neighbour(&mut self, shell: &mut Shell, step: isize) -> Vec<Effect> {
        let count = Column::ALL.len() as isize;
        let at = Column::ALL.iter().position(|column| *column == self.sort.column).unwrap_or(0) as isize;
        let column = Column::ALL[(at + step).rem_euclid(count) as usize];
        self.set_sort(shell, Sort { column, direction: column.natural() })
    }

    fn mark(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if let Some(id) = self.selected {
            self.anchor = Some(id);
            if !self.marks.remove(&id) {
                self.marks.insert(id);
            }
        }
        self.step(shell, 1)
    }

    fn mark_range(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let Some(anchor) = self.anchor.and_then(|id| self.window.position(id)) else {
            shell.toast(
                Severity::Info,
                "mark the first key of the range with space, then press v on its last",
            );
            return Vec::new();
        };
        let (from, to) = (anchor.min(self.place), anchor.max(self.place));
        self.marks
            .extend(self.window.rows[from..=to.min(self.window.len() - 1)].iter().map(|row| row.key.id));
        Vec::new()
    }

    /// The account that a new key is most likely for: the one that the filter names.
    fn account_at_hand(&self) -> Option<String> {
        let mut accounts = self.filter.query.terms.iter().filter_map(|term| match &term.test {
            Test::Account(slugs) if !term.negated && slugs.len() == 1 => slugs.first().cloned(),
            _ => None,
        });
        accounts.next()
    }

    /// The marked keys, or the selected one where none is marked.
    fn revoke(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let rows = self.window.rows.iter().map(|row| &row.key);
        if self.marks.is_empty() {
            if let Some(key) = self.selected_key().cloned() {
                shell.open(Opening::Revoke { ids: vec![key.id], known: vec![key] });
            }
            return Vec::new();
        }
        let known = rows.filter(|key| self.marks.contains(&key.id)).cloned().collect();
        let mut ids: Vec<_> = self.marks.iter().copied().collect();
        ids.sort_unstable();
        shell.open(Opening::Revoke { ids, known });
        Vec::new()
    }

    /// Opens what is about the selected key.
    fn open_for_key(&self, shell: &mut Shell, opening: fn(Box<Key>) -> Opening) -> Vec<Effect> {
        if let Some(key) = self.selected_key().cloned() {
            shell.open(opening(Box::new(key)));
        }
        Vec::new()
    }

    fn copy(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let Some(key) = self.selected_key() else { return Vec::new() };
        let text = CopyText::Plain(key.preview.clone());
        vec![shell.ask(To::Shell, Request::Copy(text)).1]
    }

    fn copy_id(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let Some(key) = self.selected_key() else { return Vec::new() };
        let text = CopyText::Plain(key.id.to_string().into());
        vec![shell.ask(To::Shell, Request::Copy(text)).1]
    }
}
