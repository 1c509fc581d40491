//! Choosing the account by typing a part of its name.

use super::State;
use crate::config::keymap::Action;
use crate::domain::account::AccountSummary;
use crate::tui::effect::{Effect, Failure, Request, RequestId, To};
use crate::tui::input::Input;
use crate::tui::shell::Shell;
use crate::tui::widgets::picker;
use crate::tui::widgets::text_field::TextField;

/// How many accounts are offered at once; typing narrows them.
const ACCOUNTS: u32 = 50;

/// The search and what it found.
#[derive(Debug, Default)]
pub(super) struct Chooser {
    pub search: TextField,
    pub found: Vec<AccountSummary>,
    pub at: usize,
    pub loaded: bool,
}

impl State {
    pub(super) fn choose_account(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.chooser = Some(Chooser::default());
        self.search_accounts(shell)
    }

    pub(super) fn search_accounts(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let filter = self.chooser.as_ref().map_or("", |chooser| chooser.search.value()).to_owned();
        let request = Request::Accounts { filter, after: None, limit: ACCOUNTS };
        self.accounts.ask(shell, To::Overlay(self.number), request).into_iter().collect()
    }

    pub(super) fn input_chooser(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let Some(chooser) = &mut self.chooser else { return Vec::new() };
        let count = chooser.found.len();
        let changed = match input {
            Input::Paste(pasted) => chooser.search.paste(&pasted.line()),
            Input::Scroll { lines, .. } => {
                chooser.at = picker::step(chooser.at, lines.signum() as isize, count);
                false
            }
            Input::Click(_) => false,
            Input::Key(key) => match key.action {
                Some(Action::Choose) => {
                    if let Some(account) = chooser.found.get(chooser.at).cloned() {
                        self.set_account(shell, account);
                    }
                    return Vec::new();
                }
                Some(Action::CancelPicker) => {
                    self.chooser = None;
                    if self.account.is_none() && self.name.is_empty() {
                        shell.close();
                    }
                    return Vec::new();
                }
                action => match picker::moves(action) {
                    Some(by) => {
                        chooser.at = picker::step(chooser.at, by, count);
                        false
                    }
                    None => chooser.search.key(key.event),
                },
            },
        };
        if changed { self.search_accounts(shell) } else { Vec::new() }
    }

    pub(super) fn found_accounts(
        &mut self,
        shell: &mut Shell,
        id: RequestId,
        found: Result<Vec<AccountSummary>, Failure>,
    ) -> Vec<Effect> {
        let Some(settled) = self.accounts.settle(shell, id) else { return Vec::new() };
        if settled.newest
            && let Some(chooser) = &mut self.chooser
        {
            match found {
                Ok(found) => {
                    // The only account there is needs no choosing.
                    let only = !chooser.loaded && chooser.search.is_empty() && found.len() == 1;
                    chooser.loaded = true;
                    chooser.at = 0;
                    chooser.found = found;
                    if only && self.account.is_none() {
                        let account = chooser.found.remove(0);
                        self.set_account(shell, account);
                    }
                }
                Err(failure) => shell.failed(&failure),
            }
        }
        settled.next.into_iter().collect()
    }
}
