use proptest::prelude::*;

use super::*;

/// Every character that the hazards list names, and its neighbours of the same kind.
fn harmful() -> impl Iterator<Item = char> {
    [
        0x00..=0x1F,
        0x7F..=0x9F,
        0xAD..=0xAD,
        0x34F..=0x34F,
        0x61C..=0x61C,
        0x115F..=0x1160,
        0x17B4..=0x17B5,
        0x180B..=0x180F,
        0x200B..=0x200F,
        0x2028..=0x202E,
        0x2060..=0x206F,
        0x3164..=0x3164,
        0xE000..=0xF8FF,
        0xFDD0..=0xFDEF,
        0xFE00..=0xFE0D,
        0xFEFF..=0xFEFF,
        0xFFA0..=0xFFA0,
        0xFFF0..=0xFFFB,
        0xFFFE..=0xFFFF,
        0x1FFFE..=0x1FFFF,
        0xE0000..=0xE0FFF,
        0xF0000..=0x10FFFF,
    ]
    .into_iter()
    .flatten()
    .filter_map(char::from_u32)
}

#[test]
fn every_harmful_character_becomes_the_replacement_character() {
    for c in harmful() {
        assert_eq!(&*SafeText::new(format!("a{c}b")), "a\u{FFFD}b", "U+{:04X}", u32::from(c));
        assert!(check_name(&format!("a{c}b")).is_err(), "U+{:04X}", u32::from(c));
    }
}

#[test]
fn every_scalar_value_keeps_its_place_and_cleaning_twice_changes_nothing() {
    for c in '\0'..=char::MAX {
        let once = SafeText::new(c.to_string());
        assert_eq!(once.chars().count(), 1, "U+{:04X}", u32::from(c));
        assert_eq!(SafeText::new(once.as_str()), once);
        assert!(*once == *c.to_string() || *once == *"\u{FFFD}");
        assert!(once.chars().all(is_safe));
    }
}

#[test]
fn what_the_world_writes_with_passes_unchanged() {
    for text in [
        "Production Server – Main App",
        "CRM sync “Salesforce”",
        "本番サーバー",
        "продакшн",
        "Größe: 3 µs, naïve façade",
        "مفتاح الإنتاج",
        "מפתח ייצור",
        "उत्पादन",
        "e\u{301}tape",
        "⚠\u{FE0F} do not touch 🚀",
        "100 €\u{A0}/ month",
        "••••••••abcd",
    ] {
        assert_eq!(&*SafeText::new(text), text);
        assert_eq!(check_name(text), Ok(composed(text)));
    }
}

#[test]
fn joiners_pass_where_they_shape_what_is_seen_and_nowhere_else() {
    for good in [
        "\u{1F469}\u{200D}\u{1F4BB} laptop",
        "\u{1F3F3}\u{FE0F}\u{200D}\u{1F308}",
        "\u{1F468}\u{1F3FD}\u{200D}\u{1F527}",
        "\u{0645}\u{06CC}\u{200C}\u{062E}\u{0648}\u{0627}\u{0647}\u{0645}",
        "\u{0915}\u{094D}\u{200D}\u{0937}",
        "\u{0915}\u{094D}\u{200C}\u{0937}",
        "\u{09B0}\u{200D}\u{09CD}\u{09AF}",
        "step 1\u{FE0F}\u{20E3}",
    ] {
        assert_eq!(&*SafeText::new(good), good);
        assert_eq!(check_name(good).as_deref(), Ok(good));
    }
    for bad in [
        "pay\u{200D}pal",
        "node\u{200C}-1",
        "\u{200D}\u{1F4BB}",
        "\u{1F4BB}\u{200D}",
        "node\u{FE0F}-1",
        "1\u{FE0F}2",
        "a\u{FE0F}\u{200D}\u{1F308}",
    ] {
        let error = check_name(bad).unwrap_err().to_string();
        assert!(error.contains("can't be shown or hides something"), "{error}");
        let safe = SafeText::new(bad);
        assert!(safe.contains('\u{FFFD}') && SafeText::new(safe.as_str()) == safe, "{safe}");
    }
}

#[test]
fn two_spellings_of_one_name_are_one_name() {
    assert_eq!(check_name("Jose\u{301}"), check_name("Jos\u{e9}"));
    for (typed, kept) in [
        ("cafe\u{301}", "CAF\u{c9}"),
        ("istanbul", "\u{130}stanbul"),
        ("ISPARTA", "\u{131}sparta"),
        ("I\u{307}zmir", "izmir"),
        ("node", "\u{ff2e}\u{ff4f}\u{ff44}\u{ff45}"),
        ("STRASSE", "stra\u{df}e"),
        ("\u{39f}\u{394}\u{39f}\u{3a3}", "\u{3bf}\u{3b4}\u{3bf}\u{3c2}"),
        ("\u{fb01}le", "file"),
        ("\u{1F469}\u{1F4BB}", "\u{1F469}\u{200D}\u{1F4BB}"),
    ] {
        assert_eq!(fold_typed(typed), fold(&composed(kept)), "{typed} {kept}");
    }
    assert_eq!(fold("\u{ff21}B Stra\u{df}e"), "ab strasse");
}

#[test]
fn folding_twice_changes_nothing() {
    for c in '\0'..=char::MAX {
        let once = fold(&c.to_string());
        assert_eq!(fold(&once), once, "U+{:04X}", u32::from(c));
    }
}

#[test]
fn an_escape_sequence_loses_its_teeth() {
    assert_eq!(&*SafeText::new("\u{1b}[31mred\u{9b}2J"), "\u{FFFD}[31mred\u{FFFD}2J");
    assert_eq!(&*SafeText::new("abc\u{202E}gpj.exe"), "abc\u{FFFD}gpj.exe");
}

#[test]
fn vg_09_a_name_is_required() {
    for nothing in ["", "   ", "\n\t", "\u{2800}", "\u{3000} \u{2800}"] {
        assert_eq!(check_name(nothing), Err(TextError::Empty), "{nothing:?}");
    }
    assert_eq!(check_name(" Zapier production\n").as_deref(), Ok("Zapier production"));
    assert_eq!(check_description("").as_deref(), Ok(""));
}

#[test]
fn a_blank_that_only_looks_like_one_is_no_part_of_a_text() {
    for blank in ['\u{2800}', '\u{3164}', '\u{FFA0}', '\u{13441}', '\u{16FE4}', '\u{1D159}'] {
        for (text, place) in
            [(format!("prod{blank}"), 5), (format!("{blank}prod"), 1), (format!("pr{blank}od"), 3)]
        {
            assert_eq!(check_name(&text), Err(TextError::Character { found: blank, place }), "{text:?}");
            assert!(check_description(&text).is_err() && check_reason(&text).is_err(), "{text:?}");
        }
    }
    assert!(check_name("\u{2801}\u{2813}").is_ok(), "braille with dots is seen");
}

#[test]
fn a_refused_character_is_named_with_its_place() {
    let error = check_name("ab\u{202E}c").unwrap_err();
    assert_eq!(error, TextError::Character { found: '\u{202E}', place: 3 });
    assert!(error.to_string().contains("character 3 is U+202E"), "{error}");
    assert_eq!(check_description("one\ntwo"), Err(TextError::LineBreak { place: 4 }));
    assert!(check_reason("tag\u{E0041}").unwrap_err().to_string().contains("U+E0041"));
}

#[test]
fn lengths_are_counted_in_characters_not_bytes() {
    assert!(check_name(&"界".repeat(NAME_MAX)).is_ok());
    let error = check_name(&"界".repeat(NAME_MAX + 1)).unwrap_err();
    assert_eq!(error, TextError::TooLong { length: 101, max: 100 });
    assert!(check_description(&"é".repeat(DESCRIPTION_MAX)).is_ok());
    assert!(check_description(&"é".repeat(DESCRIPTION_MAX + 1)).is_err());
    assert!(check_reason(&"é".repeat(REASON_MAX)).is_ok());
    assert!(check_reason(&"é".repeat(REASON_MAX + 1)).is_err());
}

proptest! {
    #[test]
    fn vp_21_a_name_is_accepted_exactly_when_all_of_it_is_printable(text in "\\PC{1,60}|.{1,60}") {
        let trimmed = text.trim();
        let printable = SafeText::new(trimmed).as_str() == trimmed;
        let visible = trimmed.chars().any(|c| !c.is_whitespace() && c != '\u{2800}');
        prop_assert_eq!(check_name(&text).is_ok(), printable && visible);
    }

    #[test]
    fn a_part_of_a_text_folded_is_a_part_of_the_folded_text(a in ".{0,20}", b in ".{0,20}", c in ".{0,20}") {
        let whole = fold(&format!("{a}{b}{c}"));
        prop_assert!(whole.contains(&fold(&b)));
        prop_assert_eq!(fold(&fold(&b)), fold(&b));
    }
}

#[test]
fn a_secret_in_a_text_is_refused_at_its_first_character() {
    let secret = format!("gw_{}", "a1".repeat(30));
    for (before, place) in [("", 1), ("über ", 6)] {
        assert_eq!(check_reason(&format!("{before}{secret}")), Err(TextError::Secret { place }));
    }
}

#[test]
fn signs_that_enclose_a_number_are_seen_and_pass() {
    assert!("\u{600}\u{605}\u{6DD}\u{70F}\u{110BD}".chars().all(is_safe));
    assert!(!"\u{61C}\u{70E}\u{200B}".chars().any(is_safe));
}

#[test]
fn a_non_joiner_passes_between_letters_that_join_and_between_no_others() {
    for (text, passes) in [
        ("\u{628}\u{200C}\u{628}", true),
        ("\u{628}\u{658}\u{200C}\u{628}", true),
        ("\u{660}\u{200C}\u{661}", false),
        ("\u{628}\u{200C}a", false),
        ("a\u{200C}\u{628}", false),
        ("\u{1F469}\u{200C}\u{1F469}", false),
    ] {
        assert_eq!(SafeText::new(text).as_str() == text, passes, "{text:?}");
    }
}

#[test]
fn text_that_is_read_from_json_is_cleaned() {
    let read: SafeText = serde_json::from_str(r#""a\u001b[2Jb""#).unwrap();
    assert_eq!(&*read, "a\u{FFFD}[2Jb");
    assert_eq!(SafeText::from("a\u{1b}b").as_str(), "a\u{FFFD}b");
}

#[test]
fn what_of_a_row_can_not_be_read_stands_before_its_name() {
    assert_eq!(SafeText::default().before("hub"), "hub");
    assert_eq!(SafeText::new("its scopes").before("hub"), "can't be read: its scopes · hub");
}

#[test]
fn numbers_are_written_in_groups_of_three_and_their_nouns_agree() {
    for (number, written) in
        [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")]
    {
        assert_eq!(thousands(number), written);
    }
    assert_eq!([0, 1, 1_024].map(|n| counted(n, "letter")), ["0 letters", "1 letter", "1,024 letters"]);
    assert_eq!(hex(&[0, 10, 255]), "000aff");
}

#[test]
fn a_field_that_a_spreadsheet_would_reckon_gets_an_apostrophe() {
    for formula in
        ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "−1", " =1", "\u{7f}=1", "'=1", "\tx", "\rx", "\nx"]
    {
        assert_eq!(for_spreadsheets(formula.into()), format!("'{formula}"));
    }
    for plain in ["", "nightly build", "a=b", " 1", "é"] {
        assert_eq!(for_spreadsheets(plain.into()), plain);
    }
}

#[test]
fn a_name_with_hyphens_has_no_two_in_a_row_and_none_at_an_end() {
    for (name, hyphened_name) in [
        ("Acme Inc.", "acme-inc"),
        ("  --Zürich & Co (Test)", "z-rich-co-test"),
        ("abcdefgh ijklmnop", "abcdefgh-ijklmno"),
        ("abcdefghijklmno p", "abcdefghijklmno"),
        ("…", ""),
    ] {
        assert_eq!(hyphened(name, 16), hyphened_name, "{name:?}");
    }
}
