//! A chart of upright bars.

use ratatui::text::{Line, Span};

use super::super::styles::Styles;
use super::fit;
use crate::config::theme::Role;

const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// A bar: what stands below it, and how high it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    pub label: String,
    pub value: u64,
}

/// The chart: a line of numbers, `height` lines of bars, a line of labels. `each`: columns for one bar, its gap included.
pub fn lines(styles: &Styles, bars: &[Bar], height: u16, each: usize) -> Vec<Line<'static>> {
    let each = each.max(2);
    let highest = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    let steps = u64::from(height) * 8;
    // The smallest bar that is not zero can still be seen.
    let fill = |value: u64| if value == 0 { 0 } else { (value * steps).div_ceil(highest).max(1) };
    let text = |text: &str| fit::pad(text, each);
    let numbers = bars.iter().map(|bar| {
        let words = if bar.value == 0 { "·".to_owned() } else { short(bar.value) };
        Span::styled(text(&words), styles.of(Role::Muted))
    });
    let mut lines = vec![Line::from(numbers.collect::<Vec<_>>())];
    for row in (0..u64::from(height)).rev() {
        let spans = bars.iter().map(|bar| {
            let eighths = fill(bar.value).saturating_sub(row * 8).min(8) as usize;
            Span::styled(text(&EIGHTHS[eighths].repeat(each - 1)), styles.of(Role::Bar))
        });
        lines.push(Line::from(spans.collect::<Vec<_>>()));
    }
    let labels = bars.iter().map(|bar| Span::styled(text(&bar.label), styles.of(Role::Muted)));
    lines.push(Line::from(labels.collect::<Vec<_>>()));
    lines
}

/// A number in at most four characters.
pub fn short(number: u64) -> String {
    match number {
        0..=9_999 => number.to_string(),
        10_000..=999_999 => format!("{}k", number / 1_000),
        _ => format!("{}M", number / 1_000_000),
    }
}
