use super::*;

type Place = (usize, usize, Kind, usize);

fn place(one: &Finding) -> Place {
    (one.line, one.column, one.kind.clone(), one.readings.len())
}

/// What is told of a text that comes in pieces: as many bytes at once as are asked for.
fn streamed(stream: &mut Stream, mut text: &[u8]) -> Vec<Place> {
    let mut told = Vec::new();
    loop {
        let space = stream.space();
        let length = space.len().min(text.len());
        let is_full = length == space.len();
        space[..length].copy_from_slice(&text[..length]);
        text = &text[length..];
        assert_eq!(stream.took(length), is_full);
        stream.look(text.is_empty(), |finding| told.push(place(&finding)));
        if text.is_empty() {
            return told;
        }
    }
}

/// A stream tells the same of a text as a search that has all of it at once.
#[track_caller]
fn assert_same(stream: &mut Stream, text: &[u8]) {
    let whole: Vec<_> = find(text).iter().map(place).collect();
    assert!(!whole.is_empty());
    assert_eq!(streamed(stream, text), whole);
}

/// A stream with a window so small that a test can fill it many times.
fn small(window: usize, around: usize) -> Stream {
    Stream::with(std::sync::Arc::new(Finder::new(&all_presets())), window, around)
}

#[test]
fn a_secret_is_told_once_at_whatever_place_of_a_window_it_stands() {
    let [secret, _] = two();
    let mut stream = small(600, 250);
    for before in 0..700 {
        let filler = ".".repeat(before);
        assert_same(&mut stream, format!("{filler}\n{secret}\n{}", "words ".repeat(150)).as_bytes());
    }
}

#[test]
fn every_secret_of_a_long_text_is_told_once_and_in_its_place() {
    let [hex, summed] = two();
    let text: String = (0..100).map(|n| format!("{n}\n{}{hex} é {summed}", "—".repeat(n % 37))).collect();
    for window in [600, 601, 602, 603, 1_000] {
        assert_same(&mut small(window, 250), text.as_bytes());
    }
}

#[test]
fn no_character_is_cut_by_the_end_of_a_window() {
    let [secret, _] = two();
    for c in ["é", "€", "😀", "x", "\u{7ff}", "\u{800}", "\u{10ffff}", "\u{200b}"] {
        for before in 0..5 {
            let text = format!("{}{}: {secret}", ".".repeat(before), c.repeat(1_000));
            assert_same(&mut small(600, 250), text.as_bytes());
        }
    }
    // Nor is anything waited for that no character begins with.
    for broken in [&b"\x80"[..], b"\xff", b"\xc0", b"\xe2\x80", b"\xf0\x9f", b"\xc3"] {
        let text = [&broken.repeat(700), &b": "[..], secret.as_bytes(), broken].concat();
        assert_same(&mut small(600, 250), &text);
    }
}

#[test]
fn no_terminals_sequence_is_cut_by_the_end_of_a_window() {
    let [secret, _] = two();
    let mut stream = small(6_000, 250);
    let (a, b) = secret.split_at(30);
    for sequence in [
        "\u{1b}[38;5;208m".to_owned(),
        "\u{9b}31m".into(),
        "\u{1b}(B".into(),
        format!("\u{1b}[{}m", "1;".repeat(1_500)),
    ] {
        let marked = format!("{a}{sequence}{b}");
        for shift in 0..marked.len().min(120) {
            let before = ".".repeat(6_000 - shift - 1);
            assert_same(&mut stream, format!("{before}\n{marked} and more\n").as_bytes());
        }
    }
    // One that stands at the beginning of a window holds nothing up.
    for before in ["\u{1b}", "\u{1b}]", "\u{9b}"] {
        let text = format!("{before}{}{secret}", ".".repeat(7_000));
        assert_same(&mut stream, text.as_bytes());
    }
}

#[test]
fn a_secret_over_the_end_of_a_real_window_is_found() {
    let [secret, _] = two();
    let spread: String = secret.chars().flat_map(|c| [c, '\n']).collect();
    let mut stream = Stream::new(std::sync::Arc::new(Finder::new(&all_presets())));
    let window = stream.space().len();
    assert_same(&mut stream, format!("{}\n{secret}\n{spread}", ".".repeat(window - 40)).as_bytes());
    let encoded = base64(format!("{}{secret}{}", " ".repeat(6_000), " ".repeat(100)).as_bytes());
    assert_same(&mut stream, format!("{}\n{encoded}", ".".repeat(window - 7_040)).as_bytes());
}

proptest! {
    #[test]
    fn a_stream_tells_what_the_whole_tells(texts in proptest::collection::vec(pieces(), 1..40), window in 3000_usize..9000) {
        let text = texts.join(" \n\n ");
        let whole: Vec<_> = find(&text).iter().map(place).collect();
        let mut stream = small(window, 2500);
        for _ in 0..2 {
            prop_assert_eq!(&streamed(&mut stream, text.as_bytes()), &whole);
        }
    }
}
