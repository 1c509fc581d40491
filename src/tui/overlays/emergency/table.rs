//! Many findings at once: a table, of which what works is ticked, and one decision for all that is ticked.

use std::collections::BTreeSet;

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::REASON;
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::Instant;
use crate::domain::key::{Key, KeyId};
use crate::domain::leak::Leak;
use crate::domain::operator::Permission;
use crate::domain::text::{check_reason, thousands};
use crate::service::{Found, LeakFinding, LeakSweep, RevokeKeys};
use crate::tui::effect::Request;
use crate::tui::shell::Shell;
use crate::tui::styles::Styles;
use crate::tui::view::times;
use crate::tui::widgets::list::{self, Column, column, number};
use crate::tui::widgets::text_field::TextField;
use crate::tui::widgets::{dialog, fit, scroll};
use crate::tui::wish::Asking;

/// The findings, what works first, and what is to be done.
#[derive(Debug)]
pub struct Table {
    pub rows: Vec<LeakFinding>,
    ticked: BTreeSet<KeyId>,
    pub reason: TextField,
    pub ticket: TextField,
    /// The field that the cursor is in.
    pub edit: Option<Field>,
    unread: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Reason,
    Ticket,
}

/// Lines below the list: what is known of the chosen one, the fields, the question.
const BELOW: u16 = 7;

impl Table {
    pub fn new(sweep: &LeakSweep, now: Instant) -> Self {
        let mut rows = sweep.findings.clone();
        rows.sort_by_key(|row| (!row.works(now), !row.can_work(now), row.leak));
        Self {
            ticked: sweep.working(now).into_iter().collect(),
            rows,
            reason: TextField::with(REASON),
            ticket: TextField::default(),
            edit: None,
            unread: sweep.unread.len(),
        }
    }

    /// Ticks the key of a row, or takes its tick away. What is revoked can't be ticked.
    pub fn tick(&mut self, at: usize) {
        let key = self.rows.get(at).and_then(|row| row.key.as_ref()).map(|found| &found.key);
        if let Some(key) = key.filter(|key| key.revoked_at.is_none())
            && !self.ticked.remove(&key.id)
        {
            self.ticked.insert(key.id);
        }
    }

    /// Takes over what became of keys meanwhile.
    pub fn renew(&mut self, keys: impl IntoIterator<Item = Key>) {
        let mut sweep = LeakSweep { findings: std::mem::take(&mut self.rows), ..LeakSweep::default() };
        let keys: Vec<Key> = keys.into_iter().collect();
        for key in keys.iter().filter(|key| key.revoked_at.is_some()) {
            self.ticked.remove(&key.id);
        }
        sweep.renew(keys);
        self.rows = sweep.findings;
    }

    /// All keys of ours that were found, each once.
    pub fn all(&self) -> Vec<KeyId> {
        let found = self.rows.iter().filter_map(|row| row.key.as_ref()).map(|found| found.key.id);
        found.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Those that are ticked.
    pub fn chosen(&self) -> (Vec<KeyId>, Vec<Key>) {
        let ids: Vec<KeyId> = self.ticked.iter().copied().collect();
        let key = |id: &KeyId| {
            let mut found = self.rows.iter().filter_map(|row| row.key.as_ref());
            found.find(|found| found.key.id == *id).map(|found| found.key.clone())
        };
        let known = ids.iter().filter_map(key).collect();
        (ids, known)
    }

    /// How many keys can still work once these are revoked.
    pub fn left(&self, dead: &[Found], now: Instant) -> usize {
        let rows = self.rows.iter().filter(|row| row.can_work(now)).filter_map(|row| row.key.as_ref());
        let left = rows.map(|found| found.key.id).filter(|id| !dead.iter().any(|one| one.key.id == *id));
        left.collect::<BTreeSet<_>>().len()
    }

    /// How many are ticked.
    pub fn ticks(&self) -> usize {
        self.ticked.len()
    }

    /// Why what was written can't be kept.
    fn fault(&self) -> Option<String> {
        [&self.reason, &self.ticket]
            .into_iter()
            .find_map(|field| check_reason(field.value()).err())
            .map(|error| error.to_string())
    }

    /// What revokes what is ticked; `None` where nothing is, or the reason can't be kept.
    pub fn asking(&self) -> Option<Asking> {
        if self.ticked.is_empty() || self.fault().is_some() {
            return None;
        }
        let keys: Vec<KeyId> = self.ticked.iter().copied().collect();
        let written =
            |field: &TextField| Some(field.value().trim().to_owned()).filter(|text| !text.is_empty());
        let (reason, ticket) = (written(&self.reason), written(&self.ticket));
        let request = RevokeKeys { keys, reason, ticket, shown: None };
        Some(Box::new(move |operation| Request::Revoke { operation, request: request.clone() }))
    }

    pub fn field(&mut self) -> Option<&mut TextField> {
        Some(match self.edit? {
            Field::Reason => &mut self.reason,
            Field::Ticket => &mut self.ticket,
        })
    }

    pub fn title(&self) -> String {
        let keys: BTreeSet<KeyId> =
            self.rows.iter().filter_map(|row| row.key.as_ref()).map(|found| found.key.id).collect();
        match keys.len() {
            0 => "No key of this database".to_owned(),
            1 => "1 exposed key".to_owned(),
            keys => format!("{} exposed keys", thousands(keys as u64)),
        }
    }

    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect, at: usize, said: Vec<(Role, String)>) {
        let styles = &shell.styles;
        let wanted = u16::try_from(self.rows.len()).unwrap_or(u16::MAX).saturating_add(2 + BELOW);
        let size = Size { width: area.width, height: wanted.max(14) };
        let inner = dialog::open_as(frame, styles, area, &self.title(), size, Role::Danger);
        let lines = self.below(shell, at, usize::from(inner.width), said);
        let below = u16::try_from(lines.len()).unwrap_or(0).min(inner.height.saturating_sub(4));
        frame.render_widget(
            Line::styled(fit::cut(&self.sums(shell.now), usize::from(inner.width)), styles.of(Role::Text)),
            Rect { height: 1, ..inner },
        );
        let table = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1 + below), ..inner };
        let height = list::page(table);
        let top = scroll::follow(at.saturating_sub(height / 2), at, height, self.rows.len());
        let shown = &self.rows[top.min(self.rows.len())..self.rows.len().min(top + height)];
        let cells: Vec<_> = shown.iter().map(|row| cells(row, shell)).collect();
        let is_ticked = |line: usize| {
            shown
                .get(line)
                .and_then(|row| row.key.as_ref())
                .is_some_and(|found| self.ticked.contains(&found.key.id))
        };
        list::draw(frame, styles, table, COLUMNS, &cells, at.checked_sub(top), is_ticked);
        let place = Rect { y: table.bottom(), height: below, ..inner };
        frame.render_widget(Paragraph::new(lines), place);
        self.place_cursor(frame, place);
    }

    fn place_cursor(&self, frame: &mut Frame, place: Rect) {
        let (field, line) = match self.edit {
            Some(Field::Reason) => (&self.reason, 2),
            Some(Field::Ticket) => (&self.ticket, 3),
            None => return,
        };
        let (_, cursor) = field.visible(place.width.saturating_sub(LABEL));
        if line < place.height {
            frame.set_cursor_position((place.x + LABEL + cursor, place.y + line));
        }
    }

    /// What is known of the chosen one, what would be written, and the question.
    fn below(&self, shell: &Shell, at: usize, width: usize, said: Vec<(Role, String)>) -> Vec<Line<'static>> {
        let styles = &shell.styles;
        let mut lines = Vec::new();
        for text in self.rows.get(at).map(|row| about(row, shell)).unwrap_or_default() {
            lines.push(Line::styled(fit::cut(&text, width), styles.of(Role::Text)));
        }
        lines.resize(2, Line::default());
        lines.push(self.field_line(styles, "Reason", &self.reason, Field::Reason, width));
        lines.push(self.field_line(styles, "Ticket", &self.ticket, Field::Ticket, width));
        if let Some(fault) = self.fault() {
            lines.push(Line::styled(fit::cut(&format!("↑ {fault}"), width), styles.of(Role::Error)));
        }
        for (role, words) in said {
            lines.extend(fit::lines(&words, width, styles.of(role)).into_iter().take(2));
        }
        let key = |action| shell.keymap.key(action);
        let mut hints = vec![(key(Action::TickFinding), "tick"), (key(Action::No), "back")];
        let act = match self.ticks() {
            1 => "revoke the ticked one".to_owned(),
            many => format!("revoke all {} ticked", thousands(many as u64)),
        };
        if !shell.may(Permission::ChangeKeys) {
            lines.push(Line::styled(
                "Viewers can't revoke keys. Show this to an operator.",
                styles.of(Role::Warning),
            ));
        } else if self.ticks() > 0 {
            let works = |row: &LeakFinding| {
                let ticked = |found: &Found| self.ticked.contains(&found.key.id);
                row.works(shell.now) && row.key.as_deref().is_some_and(ticked)
            };
            let words = match self.rows.iter().any(works) {
                true => "They stop working immediately. This can't be undone.",
                false => "None of them works now. Revoked keys can never work again.",
            };
            lines.push(Line::styled(fit::cut(words, width), styles.of(Role::Warning)));
            hints.insert(0, (key(Action::Yes), act.as_str()));
            hints.insert(1, (key(Action::Pause), "pause"));
            hints.insert(3, (key(Action::EditReason), "reason"));
        }
        let spans = hints.into_iter().flat_map(|(key, does)| {
            [
                Span::styled(key, styles.of(Role::HintKey)),
                Span::styled(format!(" {does}   "), styles.of(Role::Text)),
            ]
        });
        lines.push(Line::from_iter(spans));
        lines
    }

    fn field_line(
        &self,
        styles: &Styles,
        label: &str,
        field: &TextField,
        which: Field,
        width: usize,
    ) -> Line<'static> {
        let columns = width.saturating_sub(usize::from(LABEL));
        let (text, _) = field.visible(u16::try_from(columns).unwrap_or(u16::MAX));
        let here = self.edit == Some(which);
        let role = if here { Role::InputFocus } else { Role::Text };
        Line::from(vec![
            Span::styled(fit::pad(label, usize::from(LABEL)), styles.of(Role::Muted)),
            Span::styled(fit::pad(&text, columns), styles.of(role)),
        ])
    }

    fn sums(&self, now: Instant) -> String {
        let keys = |of: &dyn Fn(&LeakFinding) -> bool| {
            let found = self.rows.iter().filter(|row| of(row)).filter_map(|row| row.key.as_ref());
            found.map(|found| found.key.id).collect::<BTreeSet<_>>().len()
        };
        let count = |leak| self.rows.iter().filter(|row| row.leak == leak).count();
        let parts = [
            (keys(&|row| row.works(now)), "work"),
            (keys(&|row| !row.works(now)), "don't work"),
            (count(Leak::Unknown), "unknown here"),
            (count(Leak::Damaged), "damaged"),
            (count(Leak::Redacted), "redacted"),
            (count(Leak::Foreign), "of other providers"),
            (self.unread, "files unread"),
        ];
        let parts = parts.into_iter().filter(|(number, _)| *number > 0);
        parts
            .map(|(number, words)| format!("{} {words}", thousands(number as u64)))
            .collect::<Vec<_>>()
            .join(" · ")
    }
}

/// Columns that the label of a field takes.
const LABEL: u16 = 8;

const COLUMNS: &[Column] = &[
    column("State", 10),
    column("Name", 0),
    column("Account", 16),
    column("Where", 14),
    number("24 h", 7),
    column("Last used", 12),
    column("Scopes", 30),
];

fn cells(row: &LeakFinding, shell: &Shell) -> Vec<list::Cell> {
    let line = row.place.line.map(|line| format!("line {line}")).unwrap_or_default();
    let place = if row.place.source.as_str() == "-" {
        line
    } else {
        format!("{}:{}", row.place.source, row.place.line.unwrap_or(0))
    };
    let place = fit::cut_left(&place, 14);
    let Some(found) = &row.key else {
        let state = match row.leak {
            Leak::Unknown => "unknown",
            leak => leak.as_str(),
        };
        let role = if row.leak == Leak::Foreign { Role::Muted } else { Role::Warning };
        let name = row.provider.as_deref().or(row.issuer.as_deref()).unwrap_or_default().to_owned();
        return vec![(state.into(), role), (name, role), (String::new(), role), (place, Role::Text)];
    };
    let key = &found.key;
    let works = row.works(shell.now);
    let (state, role) = if works {
        ("works".to_owned(), Role::Danger)
    } else {
        (key.status(shell.now).as_str().to_owned(), Role::Ok)
    };
    let used = key.last_used_at.map_or_else(|| "never".to_owned(), |at| times::relative(at, shell.now));
    vec![
        (state, role),
        (key.name.as_str().to_owned(), Role::Text),
        (key.account.clone(), Role::Text),
        (place, Role::Text),
        (thousands(row.seen.total()), Role::Text),
        (used, Role::Text),
        (key.scopes.to_string(), Role::Text),
    ]
}

/// Two lines about a finding.
fn about(row: &LeakFinding, shell: &Shell) -> Vec<String> {
    let Some(found) = &row.key else {
        let fits: Vec<String> =
            row.candidates.iter().map(|key| format!("{} ({})", key.name, key.account)).collect();
        let may = if fits.is_empty() { String::new() } else { format!("May be {}", fits.join(", ")) };
        return vec![row.words.as_str().to_owned(), may];
    };
    let key = &found.key;
    let used = key.last_used_at.map_or_else(|| "never".to_owned(), |at| times::relative(at, shell.now));
    let from = key.last_used_from.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
    let admins: Vec<&str> = found.admins.iter().map(|admin| admin.as_str()).collect();
    vec![
        format!("{}  {}  {}  tell {}", key.preview, key.name, key.account, admins.join(", ")),
        format!(
            "last used {used}{from} · 24 h: {} allowed, {} refused · scopes {}",
            thousands(row.seen.allowed),
            thousands(row.seen.refused.saturating_add(row.seen.limited)),
            key.scopes
        ),
    ]
}
