use proptest::prelude::*;

use super::*;

fn cleaned_text(input: &[u8]) -> String {
    let mut text = String::new();
    clean(input, &mut text);
    text
}

#[test]
fn a_text_is_cleaned_of_what_nobody_sees_and_of_nothing_else() {
    for (input, text) in [
        (&b"a\x1b[31mb\x1b[0m"[..], "ab"),
        (b"a\x1b(Bb\x1b7c\x1b=d", "abcd"),
        (b"a\xc2\x9b31mb", "ab"),
        (b"a\x1b", "a"),
        (b"a\x1b[31", "a31"),
        (b"a\x1b[31\xffb", "ab"),
        (b"a\x1b]b\x1b\\c", "a ]b \\c"),
        (b"a\x07b", "a b"),
        (b"a\xffb\xe2\x80", "a?b?"),
        (b"h\0i\0", "hi"),
        (b"\t\n\r\x0b\x0c\xc2\x85", "\t\n\r\u{b}\u{c}\u{85}"),
        (b"\xef\xbb\xbfa\xe2\x80\x8bb", "ab"),
    ] {
        assert_eq!(cleaned_text(input), text, "{input:?}");
    }
}

/// Bytes that matter, more often than others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let odd = [
        "\u{1b}[31m",
        "\u{1b}(B",
        "\u{1b}]",
        "\u{9b}1m",
        "\u{7}",
        "\u{200b}",
        "\0",
        "é",
        "€",
        "😀",
        "plain words, ",
    ];
    let odd = proptest::sample::select(odd.map(str::as_bytes).to_vec()).prop_map(<[u8]>::to_vec);
    let piece = prop_oneof![odd, any::<u8>().prop_map(|byte| vec![byte]), Just(b"x".repeat(70))];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn each_character_of_a_clean_text_has_its_place_in_what_it_was(input in bytes()) {
        let text = cleaned_text(&input);
        let sources = sources(&input, text.char_indices().map(|(place, _)| place));
        prop_assert_eq!(sources.len(), text.chars().count());
        prop_assert!(sources.is_sorted_by(|a, b| a < b), "{:?}", sources);
        for (source, c) in sources.into_iter().zip(text.chars()) {
            let here = &input[source..];
            let itself = here.starts_with(c.encode_utf8(&mut [0; 4]).as_bytes());
            let instead = match c {
                ' ' => matches!(here[0], 0x1b | 0x07),
                '?' => here[0] >= 0x80,
                _ => false,
            };
            prop_assert!(itself || instead, "{:?} at {}", c, source);
        }
    }
}
