//! What a terminal shows is compared with what was to be shown.

use std::num::NonZeroU16;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};

use ratatui::buffer::CellWidth;

use super::*;

/// A terminal that a painter draws on.
struct Emulated {
    painter: Painter,
    parser: vt100::Parser,
    /// Of the last frame.
    bytes: usize,
}

impl Emulated {
    fn new(width: u16, height: u16) -> Self {
        let size = |n: u16| NonZeroU16::new(n).expect("a screen has cells");
        Self {
            painter: Painter::new(Colours::True, true),
            parser: vt100::Parser::new(size(height), size(width), 0),
            bytes: 0,
        }
    }

    fn show(&mut self, picture: &Buffer, cursor: Option<Position>) {
        let mut bytes = Vec::new();
        self.painter.paint(picture);
        self.painter.finish(cursor, &mut bytes).expect("a vector takes everything");
        self.bytes = bytes.len();
        self.parser.process(&bytes);
    }

    /// The first cell that looks other than it shall, in words.
    fn difference(&self, picture: &Buffer) -> Option<String> {
        let screen = self.parser.screen();
        for y in 0..picture.area.height {
            let mut x = 0;
            while x < picture.area.width {
                let want = &picture[(x, y)];
                let have = screen.cell(y, x).expect("inside of the screen");
                let blank = |text: &str| text.is_empty() || text == " ";
                // The emulator does not join what makes one character of several, as many terminals don't.
                let part = !have.contents().is_empty() && want.symbol().starts_with(have.contents());
                let same_text = part || blank(have.contents()) && blank(want.symbol());
                let letters = !blank(want.symbol());
                let reversed = want.modifier.contains(Modifier::REVERSED);
                let underlined = want.modifier.contains(Modifier::UNDERLINED);
                let same = same_text
                    && have.bgcolor() == colour(want.bg)
                    && have.inverse() == reversed
                    && have.underline() == underlined
                    && (!(letters || reversed || underlined) || have.fgcolor() == colour(want.fg))
                    && (!letters || have.bold() == want.modifier.contains(Modifier::BOLD));
                if !same {
                    return Some(format!("at {x},{y}: wanted {want:?}, have {have:?}"));
                }
                x += want.cell_width().max(1);
            }
        }
        None
    }
}

fn colour(colour: Color) -> vt100::Color {
    match colour {
        Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
        Color::Indexed(index) => vt100::Color::Idx(index),
        Color::Red => vt100::Color::Idx(1),
        Color::LightBlue => vt100::Color::Idx(12),
        _ => vt100::Color::Default,
    }
}

const WIDTH: u16 = 24;
const HEIGHT: u16 = 10;

fn style() -> impl Strategy<Value = Style> {
    let colours = prop_oneof![
        Just(Color::Reset),
        Just(Color::Red),
        Just(Color::LightBlue),
        Just(Color::Indexed(200)),
        Just(Color::Rgb(1, 2, 3))
    ];
    let modifiers = prop_oneof![
        Just(Modifier::empty()),
        Just(Modifier::BOLD),
        Just(Modifier::REVERSED),
        Just(Modifier::UNDERLINED | Modifier::BOLD)
    ];
    (colours.clone(), colours, modifiers).prop_map(|(fg, bg, m)| Style::new().fg(fg).bg(bg).add_modifier(m))
}

/// A step from one picture to the next.
#[derive(Clone, Debug)]
enum Step {
    Write {
        x: u16,
        y: u16,
        text: String,
        style: Style,
    },
    /// Rows `top..bottom` move by some lines, as in a table that is scrolled.
    Move {
        top: u16,
        bottom: u16,
        by: i32,
    },
    Fill(Style),
}

fn step() -> impl Strategy<Value = Step> {
    let texts = prop_oneof![
        "[a-z ]{1,24}",
        "[a-z称号あ한]{1,12}",
        Just("Zürich – ⚠️ ok".to_owned()),
        Just("e\u{301}e\u{301} 👍🏽 x".to_owned()),
        "[─│▌●✓•]{1,8}",
    ];
    prop_oneof![
        5 => (0..WIDTH, 0..HEIGHT, texts, style()).prop_map(|(x, y, text, style)| Step::Write { x, y, text, style }),
        2 => (0..HEIGHT, 0..HEIGHT, -4i32..5).prop_map(|(a, b, by)| Step::Move { top: a.min(b), bottom: a.max(b), by }),
        1 => style().prop_map(Step::Fill),
    ]
}

fn apply_step(picture: &mut Buffer, step: &Step) {
    match step {
        Step::Write { x, y, text, style } => {
            // The emulator wraps lines even where it is told not to, and takes this character for two.
            let x = if text.contains('\u{1F3FD}') { *x / 2 } else { *x };
            picture.set_stringn(x, *y, text, usize::from(WIDTH - x), *style);
        }
        Step::Move { top, bottom, by } => {
            let old = picture.clone();
            for y in *top..*bottom {
                let from = i32::from(y) + by;
                if (i32::from(*top)..i32::from(*bottom)).contains(&from) {
                    for x in 0..WIDTH {
                        picture[(x, y)] = old[(x, from as u16)].clone();
                    }
                }
            }
        }
        Step::Fill(style) => {
            picture.reset();
            picture.set_style(picture.area, *style);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_terminal_shows_every_picture_of_any_sequence(steps in prop::collection::vec(prop::collection::vec(step(), 1..4), 1..12)) {
        let mut terminal = Emulated::new(WIDTH, HEIGHT);
        let mut picture = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
        for frame in steps {
            for step in &frame {
                // A table is drawn anew for each frame, so no half of a wide character is ever left over.
                apply_step(&mut picture, step);
                tidy(&mut picture);
            }
            terminal.show(&picture, None);
            prop_assert_eq!(terminal.difference(&picture), None);
        }
    }
}

/// Cells behind a wide character are blank, as ratatui leaves them.
fn tidy(picture: &mut Buffer) {
    for y in 0..HEIGHT {
        let mut x = 0;
        while x < WIDTH {
            let width = picture[(x, y)].cell_width().max(1);
            if x + width > WIDTH {
                picture[(x, y)].reset();
            }
            for behind in x + 1..(x + width).min(WIDTH) {
                picture[(behind, y)].reset();
            }
            x += width;
        }
    }
}

fn table(first: usize, selected: usize) -> Buffer {
    let area = Rect::new(0, 0, 80, 24);
    let mut picture = Buffer::empty(area);
    picture.set_style(area, Style::new().bg(Color::Rgb(21, 24, 30)));
    picture.set_string(0, 0, "a header that stays", Style::new().fg(Color::Red));
    for row in 0..20 {
        let y = row as u16 + 2;
        let number = first + row;
        picture.set_string(
            2,
            y,
            format!("key {number:5} of account {:3} and more of it", number % 7),
            Style::new(),
        );
        if number == selected {
            picture.set_string(0, y, "▌", Style::new().fg(Color::LightBlue));
        }
    }
    picture
}

#[test]
fn scrolling_by_one_row_moves_the_rows_that_are_there() {
    let mut terminal = Emulated::new(80, 24);
    terminal.show(&table(0, 19), None);
    let whole = terminal.bytes;
    terminal.show(&table(1, 20), Some(Position { x: 0, y: 21 }));
    assert_eq!(terminal.difference(&table(1, 20)), None);
    assert!(terminal.bytes < 320, "one row costs {} of {whole} bytes", terminal.bytes);
    terminal.show(&table(0, 0), Some(Position { x: 0, y: 2 }));
    assert_eq!(terminal.difference(&table(0, 0)), None);
    assert!(terminal.bytes < 320, "back costs {} bytes", terminal.bytes);
}

#[test]
fn moving_the_marker_costs_two_cells() {
    let mut terminal = Emulated::new(80, 24);
    terminal.show(&table(0, 3), Some(Position { x: 0, y: 5 }));
    terminal.show(&table(0, 4), Some(Position { x: 0, y: 6 }));
    assert_eq!(terminal.difference(&table(0, 4)), None);
    assert!(terminal.bytes <= 60, "{} bytes", terminal.bytes);
}

#[test]
fn the_same_picture_again_costs_nothing() {
    let mut terminal = Emulated::new(80, 24);
    terminal.show(&table(0, 3), Some(Position { x: 0, y: 5 }));
    terminal.show(&table(0, 3), Some(Position { x: 0, y: 5 }));
    assert_eq!(terminal.bytes, 0);
}

#[test]
fn the_cursor_goes_where_it_is_told_and_hides_again() {
    let mut terminal = Emulated::new(80, 24);
    terminal.show(&table(0, 3), Some(Position { x: 7, y: 5 }));
    assert_eq!(terminal.parser.screen().cursor_position(), (5, 7));
    assert!(!terminal.parser.screen().hide_cursor());
    terminal.show(&table(0, 4), None);
    assert!(terminal.parser.screen().hide_cursor());
}

#[test]
fn nothing_old_shows_beside_an_emoji_held_for_narrower() {
    let picture = |text: &str| {
        let mut picture = Buffer::empty(ratatui::layout::Rect::new(0, 0, 10, 1));
        picture.set_string(0, 0, text, Style::new());
        picture
    };
    let mut painter = Painter::new(Colours::True, true);
    let mut bytes = Vec::new();
    painter.paint(&picture("abcdefghij"));
    painter.finish(None, &mut bytes).expect("a vector takes everything");
    bytes.clear();
    painter.paint(&picture("x\u{1f3f3}\u{fe0f}y"));
    painter.finish(None, &mut bytes).expect("a vector takes everything");
    let sent = String::from_utf8(bytes).expect("text");
    // Both of its columns are blanked first: a terminal that fills one of them shows nothing in the other.
    assert!(sent.contains("  \x1b[1;2H\u{1f3f3}\u{fe0f}"), "{sent:?}");
}
