//! The filter language: read or refused at a place, written so that it reads back the same, and never a part of the SQL.

use chrono::DateTime;
use keyrack::domain::query::{Cursor, Query, complete};
use keyrack::domain::text::composed;
use keyrack::domain::when::Here;
use keyrack::fuzzing::conditions;

pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap_or_default();
    let here = Here::utc(now);
    match Query::parse(&text, here) {
        Ok(query) => {
            let printed = query.to_string();
            match Query::parse(&printed, here) {
                // A text is kept folded, and what is read is composed first: where folding made two marks on one letter, they
                // may change places then.
                Ok(again) if again != query => {
                    let again = again.to_string();
                    assert_eq!(composed(&again), composed(&printed), "printed as {printed:?}");
                }
                Ok(_) => {}
                // What is written in full may be longer than what was typed.
                Err(error) => assert!(printed.chars().count() > 2000, "printed as {printed:?}: {error}"),
            }
            conditions(&query, now).iter().for_each(|sql| is_sound(sql));
        }
        Err(error) => {
            assert!(error.start < error.end && text.get(error.start..error.end).is_some(), "{error:?}");
            assert!(!error.message.contains(|c: char| c.is_control()), "{error:?}");
        }
    }
    for cursor in [0, text.len() / 2, text.len()] {
        let completion = complete(&text, cursor, |_| vec!["x".into()]);
        assert!(text.get(completion.start..completion.end).is_some(), "{completion:?}");
    }
    if let Ok(cursor) = Cursor::parse(&text) {
        assert_eq!(Cursor::parse(&cursor.to_string()), Ok(cursor));
    }
}

/// Whatever was typed is a bound value: the statement's own text is ours alone, and no database refuses it for its size.
fn is_sound(sql: &str) {
    assert!(sql.is_ascii(), "{sql}");
    let mut depth = 0i32;
    let mut quoted = false;
    for c in sql.chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        assert!(depth >= 0, "{sql}");
    }
    assert!(depth == 0 && !quoted, "{sql}");
    assert!(!sql.contains(";") && !sql.contains("--"), "{sql}");
    assert!(sql.matches(['$', '?']).count() < 30_000);
}
