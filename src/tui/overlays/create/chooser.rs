//! Choosing the account by typing a part of its name.

use super::State;
use crate::domain::account::AccountSummary;
use crate::tui::effect::{Effect, Failure, Request, RequestId, To};
use crate::tui::input::Input;
use crate::tui::opening::Opening;
use crate::tui::shell::Shell;
use crate::tui::widgets::picker::{Picked, Picker};
use crate::tui::words::Pasted;

/// How many accounts are offered at once; typing narrows them.
const ACCOUNTS: u32 = 50;

/// The search and what it found.
#[derive(Debug, Default)]
pub(super) struct Chooser {
    pub picker: Picker,
    pub found: Vec<AccountSummary>,
    pub loaded: bool,
}

impl State {
    pub(super) fn choose_account(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.chooser = Some(Chooser::default());
        self.search_accounts(shell)
    }

    pub(super) fn search_accounts(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let Some(chooser) = &mut self.chooser else { return Vec::new() };
        let filter = chooser.picker.search.value().to_owned();
        if shell.holds_secret(&filter) {
            chooser.picker.search.clear();
            shell.open(Opening::Exposed(Pasted::new(filter)));
            return Vec::new();
        }
        let request = Request::Accounts { filter, after: None, limit: ACCOUNTS };
        self.accounts.ask(shell, To::Overlay(self.number), request).into_iter().collect()
    }

    pub(super) fn input_chooser(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let Some(chooser) = &mut self.chooser else { return Vec::new() };
        match chooser.picker.take(&input, chooser.found.len()) {
            Picked::Searched => return self.search_accounts(shell),
            Picked::Chosen => {
                if let Some(account) = chooser.found.get(chooser.picker.at).cloned() {
                    self.set_account(shell, account);
                }
            }
            Picked::Closed => {
                self.chooser = None;
                if self.account.is_none() && self.name.is_empty() {
                    shell.close();
                }
            }
            Picked::Nothing => {}
        }
        Vec::new()
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
                Ok(found) if found.is_empty() && chooser.picker.search.is_empty() => {
                    shell.close();
                    shell.open(Opening::Account { issuer: None, first_run: true });
                }
                Ok(found) => {
                    // The only account there is needs no choosing.
                    let only = !chooser.loaded && chooser.picker.search.is_empty() && found.len() == 1;
                    chooser.loaded = true;
                    chooser.picker.at = 0;
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
