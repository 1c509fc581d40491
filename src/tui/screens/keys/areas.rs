//! Where the parts of the screen are.

use ratatui::layout::Rect;

use crate::tui::shell::Shell;
use crate::tui::view::room::body;

/// The detail stands beside the table on a screen of at least this width,
const BESIDE: u16 = 120;
/// below it on one of at least this height, and in its place on a smaller one.
const BELOW: u16 = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Areas {
    pub tabs: Rect,
    pub filter: Option<Rect>,
    pub header: Rect,
    pub rows: Rect,
    pub strip: Rect,
    pub detail: Option<Rect>,
}

impl Areas {
    /// `filter`, `detail`: whether these are shown.
    pub fn of(shell: &Shell, filter: bool, detail: bool) -> Self {
        let area = body(shell);
        let strip = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area };
        let mut rest = Rect { height: area.height.saturating_sub(1), ..area };
        let mut cut = |height: u16| {
            let top = Rect { height: height.min(rest.height), ..rest };
            rest.y += top.height;
            rest.height -= top.height;
            top
        };
        let tabs = cut(1);
        let filter = filter.then(|| cut(1));
        let mut table = rest;
        let mut pane = None;
        if detail {
            if area.width >= BESIDE {
                let width = (area.width * 2 / 5).clamp(54, 76);
                table.width -= width;
                pane = Some(Rect { x: table.right(), width, ..rest });
            } else if shell.size.height >= BELOW {
                let height = rest.height * 3 / 5;
                table.height -= height;
                pane = Some(Rect { y: table.bottom(), height, ..rest });
            } else {
                table.height = 0;
                pane = Some(rest);
            }
        }
        let header = Rect { height: table.height.min(1), ..table };
        let rows = Rect { y: header.bottom(), height: table.height - header.height, ..table };
        Self { tabs, filter, header, rows, strip, detail: pane }
    }

    /// The table with its heading.
    pub fn table(&self) -> Rect {
        Rect { height: self.header.height + self.rows.height, ..self.header }
    }

    /// How many rows of the table fit on the screen.
    pub fn page(&self) -> usize {
        usize::from(self.rows.height)
    }
}
