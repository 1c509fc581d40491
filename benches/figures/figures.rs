//! What a bench measured, each figure beside its limit of the same run, as a table in `benches/README.md`.
//!
//! `cargo bench` measures in full. Without `--bench` among the arguments, as `cargo test` starts a bench, it goes through
//! everything once with few keys and writes nothing: so that none of them rots.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

pub mod bare;

/// Something that was measured.
#[derive(Clone, Copy, Debug)]
pub enum Figure {
    /// The less, the better.
    Time(Duration),
    /// So many a second: the more, the better.
    Rate(f64),
    /// Megabytes a second: the less, the better.
    Written(f64),
    /// Per cent of one core: the less, the better.
    Core(f64),
}

impl Figure {
    fn number(self) -> f64 {
        match self {
            Self::Time(time) => time.as_secs_f64() * 1e3,
            Self::Rate(number) | Self::Written(number) | Self::Core(number) => number,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number();
        match self {
            Self::Time(_) if number < 10.0 => write!(f, "{number:.3} ms"),
            Self::Time(_) => write!(f, "{number:.1} ms"),
            Self::Rate(_) => write!(f, "{}/s", keyrack::domain::text::thousands(number.round() as u64)),
            Self::Written(_) => write!(f, "{number:.2} MB/s"),
            Self::Core(_) => write!(f, "{number:.1} % of a core"),
        }
    }
}

/// One bench under way.
pub struct Bench {
    name: &'static str,
    /// Between whose marks its table lies.
    table: &'static str,
    full: bool,
    rows: Vec<String>,
}

impl Bench {
    /// `None` where the command line asks for benches of another name.
    pub fn begin(name: &'static str) -> Option<Self> {
        let given: Vec<String> = std::env::args().skip(1).collect();
        let mut names = given.iter().filter(|given| !given.starts_with('-')).peekable();
        if names.peek().is_some() && !names.any(|given| name.contains(given.as_str())) {
            return None;
        }
        Some(Self { name, table: name, full: given.iter().any(|given| given == "--bench"), rows: Vec::new() })
    }

    /// The same, with a table of another name: its own stays.
    #[must_use]
    pub fn apart(self, table: &'static str) -> Self {
        Self { table, ..self }
    }

    /// Whether it measures, or goes through everything once.
    pub fn full(&self) -> bool {
        self.full
    }

    /// How many keys: those that `KEYRACK_BENCH_KEYS` names (`1000,1000000`), or as usual.
    pub fn sizes(&self, usual: &[u64]) -> Vec<u64> {
        if !self.full {
            return vec![200];
        }
        match std::env::var("KEYRACK_BENCH_KEYS") {
            Ok(sizes) => sizes.split(',').map(|size| size.trim().replace('_', "").parse().unwrap()).collect(),
            Err(_) => usual.to_vec(),
        }
    }

    /// How long to measure: what `KEYRACK_BENCH_SECONDS` says, or as usual.
    pub fn time(&self, usual: u64) -> Duration {
        let told = || std::env::var("KEYRACK_BENCH_SECONDS").ok()?.parse().ok();
        if self.full { Duration::from_secs(told().unwrap_or(usual)) } else { Duration::from_millis(100) }
    }

    /// The median time of one call.
    pub fn median(&self, mut work: impl FnMut()) -> Duration {
        let (least, time) = if self.full { (11, Duration::from_secs(1)) } else { (1, Duration::ZERO) };
        let (begun, mut times) = (Instant::now(), Vec::new());
        while times.len() < least || begun.elapsed() < time {
            let one = Instant::now();
            work();
            times.push(one.elapsed());
        }
        times.sort_unstable();
        times[times.len() / 2]
    }

    /// Prints a figure beside its limit and keeps it for the table.
    pub fn row(&mut self, what: &str, figure: Figure, limit: (&str, Figure)) {
        let (floor, limit) = limit;
        let ratio = figure.number() / limit.number();
        println!("{what:<48} {figure:>14}   {ratio:>7.2} × {floor} ({limit})");
        self.rows.push(format!("| {what} | {figure} | {floor}: {limit} | {ratio:.2} |"));
    }

    /// Keeps a figure that has no limit but what it should be at most.
    pub fn alone(&mut self, what: &str, figure: &str) {
        println!("{what:<48} {figure}");
        self.rows.push(format!("| {what} | {figure} | | |"));
    }

    /// Writes the table into the README, between its two marks.
    pub fn end(self) {
        if !self.full {
            return println!("{}: all of it runs", self.name);
        }
        let told = ["KEYS", "SECONDS"].map(|name| format!("KEYRACK_BENCH_{name}")).into_iter();
        let told: String =
            told.filter_map(|name| Some(format!("{name}={} ", std::env::var(&name).ok()?))).collect();
        let day = keyrack::clock::Clock::System.now().format("%Y-%m-%d");
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let table = format!(
            "On {day}, `{told}cargo bench --bench {}`, {cores} cores:\n\n\
             | what | measured | limit in the same run | measured ÷ limit |\n|---|---|---|---|\n{}\n",
            self.name,
            self.rows.join("\n")
        );
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/README.md");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, between(&text, self.table, &table)).unwrap();
        println!("written to {}", path.display());
    }
}

/// The text with a table between the two marks of that name, at its end if they are not there yet.
fn between(text: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->"));
    let parts = text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) = parts.unwrap_or((text, "\n"));
    format!("{}\n\n{begin}{table}{end}{after}", before.trim_end())
}
