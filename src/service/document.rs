//! A report as a document: Markdown to be pasted, or a page for browsers. What people wrote is text there, and nothing else.

use std::fmt::Write as _;

use crate::domain::Instant;
use crate::domain::when::Zone;

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// Our own words.
    Own(String),
    /// What somebody wrote.
    Told(String),
    /// Letter for letter, such as an id.
    Code(String),
}

/// A line, or a cell of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Vec<Piece>);

impl Line {
    /// Our own words.
    pub fn own(words: impl Into<String>) -> Self {
        Self(vec![Piece::Own(words.into())])
    }

    /// What somebody wrote.
    pub fn told(text: impl AsRef<str>) -> Self {
        Self(vec![Piece::Told(text.as_ref().to_owned())])
    }

    /// The same where somebody did.
    pub fn maybe(text: Option<impl AsRef<str>>) -> Self {
        text.map(Self::told).unwrap_or_default()
    }

    /// Letter for letter.
    pub fn code(text: impl ToString) -> Self {
        Self(vec![Piece::Code(text.to_string())])
    }

    /// An instant.
    pub fn at(at: Instant) -> Self {
        Self::own(Zone::UTC.exact(at))
    }

    /// This, and behind it that.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    fn markdown(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Own(words) => words.clone(),
            Piece::Told(text) => plain(text),
            Piece::Code(text) => format!("`{}`", text.replace('`', "'")),
        };
        self.0.iter().map(piece).collect()
    }

    fn html(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Own(text) | Piece::Told(text) => escaped(text),
            Piece::Code(text) => format!("<code>{}</code>", escaped(text)),
        };
        self.0.iter().map(piece).collect()
    }
}

/// A part under a heading of its own: a table, a note below it, or both. Without either it is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub title: &'static str,
    pub heads: &'static [&'static str],
    pub rows: Vec<Vec<Line>>,
    pub note: Option<Line>,
}

/// A report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    pub title: &'static str,
    pub facts: Vec<Line>,
    pub parts: Vec<Part>,
}

impl Document {
    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| !part.rows.is_empty() || part.note.is_some())
    }

    /// For a ticket or a chat.
    pub fn markdown(&self) -> String {
        let mut page = format!("# {}\n\n", self.title);
        for fact in &self.facts {
            let _ = writeln!(page, "- {}", fact.markdown());
        }
        for part in self.parts() {
            let _ = write!(page, "\n## {}\n\n", part.title);
            if !part.rows.is_empty() {
                let (heads, rule) = (part.heads.join(" | "), " --- |".repeat(part.heads.len()));
                let _ = write!(page, "| {heads} |\n|{rule}\n");
            }
            for row in &part.rows {
                let cells: Vec<String> = row.iter().map(Line::markdown).collect();
                let _ = writeln!(page, "| {} |", cells.join(" | "));
            }
            if let Some(note) = &part.note {
                let gap = if part.rows.is_empty() { "" } else { "\n" };
                let _ = writeln!(page, "{gap}{}", note.markdown());
            }
        }
        page
    }

    /// A page for browsers that needs nothing else: no script, no font, no picture.
    pub fn html(&self) -> String {
        let title = escaped(self.title);
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<ul>\n"
        );
        for fact in &self.facts {
            let _ = writeln!(page, "<li>{}</li>", fact.html());
        }
        page.push_str("</ul>\n");
        for part in self.parts() {
            let _ = write!(page, "<section>\n<h2>{}</h2>\n", escaped(part.title));
            if !part.rows.is_empty() {
                page.push_str("<div class=\"wide\"><table>\n<thead><tr>");
                for head in part.heads {
                    let _ = write!(page, "<th scope=\"col\">{}</th>", escaped(head));
                }
                page.push_str("</tr></thead>\n<tbody>\n");
                for row in &part.rows {
                    let cells: String = row.iter().map(|cell| format!("<td>{}</td>", cell.html())).collect();
                    let _ = writeln!(page, "<tr>{cells}</tr>");
                }
                page.push_str("</tbody>\n</table></div>\n");
            }
            if let Some(note) = &part.note {
                let _ = writeln!(page, "<p>{}</p>", note.html());
            }
            page.push_str("</section>\n");
        }
        page.push_str("</main>\n</body>\n</html>\n");
        page
    }
}

/// Readable in light and dark, on paper and on a phone.
const STYLE: &str = "\
:root { color-scheme: light dark; --ink: #1c2024; --paper: #ffffff; --line: #c9ced6; --soft: #f2f4f7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --paper: #14171b; --line: #444c57; --soft: #1e2329; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.6rem; margin: 0 0 0.5rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { background: var(--soft); white-space: nowrap; }
code { font: 0.9em ui-monospace, monospace; }
@media print { body { font-size: 10pt; } tr { break-inside: avoid; } }
";

/// A text as it is, whatever HTML would make of it.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// A text as it is, whatever Markdown would make of it: no table, no link, no picture, no mention, no HTML.
fn plain(text: &str) -> String {
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
    use super::*;

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

    #[test]
    fn kr_17_a_name_is_text_whatever_html_would_make_of_it() {
        let told = Line::told("<script>alert('x')</script>").and(Line::code("\"a\" & `b`"));
        let document = Document {
            title: "A & B",
            facts: vec![told.clone()],
            parts: vec![
                Part { title: "Full", heads: &["One"], rows: vec![vec![told]], note: None },
                Part { title: "Empty", heads: &["One"], ..Part::default() },
            ],
        };
        let page = document.html();
        assert!(
            !page.contains("<script") && page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"),
            "{page}"
        );
        assert!(
            page.contains("<h1>A &amp; B</h1>") && page.contains("<code>&quot;a&quot; &amp; `b`</code>"),
            "{page}"
        );
        assert!(!page.contains("Empty") && page.contains("prefers-color-scheme: dark"), "{page}");
        // Nothing is fetched from anywhere.
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("url("), "{page}");
        assert!(document.markdown().contains("| &lt;script&gt;alert\\('x'\\)&lt;/script&gt;`\"a\" & 'b'` |"));
    }
}
