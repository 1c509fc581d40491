//! The line that a list's filter is typed into.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::fit;
use super::text_field::TextField;
use crate::config::theme::Role;
use crate::domain::query::{Completion, QueryError};
use crate::domain::text::SafeText;
use crate::tui::styles::Styles;

/// Columns before the text.
const PROMPT: u16 = 3;

/// The filter's text and its meaning. While there is a mistake in the text the last good meaning holds.
#[derive(Debug, Default)]
pub struct FilterLine<F> {
    text: TextField,
    /// Whether it is being typed.
    pub typing: bool,
    /// Whether the text is selected: what is typed takes its place, and any other key keeps it.
    selected: bool,
    pub meaning: F,
    pub mistake: Option<QueryError>,
}

/// What is said beside the text.
#[derive(Debug, Default)]
pub struct Hints<'a> {
    /// What could be typed, while there is no text.
    pub example: &'a str,
    /// What could stand at the cursor.
    pub candidates: Vec<String>,
    pub note: String,
}

impl<F: PartialEq> FilterLine<F> {
    pub fn value(&self) -> &str {
        self.text.value()
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether there is anything to show of it.
    pub fn visible(&self) -> bool {
        self.typing || !self.is_empty()
    }

    /// The byte of the text that the cursor is at.
    pub fn cursor(&self) -> usize {
        self.text.cursor()
    }

    /// Puts another text in its place, and wipes it.
    pub fn set(&mut self, text: &str) {
        self.selected = false;
        self.text.clear();
        self.text = TextField::with(text);
    }

    /// Begins to type it, with the present text selected; one that ends in a blank waits for another word.
    pub fn begin(&mut self) {
        self.typing = true;
        self.selected = !self.is_empty() && !self.text.value().ends_with(' ');
    }

    /// Answers whether the text changed.
    pub fn key(&mut self, event: KeyEvent) -> bool {
        let types = !event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        let takes_its_place = matches!(event.code, KeyCode::Char(_) if types)
            || matches!(event.code, KeyCode::Backspace | KeyCode::Delete);
        if std::mem::take(&mut self.selected) && takes_its_place {
            self.text.clear();
            self.text.key(event);
            return true;
        }
        self.text.key(event)
    }

    pub fn paste(&mut self, line: &str) {
        if std::mem::take(&mut self.selected) {
            self.text.clear();
        }
        self.text.paste(line);
    }

    /// Puts in what all candidates have in common; the whole one where there is a single one.
    pub fn complete(&mut self, completion: &Completion) {
        self.selected = false;
        let Some(common) = common_beginning(&completion.candidates) else { return };
        let text = self.value();
        let typed = text.get(completion.start..completion.end).unwrap_or_default();
        let (Some(before), Some(after)) = (text.get(..completion.start), text.get(completion.end..)) else {
            return;
        };
        if completion.candidates.len() > 1 && common.len() <= typed.len() {
            return;
        }
        let cursor = before.chars().count() + common.chars().count();
        self.text = TextField::with_cursor(format!("{before}{common}{after}"), cursor);
    }

    /// Reads the text again. Answers whether it means something else now.
    pub fn interpret(&mut self, parse: impl FnOnce(&str) -> Result<F, QueryError>) -> bool {
        match parse(self.text.value()) {
            Ok(meaning) => {
                self.mistake = None;
                let changed = self.meaning != meaning;
                self.meaning = meaning;
                changed
            }
            Err(mistake) => {
                self.mistake = Some(mistake);
                false
            }
        }
    }

    /// Draws it into the first line of `area`, a mistake underlined.
    pub fn draw(&self, styles: &Styles, frame: &mut Frame, area: Rect, hints: &Hints<'_>) {
        let prompt = Rect { height: 1.min(area.height), ..area };
        frame.render_widget(Line::styled(" / ", styles.of(Role::Accent)), prompt);
        let area = Rect { x: area.x + PROMPT, width: area.width.saturating_sub(PROMPT + 1), ..prompt };
        let scroll = u16::try_from(self.text.scroll(usize::from(area.width))).unwrap_or(0);
        let text = Line::from(self.spans(styles, hints.example));
        let end = u16::try_from(text.width()).unwrap_or(area.width).saturating_sub(scroll).min(area.width);
        frame.render_widget(Paragraph::new(text).scroll((0, scroll)), area);
        let mut words = String::new();
        // What fits comes first: it is the quicker way out of a mistake, whose place is marked anyway.
        if !hints.candidates.is_empty() {
            words.push_str(&format!("   tab: {}", hints.candidates.join("  ")));
        }
        if !hints.note.is_empty() {
            words.push_str(&format!("   {}", hints.note));
        }
        let beside = Rect { x: area.x + end, width: area.width - end, ..area };
        let words = fit::cut(&SafeText::new(words), usize::from(beside.width));
        frame.render_widget(Line::styled(words, styles.of(Role::Muted)), beside);
        if self.typing {
            let column = u16::try_from(self.text.cursor_column()).unwrap_or(0).saturating_sub(scroll);
            frame.set_cursor_position(Position { x: (area.x + column).min(area.right()), y: area.y });
        }
    }

    /// Says what can't be read, on a line of its own.
    pub fn draw_mistake(&self, styles: &Styles, frame: &mut Frame, area: Rect) {
        let Some(mistake) = &self.mistake else { return };
        let area = Rect { height: 1.min(area.height), ..area };
        frame.render_widget(Clear, area);
        frame.buffer_mut().set_style(area, styles.of(Role::Background));
        let words = SafeText::new(format!("   ✕ {}", mistake.message));
        frame.render_widget(Line::styled(fit::cut(&words, area.width.into()), styles.of(Role::Error)), area);
    }

    fn spans(&self, styles: &Styles, example: &str) -> Vec<Span<'static>> {
        let text = self.value();
        if text.is_empty() && self.mistake.is_none() {
            return vec![Span::styled(example.to_owned(), styles.of(Role::Placeholder))];
        }
        let span = |text: &str, style| Span::styled(SafeText::new(text).as_str().to_owned(), style);
        let mut style = styles.of(if self.typing { Role::Text } else { Role::Muted });
        if self.typing && self.selected {
            style = style.add_modifier(Modifier::REVERSED);
        }
        let Some(mistake) = &self.mistake else { return vec![span(text, style)] };
        let cut = |at: usize| (at.min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at));
        let start = cut(mistake.start).unwrap_or(text.len());
        let end = cut(mistake.end).unwrap_or(text.len()).max(start);
        let wrong = styles.of(Role::Error).add_modifier(Modifier::UNDERLINED);
        let piece = if start == end { " " } else { &text[start..end] };
        vec![span(&text[..start], style), span(piece, wrong), span(&text[end..], style)]
    }
}

fn common_beginning(candidates: &[String]) -> Option<&str> {
    let (first, others) = candidates.split_first()?;
    let length = others.iter().fold(first.len(), |length, other| {
        let same = first.char_indices().zip(other.chars()).find(|((_, a), b)| a != b).map(|((i, _), _)| i);
        length.min(same.unwrap_or(first.len().min(other.len())))
    });
    first.get(..length)
}
