//! A film of the real program's screen, as an SVG that moves: a frame for each look at the terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::pty::Terminal;

/// A cell of the terminal, in the picture's pixels.
const WIDTH: f32 = 8.4;
const HEIGHT: f32 = 18.0;
/// The bar above the screen, which says what is done.
const BAR: f32 = 34.0;
const GROUND: [u8; 3] = [0x15, 0x18, 0x1e];
const TEXT: [u8; 3] = [0xd8, 0xde, 0xe9];

/// How letters look.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Look {
    fg: [u8; 3],
    bg: [u8; 3],
    bold: bool,
    italic: bool,
    underline: bool,
}

/// Letters of one look, from a column on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    column: usize,
    cells: usize,
    text: String,
    look: Look,
}

type Row = Vec<Run>;

struct Frame {
    rows: Vec<Row>,
    caption: String,
    millis: u32,
}

/// What was filmed so far.
pub struct Film {
    columns: usize,
    frames: Vec<Frame>,
}

impl Film {
    pub fn new(columns: usize) -> Self {
        Self { columns, frames: Vec::new() }
    }

    /// Looks at the terminal; the picture stays for so long. No letter of `secret` behind its prefix gets into it.
    pub fn look(&mut self, terminal: &Terminal, caption: &str, millis: u32, secret: Option<&str>) {
        terminal.quiet(std::time::Duration::from_millis(120));
        let rows = terminal.with(|screen| rows(screen, secret));
        let caption = caption.to_owned();
        match self.frames.last_mut() {
            Some(last) if last.rows == rows && last.caption == caption => last.millis += millis,
            _ => self.frames.push(Frame { rows, caption, millis }),
        }
    }

    pub fn millis(&self) -> u32 {
        self.frames.iter().map(|frame| frame.millis).sum()
    }

    /// The film as a file. Rows that are alike are kept once.
    pub fn svg(&self, title: &str) -> String {
        let (columns, lines) =
            (self.columns, self.frames.iter().map(|frame| frame.rows.len()).max().unwrap_or(0));
        let (width, height) = (columns as f32 * WIDTH + 16.0, lines as f32 * HEIGHT + BAR + 8.0);
        let mut kept: BTreeMap<&Row, usize> = BTreeMap::new();
        let mut frames = String::new();
        for (number, frame) in self.frames.iter().enumerate() {
            let x = number as f32 * width;
            let _ = write!(
                frames,
                "<g transform=\"translate({x} 0)\"><text x=\"16\" y=\"22\" class=\"c\">{}</text>",
                escaped(&frame.caption)
            );
            for (line, row) in frame.rows.iter().enumerate().filter(|(_, row)| !row.is_empty()) {
                let next = kept.len();
                let place = *kept.entry(row).or_insert(next);
                let _ =
                    write!(frames, "<use href=\"#r{place}\" x=\"8\" y=\"{}\"/>", line as f32 * HEIGHT + BAR);
            }
            frames.push_str("</g>\n");
        }
        let mut looks: BTreeMap<&Look, usize> = BTreeMap::new();
        for run in kept.keys().flat_map(|row| row.iter()) {
            let next = looks.len();
            looks.entry(&run.look).or_insert(next);
        }
        let mut steps = String::new();
        let (all, mut at) = (self.millis().max(1) as f32, 0);
        for (number, frame) in self.frames.iter().enumerate() {
            let _ = write!(
                steps,
                "{:.2}%{{transform:translateX(-{}px)}}",
                at as f32 * 100.0 / all,
                number as f32 * width
            );
            at += frame.millis;
        }
        let _ = write!(
            steps,
            "100%{{transform:translateX(-{}px)}}",
            (self.frames.len().max(1) - 1) as f32 * width
        );
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" xml:space=\"preserve\">\n\
             <title>{}</title>\n<style>\n\
             text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;white-space:pre}}\n\
             .c{{fill:{};font-weight:bold}}\n.film{{animation:film {:.1}s step-end infinite}}\n",
            escaped(title),
            hex([0x7f, 0xb4, 0xf5]),
            all / 1000.0
        );
        for (look, place) in &looks {
            let _ = write!(out, ".l{place}{{fill:{}", hex(look.fg));
            for (is, css) in [
                (look.bold, ";font-weight:bold"),
                (look.italic, ";font-style:italic"),
                (look.underline, ";text-decoration:underline"),
            ] {
                out.push_str(if is { css } else { "" });
            }
            out.push_str("}\n");
        }
        let _ = write!(out, "@keyframes film{{{steps}}}\n</style>\n<defs>\n");
        for (row, place) in &kept {
            let _ = write!(out, "<g id=\"r{place}\">");
            for run in row.iter() {
                let (x, length) = (run.column as f32 * WIDTH, run.cells as f32 * WIDTH);
                if run.look.bg != GROUND {
                    let _ = write!(
                        out,
                        "<rect x=\"{x:.1}\" width=\"{length:.1}\" height=\"{HEIGHT}\" fill=\"{}\"/>",
                        hex(run.look.bg)
                    );
                }
                let text = run.text.trim_start();
                let x = x + (run.text.len() - text.len()) as f32 * WIDTH;
                if !text.is_empty() {
                    let _ = write!(
                        out,
                        "<text x=\"{x:.1}\" y=\"13.5\" class=\"l{}\">{}</text>",
                        looks[&run.look],
                        escaped(text.trim_end())
                    );
                }
            }
            out.push_str("</g>\n");
        }
        let _ = write!(
            out,
            "</defs>\n<rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{}\"/>\n<g class=\"film\">\n{frames}</g>\n</svg>\n",
            hex(GROUND)
        );
        out
    }
}

fn rows(screen: &vt100::Screen, secret: Option<&str>) -> Vec<Row> {
    let (lines, columns) = screen.size();
    (0..lines.get()).map(|line| row(screen, line, columns.get(), secret)).collect()
}

fn row(screen: &vt100::Screen, line: u16, columns: u16, secret: Option<&str>) -> Row {
    let mut cells: Vec<(String, Look)> = Vec::new();
    for column in 0..columns {
        let Some(cell) = screen.cell(line, column) else { continue };
        if cell.is_wide_continuation() {
            cells.push((String::new(), cells.last().map_or_else(|| look(cell), |(_, look)| look.clone())));
            continue;
        }
        let text = cell.contents();
        cells.push((if text.is_empty() { " ".to_owned() } else { text.to_owned() }, look(cell)));
    }
    if let Some(secret) = secret {
        hide(&mut cells, secret);
    }
    let mut row: Row = Vec::new();
    for (column, (text, look)) in cells.into_iter().enumerate() {
        let blank = text == " ";
        match row.last_mut() {
            // Words far apart stand each in their own place, whatever a viewer makes of blanks.
            Some(run) if run.look == look && (blank || !run.text.ends_with("  ") || look.bg != GROUND) => {
                run.cells += 1;
                run.text.push_str(&text);
            }
            _ => row.push(Run { column, cells: 1, text, look }),
        }
    }
    row.retain(|run| !run.text.trim().is_empty() || run.look.bg != GROUND);
    row
}

/// Puts an example in the place of a secret, but for its prefix.
fn hide(cells: &mut [(String, Look)], secret: &str) {
    let line: Vec<&str> = cells.iter().map(|(text, _)| text.as_str()).collect();
    let whole: Vec<String> = secret.chars().map(String::from).collect();
    let Some(at) = line.windows(whole.len()).position(|part| part == whole) else { return };
    let prefix = secret.find('_').map_or(0, |place| place + 1);
    let example = "EXAMPLE·".chars().cycle();
    for ((text, _), letter) in cells[at + prefix..at + whole.len()].iter_mut().zip(example) {
        *text = letter.to_string();
    }
}

fn look(cell: &vt100::Cell) -> Look {
    let (fg, bg) = (colour(cell.fgcolor(), TEXT), colour(cell.bgcolor(), GROUND));
    let (fg, bg) = if cell.inverse() { (bg, fg) } else { (fg, bg) };
    Look { fg, bg, bold: cell.bold(), italic: cell.italic(), underline: cell.underline() }
}

/// The terminal has true colours, so that a number stands for nothing here.
fn colour(colour: vt100::Color, own: [u8; 3]) -> [u8; 3] {
    match colour {
        vt100::Color::Rgb(red, green, blue) => [red, green, blue],
        vt100::Color::Default | vt100::Color::Idx(_) => own,
    }
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
