//! Everything that is known about the selected key.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};
use unicode_width::UnicodeWidthStr;

use super::columns;
use super::state::State;
use super::view::Areas;
use crate::config::theme::Role;
use crate::domain::Instant;
use crate::domain::audit::Entry;
use crate::domain::key::{Key, Status};
use crate::tui::state::Shell;
use crate::tui::view::text::wrap;
use crate::tui::view::times;

/// Width of the column of labels.
const LABEL: usize = 13;

pub fn draw(state: &State, shell: &Shell, frame: &mut Frame, area: Rect) {
    let styles = &shell.styles;
    let border = styles.of(if state.detail.focused { Role::DialogBorder } else { Role::Border });
    frame.render_widget(block(area).border_style(border), area);
    let inner = inside(area);
    let lines = selected(state, shell, inner);
    let most = below(lines.len(), inner);
    frame.render_widget(Paragraph::new(lines).scroll((state.detail.scroll.min(most), 0)), inner);
}

/// How many lines the detail can be scrolled by.
pub fn most(state: &State, shell: &Shell) -> u16 {
    let Some(area) = Areas::of(state, shell).detail else { return 0 };
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
    let trail = trail.map(|(_, trail)| trail.as_slice());
    lines(key, trail, state.now(shell), shell, usize::from(area.width))
}

/// All that is known of a key, as lines of at most `width` columns. `trail` is its audit, newest first, once read.
pub fn lines(
    key: &Key,
    trail: Option<&[Entry]>,
    now: Instant,
    shell: &Shell,
    width: usize,
) -> Vec<Line<'static>> {
    let mut page = Page { lines: Vec::new(), shell, width };
    for line in wrap(&key.name, width) {
        page.lines.push(Line::styled(line, shell.styles.of(Role::Title)));
    }
    for line in wrap(&key.description, width).into_iter().filter(|line| !line.is_empty()) {
        page.lines.push(Line::styled(line, shell.styles.of(Role::Muted)));
    }
    page.gap();
    facts(&mut page, key, now);
    page.gap();
    page.lines.push(Line::styled("Audit", shell.styles.of(Role::Header)));
    match trail {
        None => page.lines.push(Line::styled("…", shell.styles.of(Role::Muted))),
        Some(trail) => {
            for entry in trail {
                page.entry(entry, now);
            }
        }
    }
    page.lines
}

fn facts(page: &mut Page<'_>, key: &Key, now: Instant) {
    let shell = page.shell;
    let (word, style) = columns::status(key, now, &shell.styles);
    page.lines.push(Line::from(vec![page.label("Status"), Span::styled(word, style)]));
    if key.rotation_due(now) {
        page.fact("", "active, but past its rotation period");
    }
    page.fact("Key", &key.preview);
    page.fact("Id", &key.id.to_string());
    page.fact("Account", &key.account);
    page.fact("Issuer", &key.issuer);
    if key.scopes.is_empty() {
        let full = shell.issuer(&key.issuer).is_some_and(|issuer| issuer.policy.fully_privileged());
        page.fact("Scopes", if full { "everything on its account" } else { "none" });
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
    page.time("Created", Some(key.created_at), "", now);
    page.fact("", &format!("by {}", key.created_by));
    page.time("Expires", key.expires_at, "never", now);
    match (key.claim_by(), key.status(now)) {
        (Some(at), Status::Active) => {
            page.time("Dies", Some(at), "", now);
            page.fact("", "unless somebody confirms the secret at the reveal, or uses it");
        }
        (None, _) if key.acknowledged_at.is_none() => page.fact("Acknowledged", "no, but it was used"),
        _ => page.time("Acknowledged", key.acknowledged_at, "never: nobody took the secret over", now),
    }
    page.time("Last used", key.last_used_at, "never", now);
    if let Some(from) = &key.last_used_from {
        page.fact("", &format!("from {from}"));
    }
    if key.rotation_due_at.is_some() {
        page.time("Rotation due", key.rotation_due_at, "", now);
    }
    if let Some(id) = key.predecessor {
        page.fact("Replaces", &id.to_string());
    }
    if let Some(id) = key.successor {
        page.fact("Replaced by", &id.to_string());
    }
    if key.revoked_at.is_some() {
        page.time("Revoked", key.revoked_at, "", now);
        if let Some(by) = &key.revoked_by {
            page.fact("", &format!("by {by}"));
        }
        if let Some(reason) = &key.revoke_reason {
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
        let style = self.shell.styles.of(Role::Text);
        for (i, line) in wrap(value, self.width.saturating_sub(LABEL + 1)).into_iter().enumerate() {
            let label = self.label(if i == 0 { label } else { "" });
            self.lines.push(Line::from(vec![label, Span::styled(line, style)]));
        }
    }

    /// An exact instant, and how far away it is.
    fn time(&mut self, label: &str, at: Option<Instant>, none: &str, now: Instant) {
        let Some(at) = at else { return self.fact(label, none) };
        let exact = times::exact(at, self.shell.utc);
        let relative = times::relative(at, now);
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
