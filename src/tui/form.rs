//! Where the cursor stands in a dialog of fields and buttons, and what a key does there.

use crossterm::event::KeyEvent;
use ratatui::text::Line;

use super::input::Key;
use super::styles::Styles;
use super::widgets::buttons::{self, Button};
use crate::config::keymap::Action;

#[cfg(test)]
mod tests;

/// The cursor of a dialog whose fields are `F`s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form<F> {
    at: Stop<F>,
    buttons: Buttons,
}

/// What the cursor can stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop<F> {
    Field(F),
    Go,
    Cancel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Buttons {
    None,
    GoFirst,
    CancelFirst,
}

/// A question of yes and no, without fields.
pub type YesNo = Form<std::convert::Infallible>;

/// What a key means to the dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// It was about the cursor, or about nothing.
    Nothing,
    Close,
    /// Do it. Never from a key that came faster than a person types, or before what is asked could be read.
    Go,
    /// One step to the right in the field, or to the left if negative.
    Sideways(isize),
    /// Something typed into the text field.
    Text(KeyEvent),
}

impl<F: Copy + PartialEq + 'static> Form<F> {
    /// A form to fill in: the fields, then the button that goes on, then the one that leaves.
    pub fn new(at: F) -> Self {
        Self { at: Stop::Field(at), buttons: Buttons::GoFirst }
    }

    /// A question whose answer matters: the button that leaves comes first, and the cursor stands on it.
    pub fn question() -> Self {
        Self { at: Stop::Cancel, buttons: Buttons::CancelFirst }
    }

    /// Fields without buttons.
    pub fn fields(at: F) -> Self {
        Self { at: Stop::Field(at), buttons: Buttons::None }
    }

    /// The field that the cursor stands in.
    pub fn field(&self) -> Option<F> {
        match self.at {
            Stop::Field(field) => Some(field),
            Stop::Go | Stop::Cancel => None,
        }
    }

    /// Whether the cursor stands in this field.
    pub fn on(&self, field: F) -> bool {
        self.at == Stop::Field(field)
    }

    pub fn on_button(&self) -> bool {
        self.field().is_none()
    }

    pub fn go_to(&mut self, field: F) {
        self.at = Stop::Field(field);
    }

    pub fn go_to_go(&mut self) {
        self.at = Stop::Go;
    }

    pub fn go_to_cancel(&mut self) {
        self.at = Stop::Cancel;
    }

    /// The buttons in their order.
    fn buttons(&self) -> &'static [Stop<F>] {
        match self.buttons {
            Buttons::None => &[],
            Buttons::GoFirst => &[Stop::Go, Stop::Cancel],
            Buttons::CancelFirst => &[Stop::Cancel, Stop::Go],
        }
    }

    /// Moves on, round and round, through `fields` and the buttons.
    pub fn step(&mut self, fields: &[F], by: isize) {
        let buttons = self.buttons().iter().copied();
        let stops: Vec<Stop<F>> = fields.iter().copied().map(Stop::Field).chain(buttons).collect();
        let at = stops.iter().position(|stop| *stop == self.at).unwrap_or(0) as isize;
        if !stops.is_empty() {
            self.at = stops[(at + by).rem_euclid(stops.len() as isize) as usize];
        }
    }

    /// What a key does among `fields`. `typing`: whether the cursor stands in a text field.
    pub fn press(&mut self, key: Key, fields: &[F], typing: bool) -> Pressed {
        match key.action {
            Some(Action::CloseForm | Action::No | Action::Interrupt) => return Pressed::Close,
            Some(Action::Submit | Action::Yes) if key.confirms() => return Pressed::Go,
            Some(Action::NextField | Action::FieldDown | Action::NextButton) => self.step(fields, 1),
            Some(Action::PreviousField | Action::FieldUp | Action::PreviousButton) => self.step(fields, -1),
            Some(action @ (Action::FieldLeft | Action::FieldRight)) if !typing => {
                let right = action == Action::FieldRight;
                if self.field().is_some() {
                    return Pressed::Sideways(if right { 1 } else { -1 });
                }
                if let Some(stop) = self.buttons().get(usize::from(right)) {
                    self.at = *stop;
                }
            }
            Some(Action::Press | Action::PressButton) if !key.hurried => match self.at {
                Stop::Go if key.unread => {}
                Stop::Go => return Pressed::Go,
                Stop::Cancel => return Pressed::Close,
                Stop::Field(_) => self.step(fields, 1),
            },
            _ if typing => return Pressed::Text(key.event),
            _ => {}
        }
        Pressed::Nothing
    }

    /// The buttons with these words.
    pub fn line(&self, styles: &Styles, go: Button<'_>, cancel: &str) -> Line<'static> {
        let stops = self.buttons();
        let word = |stop: &Stop<F>| if *stop == Stop::Go { go } else { Button::new(cancel) };
        let words: Vec<Button<'_>> = stops.iter().map(word).collect();
        buttons::line(styles, &words, stops.iter().position(|stop| *stop == self.at))
    }
}
