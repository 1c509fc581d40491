//! What stands where rows would be, if there are none.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::state::State;
use super::table::account_at_hand;
use super::tabs::Tab;
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::operator::Permission;
use crate::domain::query::Test;
use crate::domain::text::{SafeText, thousands};
use crate::service::Count;
use crate::tui::shell::{Link, Shell};

/// What is said where another tab may have what the open one has not; `None` where there is nothing there either.
fn elsewhere(state: &State, shell: &Shell) -> Option<Vec<Line<'static>>> {
    let open = state.tab();
    let all = match state.count_in(Tab::All) {
        _ if open == Tab::All => return None,
        Some(Count::Exactly(0)) => return None,
        // It is being counted.
        None => return Some(Vec::new()),
        Some(Count::Exactly(all)) => all,
        Some(Count::AtLeast(least)) => least,
    };
    let styles = &shell.styles;
    let filtered = if state.rows.filter.meaning.terms.is_empty() { "" } else { " matches this filter" };
    let (title, others) = match open {
        Tab::Ended => (format!("No key that has ended{filtered}"), "live"),
        _ => (format!("No live key{filtered}"), "ended"),
    };
    let way = |action: Action, words: String| {
        Line::from(vec![
            Span::styled(format!("{}  ", shell.keymap.key(action)), styles.of(Role::HintKey)),
            Span::styled(words, styles.of(Role::Text)),
        ])
    };
    let action = if open == Tab::Ended { Action::Left } else { Action::Right };
    let shows = match all {
        1 => format!("Show the one that is {others}"),
        all => format!("Show {} keys that are {others}", thousands(all)),
    };
    let mut lines = vec![Line::styled(title, styles.of(Role::Title)), Line::default(), way(action, shows)];
    if !filtered.is_empty() {
        lines.push(way(Action::Back, "Clear the filter".to_owned()));
    } else if shell.may(Permission::ChangeKeys) {
        lines.push(way(Action::New, shell.wording().new));
    }
    Some(lines)
}

pub fn draw(state: &State, shell: &Shell, frame: &mut Frame, area: Rect) {
    let lines = lines(state, shell);
    let height = u16::try_from(lines.len() + 2).unwrap_or(area.height);
    let place = area.centered(Constraint::Length(area.width.min(72)), Constraint::Length(height));
    let text = Paragraph::new(lines).alignment(Alignment::Center).wrap(Wrap { trim: true });
    frame.render_widget(text, place);
}

fn lines(state: &State, shell: &Shell) -> Vec<Line<'static>> {
    let styles = &shell.styles;
    let title = |text: &str| Line::styled(text.to_owned(), styles.of(Role::Title));
    let soft = |text: String| Line::styled(text, styles.of(Role::Muted));
    let gap = Line::default;
    if !state.rows.loaded {
        if let Link::Lost { why, .. } = &shell.link {
            return vec![title("The database can't be reached"), gap(), soft(why.to_string())];
        }
        if let Some(fault) = &state.rows.fault {
            return vec![title("The keys could not be read"), gap(), soft(fault.to_string())];
        }
        return if state.slow || shell.link == Link::Opening {
            vec![soft("Reading …".into())]
        } else {
            vec![]
        };
    }
    let way = |action: Action, words: &str| {
        Line::from(vec![
            Span::styled(format!("{}  ", shell.keymap.key(action)), styles.of(Role::HintKey)),
            Span::styled(words.to_owned(), styles.of(Role::Text)),
        ])
    };
    if state.rows.filter.mistake.is_some() {
        // What was read of it before means nothing.
        return vec![
            title("The filter can't be read"),
            gap(),
            way(Action::CancelPrompt, "Remove the filter"),
        ];
    }
    let terms = &state.rows.filter.meaning.terms;
    if let Some(lines) = elsewhere(state, shell) {
        return lines;
    }
    if let (1, Some(account)) = (terms.len(), account_at_hand(&state.rows.filter.meaning)) {
        let wording = shell.wording();
        let account = SafeText::new(account);
        let mut lines = vec![title(&format!("{account} has no {} yet", wording.noun)), gap()];
        if shell.may(Permission::ChangeKeys) {
            lines.push(way(Action::New, &wording.first));
        }
        lines.push(way(Action::Back, "Clear the filter"));
        return lines;
    }
    if !terms.is_empty() {
        let mut lines = vec![title("No match"), gap(), soft("No key matches this filter.".into())];
        if terms.iter().any(|term| matches!(term.test, Test::Text(_))) {
            lines
                .push(soft("Words are looked for in name, description, owner, tags, preview and ID.".into()));
            lines.push(soft("For an account, type account: and complete its name with Tab.".into()));
        }
        lines.extend([gap(), way(Action::Back, "Clear the filter")]);
        return lines;
    }
    if shell.issuers.as_ref().is_some_and(Vec::is_empty) {
        let mut lines = vec![
            title("Welcome to Keyrack"),
            gap(),
            soft(
                "This database is new. Keys are created for an account, and an account belongs to an issuer:"
                    .into(),
            ),
            soft("the product whose rules its keys follow.".into()),
            gap(),
        ];
        if shell.may(Permission::ChangeIssuers) {
            lines.push(way(Action::New, "Choose an issuer and create the first account"));
        } else {
            lines.push(soft("An admin has to set up an issuer first.".into()));
        }
        return lines;
    }
    let wording = shell.wording();
    let mut lines = vec![title(&wording.empty_title), gap()];
    if shell.may(Permission::ChangeKeys) {
        lines.push(soft(format!("Create the first {}. Its secret is shown once.", wording.noun)));
        lines.push(gap());
        lines.push(way(Action::New, &wording.first));
    } else {
        lines.push(soft(format!("An operator can create the first {}.", wording.noun)));
    }
    lines
}
