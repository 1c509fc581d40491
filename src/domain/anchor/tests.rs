use chrono::{DateTime, Duration};

use super::*;

fn at(n: i64) -> Instant {
    DateTime::UNIX_EPOCH + Duration::hours(n)
}

fn checkpoint(seq: i64) -> Checkpoint {
    Checkpoint { database: "db".into(), head: Head { seq, at: at(seq), hash: format!("{seq:064}") } }
}

fn key(n: u8) -> AnchorKey {
    AnchorKey::new(&[n; 32])
}

/// Anchors of rows 1, 3, 5, 7, as a file has them.
fn series() -> Vec<Anchor> {
    let mut all: Vec<Anchor> = Vec::new();
    for seq in [1, 3, 5, 7] {
        let next = key(1).sign(&checkpoint(seq), at(seq), Order::After(all.last()));
        all.push(next);
    }
    all
}

fn kinds(lines: &[String]) -> Vec<Kind> {
    let series = Series::read(&lines.join("\n"), &[key(1).public()]);
    let rows: Vec<Head> = (1..=8).map(|seq| checkpoint(seq).head).collect();
    let compared = series.compare("db", &rows);
    series.findings.into_iter().chain(compared).map(|one| one.kind).collect()
}

#[test]
fn a_key_reads_what_it_wrote_and_shows_no_secret() {
    let made = key(7);
    let read = AnchorKey::parse(&made.text()).unwrap();
    assert_eq!(read.public(), made.public());
    assert_eq!(made.public().to_string().parse(), Ok(made.public()));
    assert!(!format!("{made:?}").contains("0707"));
    for wrong in ["", "ed25519:", "ed25519:00", "keyrack-anchor-secret:zz", &made.text()] {
        assert_eq!(wrong.parse::<PublicKey>(), Err(AnchorError::Public));
    }
}

#[test]
fn whole_anchors_hold_even_in_a_log_and_twice() {
    let lines: Vec<String> = series().iter().map(Anchor::line).collect();
    assert_eq!(kinds(&lines), []);
    let logged: Vec<String> =
        lines.iter().flat_map(|line| [format!("Nov 28 host keyrack: {line}"), line.clone()]).collect();
    assert_eq!(kinds(&logged), []);
    let torn = [&lines[..2], &["{\"keyrack-anchor\":1,\"num".into()], &lines[2..]].concat();
    assert_eq!(kinds(&torn), [], "a writer that died left a piece, and the next went on behind it");
}

#[test]
fn cut_forged_and_moved_anchors_are_told() {
    let all = series();
    let line = |anchor: &Anchor| anchor.line();
    let lines: Vec<String> = all.iter().map(line).collect();
    assert_eq!(kinds(&lines[1..]), [Kind::AnchorCut], "the first is gone");
    assert_eq!(kinds(&[&lines[..1], &lines[2..]].concat()), [Kind::AnchorCut], "one in the midst is gone");
    let mut half = lines.clone();
    half[3].truncate(100);
    assert_eq!(kinds(&half), [Kind::AnchorCut]);
    let edited = Anchor { hash: "f".repeat(64), ..all[3].clone() };
    assert_eq!(kinds(&[&lines[..3], &[line(&edited)]].concat()), [Kind::AnchorForged]);
    let others = key(2).sign(&checkpoint(7), at(7), Order::After(Some(&all[2])));
    assert_eq!(kinds(&[&lines[..3], &[line(&others)]].concat()), [Kind::AnchorForged]);
    for field in ["number", "database", "seq", "at", "taken", "previous", "key"] {
        let mut tree = serde_json::to_value(&all[3]).unwrap();
        tree[field] = match &tree[field] {
            serde_json::Value::String(text) if text.starts_with("19") => text.replace("07:", "08:").into(),
            serde_json::Value::String(text) => format!("{text}0").into(),
            number => (number.as_i64().unwrap() + 1).into(),
        };
        let line = tree.to_string();
        let found = Series::read(&[&lines[..3], &[line]].concat().join("\n"), &[key(1).public()]);
        assert_eq!(found.findings.len(), 1, "{field}: {:?}", found.findings);
    }
}

#[test]
fn a_chain_that_was_computed_anew_cut_or_swapped_fails() {
    let series =
        Series::read(&series().iter().map(Anchor::line).collect::<Vec<_>>().join("\n"), &[key(1).public()]);
    let rows: Vec<Head> = (1..=8).map(|seq| checkpoint(seq).head).collect();
    assert_eq!(series.compare("db", &rows), []);
    assert_eq!(series.compare("db", &rows[..6]).len(), 1, "cut");
    assert_eq!(series.compare("other", &rows).len(), 4);
    let mut anew = rows.clone();
    anew.iter_mut().skip(3).for_each(|row| row.hash = "e".repeat(64));
    assert_eq!(series.compare("db", &anew).len(), 2, "computed anew from row 4 on");
    let words = series.words(8, |at| at.format("%H:%M").to_string());
    assert_eq!(
        words,
        "4 anchors from 01:00 to 07:00 hold: rows 1 to 7 are as they were then; 1 row after it is not covered yet."
    );
}
