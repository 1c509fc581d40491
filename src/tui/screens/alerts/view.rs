//! The picture of the gates and the alerts.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::{State, page};
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::freshness::Freshness;
use crate::domain::text::thousands;
use crate::service::{GateStanding, RaisedAlert};
use crate::tui::listing::{Absent, draw_words};
use crate::tui::shell::Shell;
use crate::tui::view::room::body;
use crate::tui::view::{shown, times};
use crate::tui::widgets::fit;
use crate::tui::widgets::list::{self, column};
use crate::tui::widgets::tabs::{self, Tab};

/// Lines about the selected alert, below the list.
const STRIP: u16 = 2;
/// Columns before the text.
const MARGIN: usize = 2;

/// Where the parts of the screen are.
struct Areas {
    gates: Rect,
    /// Tabs or filter.
    bar: Rect,
    list: Rect,
    strip: Rect,
}

impl Areas {
    /// `gates`: lines that the gates take if there is room.
    fn of(area: Rect, gates: usize) -> Self {
        let (most, gap) = match area.height {
            0..16 => (1, 0),
            16..24 => (4, 1),
            _ => (9, 1),
        };
        let height = u16::try_from(gates).unwrap_or(most).min(most);
        let gates = Rect { height, ..area };
        let bar = Rect { y: gates.bottom() + gap, height: 1, ..area };
        let strip = Rect { y: area.bottom() - STRIP, height: STRIP, ..area };
        let list = Rect { y: bar.bottom(), height: strip.y.saturating_sub(bar.bottom()), ..area };
        Self { gates, bar, list, strip }
    }
}

impl State {
    /// Where the list is on the screen.
    pub(super) fn list_of(&self, shell: &Shell) -> Rect {
        self.areas(shell, body(shell)).list
    }

    fn areas(&self, shell: &Shell, area: Rect) -> Areas {
        Areas::of(area, self.gate_lines(shell, usize::from(area.width)).len())
    }

    pub(super) fn draw_all(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let areas = self.areas(shell, area);
        let width = usize::from(area.width);
        let mut gates = self.gate_lines(shell, width);
        let room = usize::from(areas.gates.height);
        if gates.len() > room && room > 0 {
            let more = gates.len() - room + 1;
            gates.truncate(room - 1);
            let words = format!("  and {more} more");
            gates.push(Line::styled(words, shell.styles.of(Role::Muted)));
        }
        frame.render_widget(Paragraph::new(gates), areas.gates);
        self.rows.draw_bar(shell, frame, areas.bar, self.tabs(shell, width));
        if self.rows.is_empty() {
            let below = Rect {
                y: areas.list.y + 1.min(areas.list.height),
                height: (areas.list.height + STRIP).saturating_sub(1),
                ..areas.list
            };
            let sentences = self.empty(shell);
            draw_words(shell, frame, below, &sentences.iter().map(String::as_str).collect::<Vec<_>>());
            self.rows.filter.draw_mistake(&shell.styles, frame, areas.list);
            return;
        }
        let wide = area.width >= 130;
        let mut columns = vec![
            column("Severity", 10),
            column("When", shown::past_columns(shell, 8)),
            column("What", 15),
            column("About", if wide { 30 } else { 0 }),
        ];
        if wide {
            columns.push(column("Told", 0));
        }
        columns.extend([
            column("Account", if wide { 14 } else { 10 }),
            if wide { column("Acknowledged", 20) } else { column("Seen by", 9) },
        ]);
        self.rows.draw_rows(shell, frame, areas.list, &columns, |row| cells(shell, row, wide));
        if let Some(row) = self.rows.selected() {
            frame.render_widget(Paragraph::new(strip(shell, row, width)), areas.strip);
        }
    }

    /// The gates with what they have applied and their last sign; or how to start one.
    fn gate_lines(&self, shell: &Shell, width: usize) -> Vec<Line<'static>> {
        let styles = &shell.styles;
        let Some(gates) = &self.gates else { return vec![Line::default(); 2] };
        if gates.is_empty() {
            let words = "No gate is running, so none checks keys or raises alerts.";
            // With the database in it: the settings of whoever starts it may name another one.
            let how = format!("`keyrack --db {} gate` starts one.", argument(&shell.database));
            let wrapped = |words: &str, role| {
                let parts = fit::wrap(words, width.saturating_sub(2 * MARGIN)).into_iter();
                parts.map(move |part| Line::styled(format!("  {part}"), styles.of(role))).collect::<Vec<_>>()
            };
            return [wrapped(words, Role::Warning), wrapped(&how, Role::Muted)].concat();
        }
        let heading =
            gate_line(["Gate", "State", "Host", "Listens on", "Version", "Applied"].map(String::from), width);
        let mut lines = vec![Line::styled(heading, styles.of(Role::Header))];
        let newest = gates.iter().map(|gate| gate.applied).max().unwrap_or(0);
        for gate in gates {
            let (state, role) = match gate.alive {
                true => (alive(gate), Role::Text),
                false => {
                    (format!("✕ silent since {}", times::clock(gate.heard_at, shell.utc)), Role::Warning)
                }
            };
            let words = [
                gate.name.as_str().to_owned(),
                state,
                gate.host.as_str().to_owned(),
                gate.listen.as_str().to_owned(),
                gate.version.as_str().to_owned(),
                applied(gate, newest),
            ];
            lines.push(Line::styled(gate_line(words, width), styles.of(role)));
        }
        lines
    }

    fn tabs(&self, shell: &Shell, columns: usize) -> Line<'static> {
        let open_only = self.rows.source.open_only;
        let count = shell.alerts.filter(|count| *count > 0);
        let all = Tab { name: "All", count: None, open: !open_only };
        let open = Tab { name: "Unacknowledged", count: count.map(thousands), open: open_only };
        tabs::line(&shell.styles, [all, open], columns)
    }

    /// What stands in the place of rows, and what to do next.
    fn empty(&self, shell: &Shell) -> Vec<String> {
        let key = |action| shell.keymap.key(action);
        match self.rows.absent() {
            Some(Absent::NotYet) => return vec!["loading…".into()],
            Some(Absent::Failed(why)) => return vec![why.to_owned()],
            Some(Absent::Unfit) => {
                return vec![format!("No alert matches. {} shows all of them.", key(Action::Back))];
            }
            _ if self.rows.source.open_only => {
                return vec![format!(
                    "Every alert is acknowledged. {} shows all of them.",
                    key(Action::Left)
                )];
            }
            _ => {}
        }
        vec![
            "No alert was raised yet. A gate raises one when".into(),
            "· a key is used far more than ever before;".into(),
            "· many failed attempts come from one address or network, or target one issuer;".into(),
            "· a key is used from a network that it was never used from before.".into(),
        ]
    }
}

/// A gate that is heard of; of one that answers from memory, for how long.
fn alive(gate: &GateStanding) -> String {
    match gate.freshness {
        Freshness::Proof => "✓ alive".to_owned(),
        lease => format!("✓ alive, {lease}"),
    }
}

/// The number of the last change that a gate has applied, and whether others are further.
fn applied(gate: &GateStanding, newest: i64) -> String {
    match newest - gate.applied {
        0 => format!("#{}", gate.applied),
        behind => format!("#{}, {behind} behind", gate.applied),
    }
}

/// A text as a shell takes it for one argument.
fn argument(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-:@=+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn gate_line(words: [String; 6], columns: usize) -> String {
    let [name, state, host, listen, version, applied] = words;
    let wide = columns >= 110;
    let (name_width, listen_width) = if wide { (20, 24) } else { (16, 17) };
    let mut line = format!("  {}  {}", fit::pad(&name, name_width), fit::pad(&state, 23));
    if wide {
        line.push_str(&format!("  {}", fit::pad(&host, 18)));
    }
    line.push_str(&format!("  {}", fit::pad(&listen, listen_width)));
    if wide {
        line.push_str(&format!("  {}", fit::pad(&version, 9)));
    }
    line.push_str(&format!("  {applied}"));
    fit::cut(&line, columns.saturating_sub(1))
}

fn cells(shell: &Shell, row: &RaisedAlert, wide: bool) -> Vec<list::Cell> {
    let when = |at| shown::past(at, shell);
    let done = row.acknowledged_at.is_some();
    let (sign, role) = page::sign(row.alert.severity());
    let (role, text) = if done { (Role::Muted, Role::Muted) } else { (role, Role::Text) };
    let mut cells = vec![
        (format!("{sign} {}", row.alert.severity().as_str()), role),
        (when(row.alert.at), Role::Muted),
        (page::kind(&row.alert.what).to_owned(), text),
        (page::about(row), text),
    ];
    if wide {
        cells.push((row.alert.sentence(), Role::Muted));
    }
    let by = match (&row.acknowledged_by, row.acknowledged_at) {
        (Some(by), Some(at)) if wide => format!("✓ {by} {}", when(at)),
        (Some(by), _) => format!("✓ {by}"),
        _ => String::new(),
    };
    cells.push((row.account.as_ref().map_or("", |account| account.as_str()).to_owned(), Role::Muted));
    cells.push((by, Role::Muted));
    cells
}

/// The selected alert in its own words.
fn strip(shell: &Shell, row: &RaisedAlert, columns: usize) -> Vec<Line<'static>> {
    let width = columns.saturating_sub(2 * MARGIN);
    let lines = fit::wrap_within(row.sentence().as_str(), width, usize::from(STRIP));
    let style = shell.styles.of(page::sign(row.alert.severity()).1);
    lines.into_iter().map(|line| Line::styled(format!("  {line}"), style)).collect()
}
