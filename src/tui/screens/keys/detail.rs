//! Everything that is known about the selected key.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};
use unicode_width::UnicodeWidthStr;

use super::columns;
use super::state::State;
use super::usage::{KeyUse, SPANS};
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::Instant;
use crate::domain::account::Account;
use crate::domain::audit::Entry;
use crate::domain::key::{Key, Status};
use crate::domain::usage::Late;
use crate::tui::shell::Shell;
use crate::tui::view::{key_facts, limits, times};
use crate::tui::widgets::{fit, sparkline};

/// Width of the column of labels.
const LABEL: usize = 13;

pub fn draw(state: &State, shell: &Shell, frame: &mut Frame, area: Rect) {
    let styles = &shell.styles;
    let border = styles.of(if state.detail.focused { Role::DialogBorder } else { Role::Border });
    frame.render_widget(block(area).border_style(border), area);
    let inner = inside(area);
    let lines = selected(state, shell, inner);
    let most = below(lines.len(), inner);
    if state.detail.focused {
        frame.set_cursor_position(inner.as_position());
    }
    // Whose all this is stays visible.
    let name = state.selected_key().map_or(0, |key| fit::wrap(&key.name, usize::from(inner.width)).len());
    let name = u16::try_from(name).unwrap_or(u16::MAX).min(inner.height / 2);
    let mut lines = lines;
    let rest = lines.split_off(usize::from(name).min(lines.len()));
    frame.render_widget(Paragraph::new(lines), Rect { height: name, ..inner });
    let below = Rect { y: inner.y + name, height: inner.height - name, ..inner };
    frame.render_widget(Paragraph::new(rest).scroll((state.detail.scroll.min(most), 0)), below);
}

/// How many lines the detail can be scrolled by.
pub fn most(state: &State, shell: &Shell) -> u16 {
    let Some(area) = state.areas(shell).detail else { return 0 };
    let inner = inside(area);
    below(selected(state, shell, inner).len(), inner)
}

/// A line towards the table.
fn block(area: Rect) -> Block<'static> {
    Block::new().borders(if area.x > 0 { Borders::LEFT } else { Borders::TOP })
}

fn inside(area: Rect) -> Rect {
    let inner = block(area).inner(area);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

fn below(lines: usize, area: Rect) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX).saturating_sub(area.height)
}

/// What is known of the selected key.
fn selected(state: &State, shell: &Shell, area: Rect) -> Vec<Line<'static>> {
    let Some(key) = state.selected_key() else { return Vec::new() };
    let trail = state.detail.trail.as_ref().filter(|(of, _)| *of == key.id);
    let known = Known {
        trail: trail.map(|(_, trail)| trail.as_slice()),
        used: state.uses.of(key.id),
        late: state.detail.late.as_ref().filter(|(of, _)| *of == key.id).and_then(|(_, late)| late.as_ref()),
        account: state.detail.account.as_ref().filter(|account| account.slug == key.account),
    };
    lines(key, known, state.now(shell), shell, usize::from(area.width))
}

/// What was read besides the key, as far as it has come.
#[derive(Clone, Copy)]
struct Known<'a> {
    /// Its audit, newest first.
    trail: Option<&'a [Entry]>,
    used: Option<&'a KeyUse>,
    late: Option<&'a Late>,
    account: Option<&'a Account>,
}

/// All that is known of a key, as lines of at most `width` columns.
fn lines(key: &Key, known: Known<'_>, now: Instant, shell: &Shell, width: usize) -> Vec<Line<'static>> {
    let mut page = Page { lines: Vec::new(), shell, width };
    for line in fit::wrap(&key.name, width) {
        page.lines.push(Line::styled(line, shell.styles.of(Role::Title)));
    }
    for line in fit::wrap(&key.description, width).into_iter().filter(|line| !line.is_empty()) {
        page.lines.push(Line::styled(line, shell.styles.of(Role::Muted)));
    }
    page.gap();
    facts(&mut page, key, known, now);
    page.gap();
    page.lines.push(Line::styled("Audit", shell.styles.of(Role::Header)));
    match known.trail {
        None => page.lines.push(Line::styled("…", shell.styles.of(Role::Muted))),
        Some(trail) => {
            for entry in trail {
                page.entry(entry, now);
            }
        }
    }
    page.lines
}

fn facts(page: &mut Page<'_>, key: &Key, known: Known<'_>, now: Instant) {
    let shell = page.shell;
    let (word, style) = columns::status(key, now, shell);
    page.lines.push(Line::from(vec![page.label("Status"), Span::styled(word, style)]));
    if key.status(now) == Status::Refused {
        page.fact("", "its policy has no such prefix any more, and gates refuse it");
    }
    if let Some(late) = known.late {
        page.warning("After its end", &late.words());
        page.fact("", &format!("{} tells the account's admins", shell.keymap.key(Action::TellAdmins)));
    }
    if key.rotation_due(now) {
        page.fact("", "active, but past its rotation period");
    }
    if !key.odd.is_empty() {
        page.fact("Can't be read", &key.odd);
    }
    if let Some(words) = key_facts::undone(shell, key) {
        page.fact("Undone", &words);
    }
    page.fact("Key", &key.preview);
    page.fact("Id", &key.id.to_string());
    page.fact("Account", &key.account);
    page.fact("Issuer", &key.issuer);
    if let Some(owner) = &key.owner {
        page.fact("Owner", &owner.words());
    }
    for (i, tag) in key.tags.iter().enumerate() {
        page.fact(if i == 0 { "Tags" } else { "" }, tag);
    }
    if let Some(words) = key_facts::without_scopes(shell, key) {
        page.fact("Scopes", words);
    }
    for (i, scope) in key.scopes.iter().enumerate() {
        page.fact(if i == 0 { "Scopes" } else { "" }, scope);
    }
    if key.allow.is_empty() {
        page.fact("Allow-list", "any address");
    }
    for (i, net) in key.allow.as_slice().iter().enumerate() {
        page.fact(if i == 0 { "Allow-list" } else { "" }, &net.to_string());
    }
    if let Some(issuer) = shell.issuer(&key.issuer) {
        let budgets = limits::words(&issuer.policy, known.account, key);
        // The line is there from the beginning, so that nothing moves when the account has come.
        let budgets = if budgets.is_empty() { vec!["…".to_owned()] } else { budgets };
        for (i, words) in budgets.iter().enumerate() {
            page.fact(if i == 0 { "Limits" } else { "" }, words);
        }
    }
    page.time("Created", Some(key.created_at), "", now);
    page.fact("", &format!("by {}", key.created_by));
    page.time("Expires", key.expires_at, "never", now);
    if let Some(at) = key.starts_at(now).filter(|_| !key.has_ended(now)) {
        page.time("Works from", Some(at), "", now);
    }
    if let Some(plan) = key.plan_ahead(now) {
        page.time("Revoked at", Some(plan.at), "", now);
        let why = plan.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        page.fact("", &format!("planned by {}{why}", plan.by));
    }
    if let Some(pause) = key.held(now).filter(|_| !key.has_ended(now)) {
        let label = if pause.freeze.is_some() { "Frozen until" } else { "Paused until" };
        page.time(label, Some(pause.until), "", now);
        let why = pause.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        page.fact("", &format!("by {}{why}", pause.by));
    }
    match (key.claim_by(), key.status(now)) {
        (
            Some(at),
            Status::Active | Status::Planned | Status::Paused | Status::Suspended | Status::Refused,
        ) => {
            page.time("Confirm by", Some(at), "", now);
            page.fact("", "else it expires, unless somebody uses it");
        }
        (None, _) if key.acknowledged_at.is_none() => page.fact("Confirmed", "no, but it was used"),
        _ => page.time("Confirmed", key.acknowledged_at, "never: nobody confirmed the secret", now),
    }
    page.time("Last used", key.last_used_at, "never", now);
    if let Some(from) = &key.last_used_from {
        page.fact("", &format!("from {from}"));
    }
    if let Some(endpoint) = &key.last_used_endpoint {
        page.fact("", &format!("for {endpoint}"));
    }
    page.usage(known.used);
    if key.rotation_due_at.is_some() {
        page.time("Rotation due", key.rotation_due_at, "", now);
    }
    if let Some(id) = key.predecessor {
        page.fact("Replaces", &id.to_string());
    }
    if let Some(id) = key.successor {
        page.fact("Replaced by", &id.to_string());
    }
    if let Some(revoked) = key.revoked(now) {
        page.time("Revoked", Some(revoked.at), "", now);
        if revoked.by.is_some() {
            page.fact("", revoked.by_whom().trim_start());
        }
        if let Some(reason) = revoked.reason {
            page.fact("Reason", reason);
        }
    }
}

/// Lines under way.
struct Page<'a> {
    lines: Vec<Line<'static>>,
    shell: &'a Shell,
    width: usize,
}

impl Page<'_> {
    fn gap(&mut self) {
        self.lines.push(Line::default());
    }

    fn label(&self, label: &str) -> Span<'static> {
        Span::styled(format!("{label:LABEL$} "), self.shell.styles.of(Role::Label))
    }

    /// A label and its value, uncut: it goes on below itself.
    fn fact(&mut self, label: &str, value: &str) {
        self.said(label, value, Role::Text);
    }

    fn warning(&mut self, label: &str, value: &str) {
        self.said(label, value, Role::Warning);
    }

    fn said(&mut self, label: &str, value: &str, role: Role) {
        let style = self.shell.styles.of(role);
        for (i, line) in fit::wrap(value, self.width.saturating_sub(LABEL + 1)).into_iter().enumerate() {
            let label = self.label(if i == 0 { label } else { "" });
            self.lines.push(Line::from(vec![label, Span::styled(line, style)]));
        }
    }

    /// An exact instant, and how far away it is.
    fn time(&mut self, label: &str, at: Option<Instant>, none: &str, now: Instant) {
        let Some(at) = at else { return self.fact(label, none) };
        let exact = times::exact(at, self.shell.utc);
        let past = matches!(label, "Created" | "Last used");
        let relative = if past { times::ago(at, now) } else { times::relative(at, now) };
        let style = self.shell.styles.of(Role::Text);
        let muted = self.shell.styles.of(Role::Muted);
        if LABEL + 3 + exact.width() + relative.width() > self.width {
            self.fact(label, &exact);
            return self.fact("", &relative);
        }
        let spans =
            vec![self.label(label), Span::styled(exact, style), Span::styled(format!("  {relative}"), muted)];
        self.lines.push(Line::from(spans));
    }

    /// The last 24 hours as small bars, and the day's requests by how they ended.
    fn usage(&mut self, used: Option<&KeyUse>) {
        let Some(used) = used else {
            self.fact("Last 24 hours", "…");
            return self.fact("Today", "…");
        };
        let cells = if self.width >= LABEL + 1 + SPANS { SPANS } else { SPANS / 2 };
        if used.spans.iter().all(|requests| *requests == 0) {
            self.fact("Last 24 hours", "no request");
        } else {
            let bars = sparkline::text(&used.spans, cells, self.shell.ascii);
            let spans =
                vec![self.label("Last 24 hours"), Span::styled(bars, self.shell.styles.of(Role::Bar))];
            self.lines.push(Line::from(spans));
        }
        let counts = used.today;
        let words =
            format!("{} allowed, {} refused, {} limited", counts.allowed, counts.refused, counts.limited);
        self.fact("Today", &words);
    }

    fn entry(&mut self, entry: &Entry, now: Instant) {
        let action = entry.action.strip_prefix("key.").unwrap_or(&entry.action).to_owned();
        let when = times::relative(entry.at, now);
        let muted = self.shell.styles.of(Role::Muted);
        let spans = vec![
            Span::styled(format!("{when:LABEL$} "), muted),
            Span::styled(format!("{action:12} "), self.shell.styles.of(Role::Text)),
            Span::styled(entry.actor.to_string(), muted),
        ];
        self.lines.push(Line::from(spans));
    }
}
