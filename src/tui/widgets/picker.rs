//! A list to choose from, narrowed by typing.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding, Paragraph};

use super::super::input::Input;
use super::super::styles::Styles;
use super::text_field::TextField;
use super::{fit, scroll};
use crate::config::keymap::Action;
use crate::config::theme::Role;

/// One choice as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    pub name: String,
    /// In the middle, of second rank.
    pub note: String,
    /// At the right edge.
    pub mark: String,
}

/// The places of the items that fit `words`, best first; all in their order where nothing was typed.
pub fn rank<'i>(words: &str, items: impl IntoIterator<Item = &'i str>) -> Vec<usize> {
    let items = items.into_iter().enumerate();
    if words.trim().is_empty() {
        return items.map(|(place, _)| place).collect();
    }
    let pattern = Pattern::parse(words, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut found: Vec<(u32, usize)> = items
        .filter_map(|(place, text)| {
            pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher).map(|score| (score, place))
        })
        .collect();
    found.sort_by_key(|(score, place)| (std::cmp::Reverse(*score), *place));
    found.into_iter().map(|(_, place)| place).collect()
}

/// Where the cursor is after a step, at the ends of the list it stays.
pub fn step(at: usize, by: isize, count: usize) -> usize {
    at.saturating_add_signed(by).min(count.saturating_sub(1))
}

/// Where the cursor is after a key of choosing in a short list, whose ends meet.
pub fn turn(action: Option<Action>, at: usize, count: usize) -> usize {
    match action {
        Some(Action::PickUp) => at.checked_sub(1).unwrap_or(count.saturating_sub(1)),
        Some(Action::PickDown) if at + 1 == count => 0,
        Some(Action::PickDown) => at + 1,
        _ => at,
    }
}

/// A short list at the left edge, with the table that it is about beside it, so many columns wide. The cursor is on line `at`.
pub fn beside(
    frame: &mut Frame,
    styles: &Styles,
    area: Rect,
    title: &str,
    columns: u16,
    lines: Vec<Line<'_>>,
    at: usize,
) {
    let size = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
    let height = size(lines.len()).saturating_add(2).min(area.height);
    let place =
        Rect { x: area.x + 2, y: area.y + 1, width: columns.min(area.width), height }.intersection(area);
    let block = Block::bordered()
        .title(format!(" {title} "))
        .title_style(styles.of(Role::Title))
        .border_style(styles.of(Role::DialogBorder))
        .padding(Padding::right(1))
        .style(styles.of(Role::Background));
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).block(block), place);
    let below = size(at).saturating_add(1);
    let line = place.y.saturating_add(below).min(place.bottom().saturating_sub(1));
    frame.set_cursor_position((place.x + 1, line));
}

/// How many items a key of choosing moves by, down, or up if negative; `None` for other keys.
pub fn moves(action: Option<Action>) -> Option<isize> {
    match action? {
        Action::PickUp => Some(-1),
        Action::PickDown => Some(1),
        Action::PickPageUp => Some(-10),
        Action::PickPageDown => Some(10),
        _ => None,
    }
}

/// The search line, and the item under the cursor.
#[derive(Debug, Default)]
pub struct Picker {
    pub search: TextField,
    pub at: usize,
}

/// What a gesture came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picked {
    /// The cursor moved, if anything.
    Nothing,
    /// Other words are looked for.
    Searched,
    Chosen,
    Closed,
}

impl Picker {
    /// Takes a gesture among `count` items.
    pub fn take(&mut self, input: &Input, count: usize) -> Picked {
        let by = match input {
            Input::Scroll { lines, .. } => Some(lines.signum() as isize),
            input => moves(input.action()),
        };
        if let Some(by) = by {
            self.at = step(self.at, by, count);
            return Picked::Nothing;
        }
        let searched = match (input, input.action()) {
            (_, Some(Action::CancelPicker | Action::Interrupt)) => return Picked::Closed,
            (_, Some(Action::Choose)) => return Picked::Chosen,
            (Input::Key(key), _) => self.search.key(key.event),
            (Input::Paste(pasted), _) => self.search.paste(&pasted.line()),
            _ => false,
        };
        if !searched {
            return Picked::Nothing;
        }
        self.at = 0;
        Picked::Searched
    }

    /// Those of `all` that fit, best first.
    pub fn found<'a, T>(&self, all: &'a [T], name: impl Fn(&'a T) -> &'a str) -> Vec<&'a T> {
        rank(self.search.value(), all.iter().map(name)).into_iter().map(|place| &all[place]).collect()
    }

    pub fn draw(&self, frame: &mut Frame, styles: &Styles, area: Rect, placeholder: &str, items: &[Item]) {
        draw(frame, styles, area, &self.search, placeholder, items, self.at);
    }
}

/// Draws the search line and below it the items, the one at `at` selected.
fn draw(
    frame: &mut Frame,
    styles: &Styles,
    area: Rect,
    search: &TextField,
    placeholder: &str,
    items: &[Item],
    at: usize,
) {
    if area.height == 0 {
        return;
    }
    let (text, cursor) = search.visible(area.width.saturating_sub(2));
    let columns = usize::from(area.width.saturating_sub(2));
    let (text, role) =
        if search.is_empty() { (placeholder, Role::Placeholder) } else { (text.as_str(), Role::InputFocus) };
    let line = Line::from(vec![
        Span::styled("› ", styles.of(Role::Accent)),
        Span::styled(fit::pad(text, columns), styles.of(role)),
    ]);
    frame.render_widget(Paragraph::new(line), Rect { height: 1, ..area });
    frame.set_cursor_position(Position { x: area.x + 2 + cursor, y: area.y });
    let below = Rect { y: area.y + 1, height: area.height - 1, ..area };
    if items.is_empty() {
        frame.render_widget(Paragraph::new(Line::styled("  no match", styles.of(Role::Muted))), below);
        return;
    }
    let height = usize::from(below.height);
    let columns = usize::from(below.width.saturating_sub(3));
    let name = items.iter().map(|item| fit::width(&item.name)).max().unwrap_or(0).min(columns / 2) + 2;
    let mark = items.iter().map(|item| fit::width(&item.mark)).max().unwrap_or(0);
    let note = columns.saturating_sub(name + mark + 1);
    let lines = items.iter().enumerate().map(|(place, item)| {
        let here = place == at;
        let sign = Span::styled(if here { "› " } else { "  " }, styles.of(Role::Marker));
        let line = Line::from(vec![
            sign,
            Span::styled(fit::pad(&item.name, name), styles.of(Role::Text)),
            Span::styled(fit::pad(&item.note, note), styles.of(Role::Muted)),
            Span::styled(format!(" {}", fit::pad(&item.mark, mark)), styles.of(Role::HintKey)),
        ]);
        if here {
            line.patch_style(styles.of(Role::Selection)).style(styles.of(Role::Selection))
        } else {
            line
        }
    });
    let top = scroll::follow(at.saturating_sub(height / 2), at, height, items.len());
    scroll::draw(frame, styles, below, lines.collect(), top);
    // Typing narrows the list and begins at its first item again; from there on the cursor goes with the choice.
    if at > 0 {
        let y = below.y + u16::try_from(at.saturating_sub(top)).unwrap_or(0);
        frame.set_cursor_position(Position { x: below.x, y });
    }
}
