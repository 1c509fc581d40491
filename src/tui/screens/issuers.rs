//! The products that give out keys, and their policies, readable.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::issuer::{Former, Issuer, Policy};
use crate::domain::query::{Query, QueryError};
use crate::domain::secret::Body;
use crate::domain::subjects::Subjects;
use crate::domain::text::{SafeText, thousands};
use crate::domain::when::Here;
use crate::service::Count;
use crate::tui::effect::{Effect, Outcomes, Reply, Request, RequestId, To};
use crate::tui::latest::Latest;
use crate::tui::listing::{Chunk, Empty, Listing, Part as Piece, Rows, Source};
use crate::tui::opening::{About, Made, Opening, Part};
use crate::tui::screen::{Screen, its_rows};
use crate::tui::shell::Shell;
use crate::tui::view::times;
use crate::tui::widgets::list::{self, column, list_area, number};
use crate::tui::words::{ScreenId, Severity};

#[cfg(test)]
mod tests;

#[derive(Debug, Default)]
struct Issuers;

impl Source for Issuers {
    type Row = Issuer;
    type Id = String;
    type Filter = String;

    const SCREEN: ScreenId = ScreenId::Issuers;
    const ABOUT: Subjects = Subjects::ISSUERS;
    const FILTER: Option<&'static str> = Some("a part of the issuer, its name or its prefix");

    fn id(row: &Issuer) -> String {
        row.slug.clone()
    }

    fn parse(text: &str, _: Here) -> Result<String, QueryError> {
        Ok(text.trim().to_lowercase())
    }

    fn fits(filter: &String, row: &Issuer) -> bool {
        [&row.slug, &row.policy.name, &row.policy.format.prefix]
            .iter()
            .any(|text| text.to_lowercase().contains(filter))
    }

    fn reads_same(_: &String, _: &String) -> bool {
        true
    }

    fn answer(&self, reply: Reply) -> Option<Outcomes<Chunk<Issuer>>> {
        Some(reply.try_as_issuers()?.map(Chunk::whole))
    }

    fn made(made: &Made) -> Option<String> {
        if let Made::Issuer(name) = made { Some(name.clone()) } else { None }
    }

    fn request(&self, _: &String, _: Piece<'_, Issuer>, _: u32) -> Request {
        Request::Issuers
    }
}

/// The issuers and the selection.
#[derive(Debug, Default)]
pub struct State {
    rows: Listing<Issuers>,
    /// How many keys violate the policy that is read.
    violations: Latest,
}

const ME: To = To::Screen(ScreenId::Issuers);

impl Screen for State {
    its_rows!();

    fn enter(&mut self, shell: &mut Shell) -> Vec<Effect> {
        // What the shell knows of them is shown until they are read.
        if let Some(issuers) = shell.issuers.as_ref().filter(|_| !self.rows.loaded) {
            self.rows.hold(issuers.clone());
        }
        self.changed(shell, Subjects::ALL)
    }

    fn act(&mut self, shell: &mut Shell, action: Action) -> Vec<Effect> {
        match action {
            Action::Open => {
                let Some(issuer) = self.rows.selected() else { return Vec::new() };
                let (title, parts) = page(issuer, shell.utc);
                // How many there are comes when they are counted.
                let filter = format!("-status:ended violates:policy issuer:{}", issuer.slug);
                let count = Query::parse(&filter, shell.here()).ok().map(Request::Count);
                shell.open(Opening::Reader { title, parts, about: Some(About { filter, revoke: None }) });
                return count.and_then(|count| self.violations.ask(shell, ME, count)).into_iter().collect();
            }
            Action::Freeze => {
                if let Some(issuer) = self.rows.selected() {
                    shell.open(Opening::Hold { of: format!("issuer:{}", issuer.slug), lift: None });
                }
            }
            Action::New => {
                let first_run = shell.issuers.as_ref().is_none_or(Vec::is_empty);
                shell.open(Opening::Preset { first_run });
            }
            _ => {}
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if let Reply::Issuers(Ok(issuers)) = &reply {
            shell.issuers = Some(issuers.clone());
        }
        if let Reply::Count(outcome) = reply {
            let Some(settled) = self.violations.settle(shell, id) else { return Vec::new() };
            let keys = match outcome {
                Ok(Count::Exactly(0)) | Err(_) => None,
                Ok(Count::Exactly(1)) => Some("1 key violates".to_owned()),
                Ok(Count::Exactly(keys)) => Some(format!("{} keys violate", thousands(keys))),
                Ok(Count::AtLeast(0)) => Some("Some keys may violate".to_owned()),
                Ok(Count::AtLeast(keys)) => Some(format!("{} keys or more violate", thousands(keys))),
            };
            if let Some(keys) = keys.filter(|_| settled.newest) {
                let open = shell.keymap.key(Action::GoToKey);
                shell.toast(Severity::Warning, format!("{keys} this policy: {open} lists them"));
            }
            return settled.next.into_iter().collect();
        }
        let page = self.page(shell);
        self.rows.reply(shell, id, reply, page).map_or_else(Vec::new, |came| came.effects)
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let new = shell.keymap.key(Action::New);
        let words = format!(" {new} adds a preset; your own: keyrack issuer apply FILE");
        self.rows.draw_bar(shell, frame, area, Line::styled(words, shell.styles.of(Role::Muted)));
        let columns = [
            column("Issuer", 14),
            column("Name", 0),
            column("Prefix", 12),
            number("Scopes", 6),
            number("Cap", 5),
            number("Rotate", 7),
            number("Version", 7),
        ];
        let empty = Empty { unfit: "No issuer matches the filter.", none: "No issuer yet." };
        self.rows.draw(shell, frame, list_area(area), &columns, cells, empty);
    }
}

fn safe(text: &str) -> String {
    SafeText::new(text).as_str().to_owned()
}

fn cells(issuer: &Issuer) -> Vec<list::Cell> {
    let policy = &issuer.policy;
    let scopes = if policy.fully_privileged() { "–".to_owned() } else { policy.scopes.len().to_string() };
    let cap = policy.caps.active_keys.map_or("–".to_owned(), |cap| cap.to_string());
    let rotate = policy.rotation.period_days.map_or("–".to_owned(), |days| format!("{days} d"));
    vec![
        (safe(&issuer.slug), Role::Text),
        (safe(&policy.name), Role::Text),
        (safe(&policy.format.prefix), Role::Muted),
        (scopes, Role::Muted),
        (cap, Role::Muted),
        (rotate, Role::Muted),
        (issuer.version.to_string(), Role::Muted),
    ]
}

/// The policy in sentences.
fn page(issuer: &Issuer, utc: bool) -> (String, Vec<Part>) {
    let policy = &issuer.policy;
    let mut parts = vec![
        Part::Fact("Issuer", safe(&issuer.slug)),
        Part::Fact(
            "Changed",
            format!("{}, version {}", times::exact(issuer.updated_at, utc), issuer.version),
        ),
        Part::Fact("Calls a key", safe(&policy.wording.noun)),
        Part::Fact("Ends it by", safe(&policy.wording.revoke)),
    ];
    parts.extend(rules(policy));
    parts.push(Part::Space);
    if policy.fully_privileged() {
        parts.push(Part::Heading("Scopes".into()));
        parts.push(Part::Words("None: a key is fully privileged on its account.".into()));
    } else {
        parts.push(Part::Heading(format!("Scopes ({})", policy.scopes.len())));
        let wide = policy.scopes.iter().map(|rule| rule.name.chars().count()).max().unwrap_or(0);
        for rule in &policy.scopes {
            parts.push(Part::Words(safe(&format!("{:wide$}  {}", rule.name, rule.description))));
        }
    }
    if !policy.plans.is_empty() {
        parts.extend([Part::Space, Part::Heading("Plans".into())]);
        for plan in &policy.plans {
            let per = |limit: Option<u32>, unit| limit.map(|limit| format!("{limit} requests {unit}"));
            let limits = [per(plan.requests_per_hour, "an hour"), per(plan.requests_per_minute, "a minute")];
            let limits: Vec<String> = limits.into_iter().flatten().collect();
            let limits = if limits.is_empty() { "agreed per customer".into() } else { limits.join(", ") };
            parts.push(Part::Words(safe(&format!("{}: {limits}", plan.name))));
        }
    }
    (safe(&policy.name), parts)
}

fn rules(policy: &Policy) -> Vec<Part> {
    let body = match policy.format.body {
        Body::Hex => "64 hexadecimal digits",
        Body::Base62Checksum => "43 base-62 digits and a checksum of 6",
    };
    let mut secret = format!("{} and {body}", policy.format.prefix);
    if !policy.format.former_prefixes.is_empty() {
        secret.push_str(&format!("; formerly {}", policy.format.former_prefixes.join(", ")));
    }
    if !policy.format.former.is_empty() {
        let forms: Vec<String> = policy.format.former.iter().map(Former::words).collect();
        secret.push_str(&format!("; of other products: {}", forms.join(", ")));
    }
    let choices: Vec<String> = policy.expiry.choices.iter().map(ToString::to_string).collect();
    let custom = if policy.expiry.custom { ", or any other instant" } else { "" };
    let longest = policy.expiry.max_days.map(|days| format!("; at most {days} days")).unwrap_or_default();
    let required = if policy.expiry.require_expiry { "; an expiry is required" } else { "" };
    let limit = |limit: Option<u32>, words: &str| limit.map(|limit| format!("{limit} {words}"));
    let caps: Vec<String> = [
        limit(policy.caps.active_keys, "active keys per account"),
        limit(policy.caps.creations_per_minute, "creations a minute per account"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let period =
        policy.rotation.period_days.map_or("when you like".into(), |days| format!("every {days} days"));
    let overlap = if policy.rotation.overlap {
        "the old key may overlap"
    } else {
        "the old key stops working immediately"
    };
    let reminders: Vec<String> = policy.reminders.days_before.iter().map(ToString::to_string).collect();
    let headers: Vec<&str> = [
        policy.headers.bearer.then_some("Authorization: Bearer"),
        policy.headers.api_key.then_some("X-API-Key"),
        policy.headers.case_sensitive.then_some("(its case matters)"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut parts = vec![
        Part::Fact("Secret", safe(&secret)),
        Part::Fact(
            "Expiry",
            format!("{}{custom}{longest}{required}; {} at first", choices.join(", "), policy.expiry.default),
        ),
        Part::Fact("Limits", if caps.is_empty() { "none".into() } else { caps.join(", ") }),
        Part::Fact("Rotation", format!("{period}; {overlap}")),
        Part::Fact("Headers", headers.join(", ")),
    ];
    if !reminders.is_empty() {
        parts.push(Part::Fact("Reminders", format!("{} days before the expiry", reminders.join(" and "))));
    }
    let help = [("Replace at", &policy.help.replace_url), ("Questions to", &policy.help.contact)];
    parts
        .extend(help.into_iter().filter_map(|(name, value)| Some(Part::Fact(name, safe(value.as_deref()?)))));
    if let Some(check) = &policy.check {
        parts.push(Part::Fact("Check call", safe(&format!("{} {}", check.method, check.url))));
    }
    parts
}
