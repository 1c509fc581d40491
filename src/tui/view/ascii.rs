//! The console's own signs for terminals that have only ASCII. What people wrote stays as they wrote it.

use ratatui::buffer::Buffer;

/// The sign in ASCII, one column as before; `None` for what the console does not draw by itself.
fn plain(sign: &str) -> Option<&'static str> {
    Some(match sign {
        "╭" | "╮" | "╰" | "╯" | "┌" | "┐" | "└" | "┘" | "├" | "┤" | "┬" | "┴" | "┼" => {
            "+"
        }
        "─" | "━" | "–" => "-",
        "│" | "┃" => "|",
        "●" | "•" => "*",
        "○" | "◌" => "o",
        "✕" | "×" | "✗" => "x",
        "◍" => "?",
        "◫" => "=",
        "✓" => "+",
        "▌" | "›" | "→" => ">",
        "←" => "<",
        "↑" | "▲" => "^",
        "↓" | "▼" => "v",
        "░" => "-",
        "…" => "~",
        "·" => ".",
        "▁" | "▂" | "▃" => "_",
        "▄" | "▅" | "▆" | "▇" | "█" => "#",
        _ => return None,
    })
}

/// Replaces the console's signs in a finished picture.
#[expect(clippy::disallowed_methods, reason = "the replacements are constants of this file, never data")]
pub fn replace(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if let Some(sign) = plain(cell.symbol()) {
            cell.set_symbol(sign);
        }
    }
}
