//! Where one is in something longer than the screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::super::styles::Styles;
use crate::config::keymap::Action;
use crate::config::theme::Role;

/// The first line to show, so that `focus` is among `height` lines of `total`, moving as little as possible from `top`.
pub fn follow(top: usize, focus: usize, height: usize, total: usize) -> usize {
    let top = top.min(total.saturating_sub(height));
    if focus < top {
        focus
    } else if height > 0 && focus >= top + height {
        focus + 1 - height
    } else {
        top
    }
}

/// How many lines a key of reading moves by, down, or up if negative; `None` for other keys.
pub fn step(action: Option<Action>) -> Option<isize> {
    match action? {
        Action::ReadUp => Some(-1),
        Action::ReadDown => Some(1),
        Action::ReadPageUp => Some(-10),
        Action::ReadPageDown => Some(10),
        Action::ReadTop => Some(isize::MIN / 2),
        Action::ReadBottom => Some(isize::MAX / 2),
        _ => None,
    }
}

/// Draws `lines` from `top` on, with a thumb at the right edge if they don't all fit.
pub fn draw(frame: &mut Frame, styles: &Styles, area: Rect, lines: Vec<Line<'_>>, top: usize) {
    let total = lines.len();
    let height = usize::from(area.height);
    let top = top.min(total.saturating_sub(height));
    let shown: Vec<Line<'_>> = lines.into_iter().skip(top).take(height).collect();
    let long = total > height && area.width > 2;
    let text = Rect { width: if long { area.width - 1 } else { area.width }, ..area };
    frame.render_widget(Paragraph::new(shown), text);
    if long {
        let thumb = (height * height / total).max(1);
        let at = top * (height - thumb) / (total - height).max(1);
        let bar: Vec<Line<'_>> = (0..height)
            .map(|row| {
                let on = (at..at + thumb).contains(&row);
                Line::styled(
                    if on { "┃" } else { "│" },
                    styles.of(if on { Role::Accent } else { Role::Border }),
                )
            })
            .collect();
        frame.render_widget(Paragraph::new(bar), Rect { x: area.right() - 1, width: 1, ..area });
    }
}
