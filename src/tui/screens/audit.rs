//! Who changed what, and when: newest first.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::audit::{AuditFilter, Entry, Verdict};
use crate::domain::query::QueryError;
use crate::service::AuditRequest;
use crate::tui::effect::{Effect, Reply, Request, RequestId, Timer, To};
use crate::tui::input::Input;
use crate::tui::opening::{Opening, Part};
use crate::tui::rows::{Order, Rows, is_full};
use crate::tui::shell::Shell;
use crate::tui::view::{body, times};
use crate::tui::widgets::filter_line::FilterLine;
use crate::tui::widgets::list::{self, Place, Taken, column, list_area};
use crate::tui::words::{ScreenId, Severity};

#[cfg(test)]
mod tests;

const ME: To = To::Screen(ScreenId::Audit);

/// The rows that the filter fits.
#[derive(Debug, Default)]
pub struct State {
    rows: Rows<Entry>,
    filter: FilterLine,
    /// The last filter without a mistake in it.
    good: AuditFilter,
    mistake: Option<QueryError>,
    verifying: Option<RequestId>,
}

impl State {
    pub fn context(&self) -> Context {
        if self.filter.typing { Context::Prompt } else { Context::Audit }
    }

    pub fn enter(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.changed(shell)
    }

    pub fn changed(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let request = self.request();
        self.rows.read(shell, ME, request).into_iter().collect()
    }

    pub fn timer(&mut self, _: &mut Shell, _: Timer) -> Vec<Effect> {
        Vec::new()
    }

    fn request(&self) -> impl FnOnce(Option<&Entry>, u32) -> Request + use<> {
        let filter = self.good.clone();
        move |last, limit| Request::Audit(AuditRequest { filter, before: last.map(|row| row.seq), limit })
    }

    pub fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.filter.typing {
            return if self.filter.take(&input) { self.filtered(shell) } else { Vec::new() };
        }
        let list = list_area(body(shell.size));
        let page = list::page(list);
        let (count, place) = (self.rows.len(), self.rows.place);
        match self.rows.place.take(&input, count, page, |at| list::row_at(list, at, place, count)) {
            Taken::Moved => {}
            Taken::Left(action) => return self.act(shell, action),
            Taken::Nothing => return Vec::new(),
        }
        let request = self.request();
        self.rows.read_on(shell, ME, (count, page), request).into_iter().collect()
    }

    /// The filter was changed: with a mistake in it the last good result stays.
    fn filtered(&mut self, shell: &mut Shell) -> Vec<Effect> {
        match AuditFilter::parse(self.filter.value()) {
            Ok(filter) => {
                self.mistake = None;
                if filter == self.good {
                    return Vec::new();
                }
                self.good = filter;
                self.rows.place = Place::default();
                self.changed(shell)
            }
            Err(mistake) => {
                self.mistake = Some(mistake);
                Vec::new()
            }
        }
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        match action {
            Action::Filter => self.filter.typing = true,
            Action::ClearFilter | Action::Back if !self.filter.is_empty() => {
                self.filter.clear();
                return self.filtered(shell);
            }
            Action::Open => {
                if let Some(entry) = self.rows.selected() {
                    let title = format!("Audit row {}", entry.seq);
                    let parts = parts(entry, shell.utc);
                    shell.open(Opening::Reader { title, parts, about: None });
                }
            }
            Action::VerifyAudit => {
                let (id, effect) = shell.ask(ME, Request::VerifyAudit);
                self.verifying = Some(id);
                shell.toast(Severity::Info, "walking the whole chain…");
                return vec![effect];
            }
            _ => {}
        }
        Vec::new()
    }

    pub fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        shell.redraw = true;
        match reply {
            Reply::Audit(outcome) => {
                let Some(answered) = self.rows.answered(shell, id, outcome) else { return Vec::new() };
                if let Some(rows) = answered.page {
                    let (more, page) = (is_full(&rows), list::page(list_area(body(shell.size))));
                    self.rows.arrived(rows, more, Order::NewestFirst, page, |row| row.seq);
                }
                return answered.next.into_iter().collect();
            }
            Reply::VerifyAudit(outcome) if self.verifying == Some(id) => {
                self.verifying = None;
                match outcome {
                    Ok(Verdict::Intact { rows, .. }) => {
                        shell.toast(
                            Severity::Good,
                            format!("all {rows} rows hang together, nothing was changed"),
                        );
                    }
                    Ok(Verdict::Broken { seq, why }) => {
                        shell.toast(Severity::Bad, format!("the chain breaks at row {seq}: {why}"));
                    }
                    Err(failure) => shell.failed(&failure),
                }
            }
            _ => {}
        }
        Vec::new()
    }

    /// What stands at the right end of the header.
    pub fn summary(&self, _: &Shell) -> String {
        String::new()
    }

    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        self.filter.draw(shell, frame, area, "every change, newest first");
        if let Some(mistake) = &self.mistake {
            let words = format!("{}  ", mistake.message);
            let width = u16::try_from(words.chars().count()).unwrap_or(0).min(area.width / 2);
            let place = Rect { x: area.right() - width, width, height: 1, ..area };
            frame.render_widget(Line::styled(words, styles.of(Role::Error)), place);
        }
        let list = list_area(area);
        if self.rows.is_empty() {
            let words = match (self.rows.loaded, self.filter.is_empty()) {
                (false, _) => "  loading…",
                (true, true) => "  Nothing was changed yet.",
                (true, false) => "  No row fits: actor:ada action:key.revoke account:acme key:ID, or words",
            };
            frame.render_widget(Line::styled(words, styles.of(Role::Muted)), list);
            return;
        }
        let wide = area.width >= 110;
        let when = if shell.relative_times { 9 } else { 19 };
        let mut columns = vec![
            column("When", when),
            column("Who", 12),
            column("Did", 16),
            column("To", 0),
            column("Account", 14),
        ];
        if wide {
            columns.push(column("From", 24));
        }
        let rows: Vec<Vec<list::Cell>> = self.rows.iter().map(|entry| cells(shell, entry, wide)).collect();
        list::draw(frame, styles, list, &columns, &rows, self.rows.place, |_| false);
    }
}

fn cells(shell: &Shell, entry: &Entry, wide: bool) -> Vec<list::Cell> {
    let when = if shell.relative_times {
        times::ago(entry.at, shell.now)
    } else {
        times::exact(entry.at, shell.utc).chars().take(19).collect()
    };
    let role = match entry.action.as_str() {
        "key.revoke" | "account.suspend" | "operator.remove" => Role::Warning,
        _ => Role::Text,
    };
    let mut cells = vec![
        (when, Role::Muted),
        (entry.actor.as_str().to_owned(), Role::Text),
        (entry.action.as_str().to_owned(), role),
        (subject(entry), Role::Text),
        (entry.account.as_ref().map_or("", |account| account.as_str()).to_owned(), Role::Muted),
    ];
    if wide {
        let client = entry.client.as_ref().map(|client| format!(" from {client}")).unwrap_or_default();
        cells.push((format!("{}{client}", entry.host), Role::Muted));
    }
    cells
}

/// The key's name where the row tells it, else what was changed.
fn subject(entry: &Entry) -> String {
    let detail: serde_json::Value = serde_json::from_str(&entry.detail).unwrap_or_default();
    match detail.get("name").and_then(serde_json::Value::as_str) {
        Some(name) if entry.key.is_some() => crate::domain::text::SafeText::new(name).as_str().to_owned(),
        _ => entry.subject.as_str().to_owned(),
    }
}

/// Everything that a row says.
fn parts(entry: &Entry, utc: bool) -> Vec<Part> {
    let fact = |name, value: &str| Part::Fact(name, value.to_owned());
    let mut parts =
        vec![fact("When", &times::exact(entry.at, utc)), fact("Who", &entry.actor), fact("On", &entry.host)];
    if let Some(client) = &entry.client {
        parts.push(fact("From", client));
    }
    parts.extend([fact("Did", &entry.action), fact("To", &entry.subject)]);
    if let Some(account) = &entry.account {
        parts.push(fact("Account", account));
    }
    if let Some(key) = entry.key {
        parts.push(fact("Key", &key.to_string()));
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
