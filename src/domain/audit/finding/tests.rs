use std::collections::HashSet;

use super::*;

#[test]
fn every_kind_has_a_word_of_its_own_and_says_what_helps() {
    let words: HashSet<&str> = Kind::VARIANTS.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(words.len(), Kind::VARIANTS.len());
    for kind in Kind::VARIANTS {
        let (about, what) = kind.as_str().split_once('.').unwrap();
        assert!(!about.is_empty() && !what.is_empty(), "{kind:?}");
        let cure = kind.cure();
        assert!(cure.starts_with(char::is_uppercase) && cure.contains(' '), "{kind:?}: {cure}");
        assert!(!cure.contains("  "), "{kind:?}: {cure}");
    }
}

#[test]
fn a_key_that_may_open_for_a_stranger_is_to_be_revoked() {
    for kind in [Kind::Planted, Kind::Secret, Kind::Identity] {
        assert!(kind.cure().contains("`keyrack key revoke`, then find out who can write"), "{kind:?}");
    }
    assert!(Kind::Unrevoked.cure().contains("again with `keyrack key revoke`"));
}

#[test]
fn of_many_findings_the_first_thousand_are_kept_and_all_counted() {
    let one = |n: u32| Finding::new(Kind::Planted, n.to_string(), "no row", "there");
    let mut findings = Findings::default();
    findings.add((0..999).map(one));
    assert_eq!((findings.kept.len(), findings.count), (999, 999));
    findings.add((999..1_500).map(one));
    assert_eq!(findings.count, 1_500);
    assert_eq!(findings.kept, (0..1_000).map(one).collect::<Vec<_>>());
}

#[test]
fn what_a_database_holds_is_shown_without_what_nobody_sees() {
    let finding = Finding::new(Kind::Operator, "eve\u{202e}", "viewer\u{1b}[31m", "admin\u{200b}");
    let texts = format!("{}{}{}", finding.subject, finding.audit, finding.table);
    assert!(!texts.contains(['\u{202e}', '\u{1b}', '\u{200b}']), "{texts:?}");
}
