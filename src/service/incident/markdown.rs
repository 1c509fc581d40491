//! An incident as Markdown, ready to be pasted into a ticket. What people wrote is text there, and nothing else.

use std::fmt::Write as _;

use super::Incident;
use crate::domain::Instant;
use crate::domain::text::{SafeText, thousands};
use crate::domain::when::Zone;
use crate::service::{GateState, NO_GATE};

impl Incident {
    /// The report.
    pub fn markdown(&self) -> String {
        let mut page = String::from("# Incident report\n\n");
        let line = |page: &mut String, text: &str| {
            page.push_str(text);
            page.push('\n');
        };
        line(&mut page, &format!("- Exposed since: {}", at(self.since)));
        line(&mut page, &format!("- Told at: {} by {}", at(self.until), plain(&self.told_by)));
        line(&mut page, &format!("- Database: {}", plain(&self.database)));
        line(&mut page, &format!("- {}", self.summary()));
        if self.cut {
            line(
                &mut page,
                "- The audit since then is too long to be read whole: what is older is missing here.",
            );
        }
        let keys = self.keys.iter().map(|key| {
            let last = key.last_used_at.map_or_else(|| "never".to_owned(), at);
            let from =
                key.last_used_from.as_ref().map(|from| format!(" from {}", plain(from))).unwrap_or_default();
            let ended = key.ended_at.map(|end| format!(" since {}", at(end))).unwrap_or_default();
            let after = key.after_end.as_ref().map(|late| plain(&late.words())).unwrap_or_default();
            [
                plain(&key.name),
                plain(&key.account),
                format!("`{}`", key.preview.replace('`', "'")),
                format!("{}{ended}", key.status),
                thousands(key.requests.allowed),
                thousands(key.requests.refused.saturating_add(key.requests.limited)),
                format!("{last}{from}"),
                after,
                format!("`{}`", key.id),
            ]
        });
        let heads =
            ["Key", "Account", "Preview", "Now", "Passed", "Refused", "Last used", "After its end", "Id"];
        table(&mut page, "Keys", heads, keys);
        if self.left_out > 0 {
            line(&mut page, &format!("… and {} more keys.\n", thousands(self.left_out as u64)));
        }
        let decisions = self.decisions.iter().map(|one| {
            let what = match one.keys {
                0 | 1 => plain(&one.first),
                many => format!("{} and {} more", plain(&one.first), thousands(many as u64 - 1)),
            };
            let text = |text: &Option<SafeText>| text.as_ref().map(|text| plain(text)).unwrap_or_default();
            [
                at(one.at),
                format!("{} on {}", plain(&one.who), plain(&one.host)),
                plain(&one.action),
                what,
                text(&one.reason),
                text(&one.ticket),
            ]
        });
        table(&mut page, "Decisions", ["When", "Who", "Action", "Keys", "Reason", "Ticket"], decisions);
        let gates = self.gates.iter().map(|gate| {
            let state = match gate.state {
                // Later changes move a gate's mark on, so that only a short time tells of this one.
                GateState::Confirmed { after_ms } if after_ms <= 60_000 => {
                    format!("confirmed within {} ms", thousands(after_ms))
                }
                GateState::Confirmed { .. } => "confirmed".to_owned(),
                state => state.to_string(),
            };
            [plain(&gate.name), plain(&gate.host), plain(&state)]
        });
        table(&mut page, "Gates", ["Gate", "Host", "Revocations"], gates);
        if self.gates.is_empty() && self.keys.iter().any(|key| key.status == "revoked") {
            line(&mut page, &format!("{}{}.\n", NO_GATE[..1].to_uppercase(), &NO_GATE[1..]));
        }
        let letters = self.letters.iter().map(|one| {
            [at(one.at), plain(&one.to), plain(&one.about), thousands(one.keys as u64), plain(&one.state)]
        });
        table(&mut page, "Who was told", ["When", "To", "About", "Keys", "State"], letters);
        if self.letters.is_empty() {
            line(&mut page, "## Who was told\n\nNobody by mail.\n");
        }
        let alerts = self.alerts.iter().map(|one| {
            let by = one.acknowledged_by.as_ref().map_or_else(|| "nobody yet".to_owned(), |by| plain(by));
            [at(one.at), one.kind.to_owned(), plain(&one.words), by]
        });
        table(&mut page, "Alerts", ["When", "Kind", "What", "Acknowledged by"], alerts);
        page.truncate(page.trim_end().len());
        page.push('\n');
        page
    }

    /// How much it was, in a sentence.
    pub fn summary(&self) -> String {
        let count = |n: u64, thing: &str| {
            if n == 1 { format!("1 {thing}") } else { format!("{} {thing}s", thousands(n)) }
        };
        let sum = |of: &dyn Fn(&super::IncidentKey) -> u64| {
            self.keys.iter().fold(0u64, |sum, key| sum.saturating_add(of(key)))
        };
        let works = self.keys.iter().filter(|key| key.status == "active").count() as u64;
        let passed = sum(&|key| key.requests.allowed);
        let late = sum(&|key| key.after_end.as_ref().map_or(0, |late| late.total));
        let all = (self.keys.len() + self.left_out) as u64;
        format!(
            "{}, {} of which still work; {} passed between the exposure and their end, {} came after it.",
            count(all, "key"),
            thousands(works),
            count(passed, "request"),
            thousands(late),
        )
    }
}

fn at(at: Instant) -> String {
    Zone::UTC.exact(at)
}

/// A table below a heading; nothing without rows.
fn table<const N: usize>(
    page: &mut String,
    title: &str,
    heads: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    let _ = write!(page, "\n## {title}\n\n| {} |\n|{}\n", heads.join(" | "), " --- |".repeat(N));
    for row in rows {
        let _ = writeln!(page, "| {} |", row.join(" | "));
    }
    page.push('\n');
}

/// A text as it is, whatever Markdown would make of it: no table, no link, no picture, no mention, no HTML.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '(' | ')' => plain.extend(['\\', c]),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '&' => plain.push_str("&amp;"),
            // A mention calls somebody, and an address becomes a link.
            '@' => plain.push_str("&#64;"),
            ':' => plain.push_str("&#58;"),
            'w' | 'W' if plain.len() >= 2 && plain.to_ascii_lowercase().ends_with("ww") => {
                let _ = write!(plain, "&#{};", u32::from(c));
            }
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn kr_07_a_name_is_text_whatever_markdown_would_make_of_it() {
        assert_eq!(plain("CI runner 2"), "CI runner 2");
        assert_eq!(plain("a|b"), "a\\|b");
        assert_eq!(plain("<img src=x>"), "&lt;img src=x&gt;");
        assert_eq!(
            plain("@team [x](http://evil) ![y](z)"),
            "&#64;team \\[x\\]\\(http&#58;//evil\\) \\!\\[y\\]\\(z\\)"
        );
        assert_eq!(plain("`rm` **b** www.evil.example"), "\\`rm\\` \\*\\*b\\*\\* ww&#119;.evil.example");
        assert_eq!(plain("a\nb\u{7}"), "a b ");
    }
}
