use super::*;

fn fold(text: &str) -> String {
    super::fold(text, &BTreeSet::new())
}

#[test]
fn what_fits_stays_as_it_is() {
    let text = "a\n\n  b  c\n-- \nd\n";
    assert_eq!(fold(text), text);
    assert_eq!(fold("end  "), "end\n");
}

#[test]
fn a_long_line_breaks_at_a_blank_and_goes_on_below_its_value() {
    let text = format!("   Account:    {}", "abcdefghi ".repeat(12));
    let folded = fold(&text);
    let lines: Vec<&str> = folded.lines().collect();
    assert_eq!(lines.len(), 2, "{folded}");
    assert_eq!(lines[0], format!("   Account:    {}", "abcdefghi ".repeat(6).trim_end()));
    assert_eq!(lines[1], format!("               {}", "abcdefghi ".repeat(6).trim_end()));
}

#[test]
fn a_long_step_goes_on_below_its_first_word() {
    let folded = fold(&format!(" 12. {}", "abcdefghi ".repeat(12)));
    assert!(folded.lines().nth(1).unwrap().starts_with("     abcdefghi"), "{folded}");
}

#[test]
fn a_word_that_fits_in_no_line_is_broken_between_characters() {
    let name = "e\u{301}本".repeat(60);
    let folded = fold(&name);
    assert!(folded.lines().all(|line| line.width() <= COLUMNS));
    assert_eq!(folded.replace('\n', ""), name);
    assert!(folded.lines().all(|line| !line.starts_with('\u{301}')));
}

#[test]
fn nothing_but_blanks_is_lost_and_folding_ends() {
    for text in [" ".repeat(200), format!("{}x", " ".repeat(200)), "x ".repeat(200), "本".repeat(200)] {
        let strip = |text: &str| text.replace([' ', '\n'], "");
        assert_eq!(strip(&fold(&text)), strip(&text));
    }
}

#[test]
fn a_link_is_never_broken_and_a_name_like_one_is() {
    let link = format!("https://app.example.com/{}", "x".repeat(90));
    let text = format!(" 1. Open this page:\n    {link}\n 2. Done. {link}\n");
    let whole = BTreeSet::from([link.clone()]);
    assert_eq!(super::fold(&text, &whole).matches(&link).count(), 2);
    assert!(fold(&text).lines().all(|line| line.width() <= COLUMNS));
    let other = format!("https://app.example.com/{}", "y".repeat(90));
    assert!(super::fold(&other, &whole).lines().all(|line| line.width() <= COLUMNS));
}

#[test]
fn two_columns_stay_in_their_places() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let told = beside(&texts(&["Tue", "in 2 days"]), &texts(&["CI", "", "vg_pat_1", "last used"]), 12);
    assert_eq!(told, "Tue           CI\nin 2 days     vg_pat_1\n              last used");
    assert_eq!(beside(&texts(&["本番"]), &texts(&["x"]), 6), "本番    x");
    for long in ["x".repeat(300), "本番 ".repeat(60), "e\u{301}".repeat(200)] {
        for width in [0, 1, 2, 24, 74, 75, 76, 1000] {
            let side = std::slice::from_ref(&long);
            let told = beside(side, side, width);
            assert!(told.lines().all(|line| line.width() <= COLUMNS), "{width}: {told}");
            let strip = |text: &str| text.replace([' ', '\n'], "").chars().count();
            assert_eq!(strip(&told), 2 * strip(&long), "{width}");
        }
    }
    assert_eq!(beside(&[], &[], 24), "");
}
