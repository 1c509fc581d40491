use super::*;

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
