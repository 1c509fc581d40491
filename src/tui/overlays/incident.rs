//! The story of an incident, as a page: the report that `keyrack incident report` writes, to be read and copied.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::reader;
use crate::config::keymap::{Action, Context};
use crate::domain::key::KeyId;
use crate::domain::text::thousands;
use crate::service::{Incident, IncidentOrder};
use crate::tui::effect::{CopyText, Effect, Reply, Request, RequestId, To};
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::Part;
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::view::times;

/// The page, and the report once it was read.
#[derive(Debug)]
pub struct State {
    asked: RequestId,
    page: reader::State,
    report: Option<Box<Incident>>,
}

const TITLE: &str = "Incident report";

/// Asks for the report about these keys; without any about all that something was decided about lately.
pub fn open(shell: &mut Shell, number: u64, keys: Vec<KeyId>) -> Opened {
    let keys = Some(keys).filter(|keys| !keys.is_empty());
    let order = IncidentOrder { keys, ..IncidentOrder::default() };
    let (asked, effect) = shell.ask(To::Overlay(number), Request::Incident(Box::new(order)));
    let page = reader::page(TITLE.into(), vec![Part::Words("reading…".into())]);
    Opened::new(State { asked, page, report: None }, vec![effect])
}

impl Layer for State {
    fn context(&self) -> Context {
        self.page.context()
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if let (Some(Action::CopyReport), Some(report)) = (input.action(), &self.report) {
            let copy = Request::Copy(CopyText::Lines("the report was", report.markdown().into()));
            return vec![shell.ask(To::Shell, copy).1];
        }
        self.page.input(shell, input)
    }

    fn typed(&self, _: &Shell) -> Option<Typed> {
        Some(Typed::new("incident report"))
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if self.asked != id {
            return Vec::new();
        }
        match reply {
            Reply::Incident(Ok(report)) => {
                self.page = reader::page(TITLE.into(), parts(shell, &report));
                self.report = Some(report);
            }
            Reply::Incident(Err(failure)) => {
                self.page = reader::page(TITLE.into(), vec![Part::Words(failure.text.to_string())]);
            }
            _ => {}
        }
        Vec::new()
    }

    fn label(&self, shell: &Shell, action: Action, label: &'static str) -> Option<Cow<'static, str>> {
        match action {
            Action::CopyReport => self.report.is_some().then(|| label.into()),
            action => self.page.label(shell, action, label),
        }
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.page.draw(shell, frame, area);
    }
}

fn parts(shell: &Shell, report: &Incident) -> Vec<Part> {
    let at = |at| times::exact(at, shell.utc);
    let mut parts = vec![
        Part::Words(report.summary()),
        Part::Fact("Exposed since", at(report.since)),
        Part::Fact("Told at", format!("{} by {}", at(report.until), report.told_by)),
        Part::Fact("Database", report.database.to_string()),
        Part::Space,
        Part::Words(format!("{} copies the report as Markdown.", shell.keymap.key(Action::CopyReport))),
    ];
    if report.keys.is_empty() {
        parts.push(Part::Words("Nothing was decided about any key in this time.".into()));
    }
    let section = |parts: &mut Vec<Part>, title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            parts.extend([Part::Space, Part::Heading(title.to_owned())]);
            parts.extend(lines.into_iter().map(Part::Words));
        }
    };
    let mut keys: Vec<String> = Vec::new();
    for key in &report.keys {
        let ended = key.ended_at.map(|end| format!(" since {}", at(end))).unwrap_or_default();
        let refused = key.requests.refused.saturating_add(key.requests.limited);
        let after = key.after_end.as_ref().map(|late| format!("; {}", late.words())).unwrap_or_default();
        keys.push(format!("{}  {}  {}", key.preview, key.name, key.account));
        let (passed, refused) = (thousands(key.requests.allowed), thousands(refused));
        keys.push(format!("  {}{ended}: {passed} passed, {refused} refused{after}", key.status));
    }
    keys.extend((report.left_out > 0).then(|| format!("and {} more", thousands(report.left_out as u64))));
    section(&mut parts, "Keys", keys);
    let decisions = report.decisions.iter().map(|one| {
        let more = if one.keys > 1 {
            format!(" and {} more", thousands(one.keys as u64 - 1))
        } else {
            String::new()
        };
        let reason = one.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let ticket = one.ticket.as_ref().map(|ticket| format!(" ({ticket})")).unwrap_or_default();
        format!("{}  {}  {} {}{more}{reason}{ticket}", at(one.at), one.who, one.action, one.first)
    });
    section(&mut parts, "Decisions", decisions.collect());
    let gates = report.gates.iter().map(|gate| format!("{} on {}: {}", gate.name, gate.host, gate.state));
    section(&mut parts, "Gates", gates.collect());
    let letters = report.letters.iter().map(|one| {
        format!(
            "{}  {}: {}, {} keys, {}",
            at(one.at),
            one.to,
            one.about,
            thousands(one.keys as u64),
            one.state
        )
    });
    section(&mut parts, "Who was told", letters.collect());
    let alerts = report.alerts.iter().map(|one| format!("{}  {}", at(one.at), one.words));
    section(&mut parts, "Alerts", alerts.collect());
    parts
}
