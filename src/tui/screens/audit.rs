//! Who changed what, and when: newest first.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::audit::{AuditFilter, Entry, Verdict};
use crate::domain::query::QueryError;
use crate::domain::subjects::Subjects;
use crate::domain::text::thousands;
use crate::domain::when::Here;
use crate::service::{AuditRequest, Compared};
use crate::tui::effect::{Effect, Outcomes, Reply, Request, RequestId, To};
use crate::tui::listing::{Chunk, Empty, Listing, Part as Piece, Rows, Source};
use crate::tui::opening::{About, Opening, Part};
use crate::tui::screen::{Screen, its_rows};
use crate::tui::shell::Shell;
use crate::tui::view::{shown, times};
use crate::tui::widgets::list::{self, column, list_area};
use crate::tui::words::{ScreenId, Severity};

#[cfg(test)]
mod tests;

const ME: To = To::Screen(ScreenId::Audit);

#[derive(Debug, Default)]
struct Audit;

impl Source for Audit {
    type Row = Entry;
    type Id = i64;
    type Filter = AuditFilter;

    const SCREEN: ScreenId = ScreenId::Audit;
    const ABOUT: Subjects = Subjects::AUDIT;
    const FILTER: Option<&'static str> =
        Some("words, or actor:ada action:key.revoke account:acme key:ID at:<7d");

    fn id(row: &Entry) -> i64 {
        row.seq
    }

    fn parse(text: &str, here: Here) -> Result<AuditFilter, QueryError> {
        AuditFilter::parse(text, here)
    }

    fn answer(&self, reply: Reply) -> Option<Outcomes<Chunk<Entry>>> {
        Some(reply.try_as_audit()?.map(Chunk::forward))
    }

    fn request(&self, filter: &AuditFilter, part: Piece<'_, Entry>, limit: u32) -> Request {
        let before = part.after().map(Self::id);
        Request::Audit(AuditRequest { filter: filter.clone(), before, limit })
    }
}

/// The rows that the filter fits.
#[derive(Debug, Default)]
pub struct State {
    rows: Listing<Audit>,
    verifying: Option<RequestId>,
}

impl Screen for State {
    its_rows!();

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        match action {
            Action::Open => {
                if let Some(entry) = self.rows.selected() {
                    let (title, parts) = (format!("Audit row {}", entry.seq), parts(entry, shell.utc));
                    let about = entry.key.map(|key| About { revoke: None, ..About::key(key) });
                    shell.open(Opening::Reader { title, parts, about });
                }
            }
            Action::GoToKey => match self.rows.selected().map(|entry| entry.key) {
                Some(Some(key)) => shell.filter(About::key(key).filter),
                Some(None) => shell.toast(Severity::Info, "this change was not about a key"),
                None => {}
            },
            Action::VerifyAudit => {
                let (id, effect) = shell.ask(ME, Request::VerifyAudit);
                self.verifying = Some(id);
                shell.toast(Severity::Info, "verifying the whole chain…");
                return vec![effect];
            }
            _ => {}
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        let page = self.page(shell);
        match reply {
            Reply::VerifyAudit(outcome) if self.verifying == Some(id) => {
                self.verifying = None;
                verified(shell, outcome);
                Vec::new()
            }
            reply => self.rows.reply(shell, id, reply, page).map_or_else(Vec::new, |came| came.effects),
        }
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.rows.draw_bar(shell, frame, area, Listing::<Audit>::idle(shell, "every change, newest first"));
        let wide = area.width >= 110;
        let mut columns = vec![
            column("When", shown::past_columns(shell, 9)),
            column("Who", 12),
            column("Did", 16),
            column("To", 0),
            column("Account", 14),
        ];
        if wide {
            columns.push(column("From", 24));
        }
        let empty = Empty {
            unfit: "No row matches: try actor:ada action:key.revoke account:acme key:ID at:<7d, or words",
            none: "Nothing was changed yet.",
        };
        self.rows.draw(shell, frame, list_area(area), &columns, |entry| cells(shell, entry, wide), empty);
    }
}

/// Tells what the walk along the chain came to, and what was compared with it.
fn verified(shell: &mut Shell, outcome: Outcomes<Compared>) {
    let found = outcome.as_ref().map_or(0, |compared| compared.findings.count);
    match outcome.map(|compared| compared.verdict) {
        Ok(Verdict::Intact { .. }) if found > 0 => {
            let places = if found == 1 { "1 place".into() } else { format!("{} places", thousands(found)) };
            let words = format!(
                "The database differs from the audit in {places}: `keyrack audit verify` lists them."
            );
            shell.toast(Severity::Bad, words);
        }
        Ok(Verdict::Intact { rows, .. }) => {
            shell.toast(
                Severity::Good,
                format!("Audit intact: {} rows verified.", thousands(rows.unsigned_abs())),
            );
        }
        Ok(Verdict::Broken { seq, why }) => {
            shell.toast(Severity::Bad, format!("the chain breaks at row {seq}: {why}"));
        }
        Err(failure) => shell.failed(&failure),
    }
}

fn cells(shell: &Shell, entry: &Entry, wide: bool) -> Vec<list::Cell> {
    let role = match entry.action.as_str() {
        "key.revoke" | "account.suspend" | "operator.remove" => Role::Warning,
        _ => Role::Text,
    };
    let mut cells = vec![
        (shown::past(entry.at, shell), Role::Muted),
        (entry.actor.as_str().to_owned(), Role::Text),
        (entry.action.as_str().to_owned(), role),
        (subject(entry), Role::Text),
        (entry.account.as_ref().map_or("", |account| account.as_str()).to_owned(), Role::Muted),
    ];
    if wide {
        let client =
            entry.client.as_ref().map(|client| format!(" from {client} (claimed)")).unwrap_or_default();
        let person = if entry.person.is_empty() { String::new() } else { format!(", {}", entry.person) };
        cells.push((format!("{}{client}{person}", entry.host), Role::Muted));
    }
    cells
}

/// The key's name where somebody knows it, else what was changed.
pub fn subject(entry: &Entry) -> String {
    entry.about().to_string()
}

/// Everything that a row says.
fn parts(entry: &Entry, utc: bool) -> Vec<Part> {
    let fact = |name, value: &str| Part::Fact(name, value.to_owned());
    let mut parts =
        vec![fact("When", &times::exact(entry.at, utc)), fact("Who", &entry.actor), fact("On", &entry.host)];
    if let Some(client) = &entry.client {
        parts.push(fact("From", &format!("{client} (claimed by the environment of the process)")));
    }
    if !entry.person.is_empty() {
        parts.push(fact("Person", &entry.person.to_string()));
    }
    parts.extend([fact("Did", &entry.action), fact("To", &entry.subject)]);
    if let Some(account) = &entry.account {
        parts.push(fact("Account", account));
    }
    if let Some(key) = entry.key {
        if let Some(name) = &entry.name {
            parts.push(fact("Key", name));
        }
        parts.push(fact("ID", &key.to_string()));
    }
    parts.push(Part::Fact("Operation", entry.operation.to_string()));
    parts.push(Part::Fact("Hash", entry.hash.clone()));
    let detail: serde_json::Value = serde_json::from_str(&entry.detail).unwrap_or_default();
    if let Some(members) = detail.as_object().filter(|members| !members.is_empty()) {
        parts.extend([Part::Space, Part::Heading("Particulars".into())]);
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let text = crate::domain::text::SafeText::new(format!("{name}: {value}"));
            parts.push(Part::Words(text.as_str().to_owned()));
        }
    }
    parts
}
