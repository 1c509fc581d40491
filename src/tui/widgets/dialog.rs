//! The frame of what lies over the screen: one border round the content, in the middle, no larger than needed.

use ratatui::Frame;
use ratatui::layout::{Position, Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Padding};

use super::super::styles::Styles;
use super::fit;
use crate::config::theme::Role;

/// Columns that border and padding take away from the content.
pub const SIDES: u16 = 4;
/// Rows that the border takes away from the content.
pub const ENDS: u16 = 2;

/// Columns for the content of a dialog that would like `wanted`. Where hardly anything would be left of the screen beside
/// it, it takes all of the width: slivers of the screen below only disturb.
pub fn columns(area: Rect, wanted: u16) -> u16 {
    let whole = area.width.saturating_sub(SIDES);
    if whole < wanted + 16 { whole } else { wanted }
}

/// Where a dialog with this much content lies in `area`; the content is cut where the area is too small.
pub fn place(area: Rect, content: Size) -> Rect {
    let width = content.width.saturating_add(SIDES).min(area.width);
    let height = content.height.saturating_add(ENDS).min(area.height);
    Rect {
        x: area.x + (area.width - width) / 2,
        // A little above the middle: the eye takes that for the middle.
        y: area.y + (area.height - height) * 2 / 5,
        width,
        height,
    }
}

/// Draws the frame over whatever is there and answers with the place for the content.
pub fn open(frame: &mut Frame, styles: &Styles, area: Rect, title: &str, content: Size) -> Rect {
    open_as(frame, styles, area, title, content, Role::DialogBorder)
}

/// Like [`open`], with the border in a role of its own: danger, for what ends something.
pub fn open_as(
    frame: &mut Frame,
    styles: &Styles,
    area: Rect,
    title: &str,
    content: Size,
    border: Role,
) -> Rect {
    let outer = place(area, content);
    let title = fit::cut(title, usize::from(outer.width.saturating_sub(SIDES)));
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(styles.of(border))
        .style(styles.of(Role::Background))
        .padding(Padding::horizontal(1))
        .title(Line::from(Span::styled(format!(" {title} "), styles.of(Role::Title))));
    let inner = block.inner(outer);
    clear(frame, outer);
    frame.render_widget(block, outer);
    // What lies over the screen takes the cursor from it, whatever is drawn in it.
    frame.set_cursor_position(inner.as_position());
    inner
}

/// Empties `area`, and one column on each side where a wide character of the screen below would reach into it.
fn clear(frame: &mut Frame, area: Rect) {
    let buffer = frame.buffer_mut();
    for y in area.top()..area.bottom() {
        if area.left() > buffer.area.left()
            && let Some(cell) = buffer.cell_mut(Position { x: area.left() - 1, y })
            && fit::width(cell.symbol()) > 1
        {
            cell.reset();
        }
    }
    frame.render_widget(Clear, area);
}
