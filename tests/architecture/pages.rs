//! What pages for readers say of the tests.

use crate::sources_below;

/// Words in a page that have the looks of a test's name and that no test has.
pub fn unknown_tests(page: &str) -> Vec<String> {
    let words = page.split('`').skip(1).step_by(2);
    let looks = |word: &&str| {
        word.matches('_').count() >= 3 && word.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    let sources = [sources_below("src"), sources_below("tests")].concat();
    let is_there = |word: &str| {
        let named = format!("fn {word}(");
        sources.iter().any(|source| source.lines.iter().any(|line| line.contains(&named)))
    };
    words.filter(looks).filter(|word| !is_there(word)).map(str::to_owned).collect()
}
