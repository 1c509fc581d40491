use super::*;

/// The same bytes in the alphabet of URLs.
fn base64_of_urls(bytes: &[u8]) -> String {
    base64(bytes).replace('+', "-").replace('/', "_")
}

/// In lines as mails have them.
fn lines(text: &str, end: &str) -> String {
    let lines: Vec<&str> = (0..text.len()).step_by(76).map(|at| &text[at..text.len().min(at + 76)]).collect();
    lines.join(end)
}

#[test]
fn what_is_encoded_has_the_place_at_which_its_digits_begin() {
    for secret in two() {
        for before in [
            &b""[..],
            b"a",
            b"ab",
            b"abc",
            b"\xff\xfe\0\x1b[31m \x07\xe2\x80\x8b",
            b"word \xff\x1b[1mword\x1b[0m ",
        ] {
            for misplaced in ["", "A", "AB", "ABC"] {
                let inner =
                    [before, secret.as_bytes(), b"\x1b[0m\0 then ", secret.as_bytes(), b" end"].concat();
                let first = before.len();
                let second = first + secret.len() + 11;
                let text = format!("line\nvalue: {misplaced}{}", base64(&inner));
                let places: Vec<_> =
                    find(&text).iter().map(|one| (one.line, one.column, one.kind.clone())).collect();
                let column = |byte: usize| 8 + misplaced.len() + byte * 8 / 6;
                let expected = [first, second].map(|byte| (2, column(byte), Kind::Whole));
                assert_eq!(places, expected, "{misplaced} {before:?}");
            }
        }
    }
}

#[test]
fn base64_in_lines_is_read_over_their_ends() {
    for secret in two() {
        let inner = format!("{}{secret}{}", "words before it, ".repeat(9), " and words behind it".repeat(7));
        for end in ["\n", "\r\n", "\n    ", "\r\n\t"] {
            for skip in 0..40 {
                assert_whole(format!("x: {}\n", lines(&base64(&inner.as_bytes()[skip..]), end)), &secret);
            }
        }
        // A shorter line is the last one.
        for (width, is_read) in [(39, false), (40, true), (41, true)] {
            let digits = base64(inner.as_bytes());
            let some: Vec<&str> = (0..digits.len())
                .step_by(width)
                .map(|at| &digits[at..digits.len().min(at + width)])
                .collect();
            let found = find(some.join("\n"));
            assert_eq!(found.iter().any(|one| one.kind == Kind::Whole), is_read, "{width}");
        }
    }
}

#[test]
fn base64_is_alone_where_nothing_else_stands_in_the_text() {
    for secret in two() {
        let digits = base64(format!("{secret:>81}").as_bytes());
        let (a, b) = digits.split_at(76);
        let alone = |text: String| {
            let found = find(&text);
            assert_eq!(found.len(), 1, "{text}");
            found[0].alone
        };
        assert!(alone(format!("\n{a}\n{b}\n")) && alone(digits.clone()));
        for text in [
            format!("{a}\n{b}\nword"),
            format!("{digits} word"),
            format!("word {digits}"),
            format!("{a}\n{b} word"),
        ] {
            assert!(!alone(text.clone()), "{text}");
        }
    }
}

#[test]
fn a_line_behind_base64_hides_no_secret_in_it() {
    for secret in two() {
        // No sign of its end follows.
        let digits = base64(format!("{secret:>81}").as_bytes());
        let readings = |text: String| -> Vec<String> {
            let all = find(text).into_iter().flat_map(|one| one.readings);
            all.map(|one| one.expose().to_owned()).collect()
        };
        for first in ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(['-', '_', '+', '/']) {
            for text in [format!("data:\n  one: {digits}\n  {first}pikey: x\n"), format!("{digits}\n{first}")]
            {
                assert_eq!(readings(text), [secret.as_str()], "{first}");
            }
        }
        assert_eq!(readings([digits.as_str(); 3].join("\n")), [secret.as_str(); 3]);
    }
}

#[test]
fn both_alphabets_of_base64_are_read() {
    for secret in two() {
        let (a, b) = secret.split_at(30);
        // Digits that only one of them has stand within the secret.
        for (before, between) in
            ["", "1", "12"].into_iter().flat_map(|before| ["\n> ", "\n>> ", "\n? "].map(|one| (before, one)))
        {
            let inner = format!("{before}{a}{between}{b} end of it");
            for encoded in [base64(inner.as_bytes()), base64_of_urls(inner.as_bytes())] {
                if between != "\n? " {
                    assert_whole(format!("x: {encoded} "), &secret);
                }
            }
        }
        for wide in [
            base64(&[&b"\xfb\xff\xbf"[..], secret.as_bytes()].concat()),
            base64_of_urls(&[&b"\xfb\xff\xbf"[..], secret.as_bytes()].concat()),
        ] {
            assert_whole(wide, &secret);
        }
    }
}

#[test]
fn base64_is_looked_into_twice_and_no_further() {
    for secret in two() {
        let once = base64(format!("key: {secret};").as_bytes());
        let twice = base64(format!("data: {once}").as_bytes());
        assert_whole(format!("x {once}"), &secret);
        assert_whole(format!("x {twice}"), &secret);
        assert_not_whole(format!("x {}", base64(twice.as_bytes())));
    }
}

#[test]
fn base64_within_base64_needs_no_letter_of_a_prefix() {
    let plain = |secret: &String| !base64(secret.as_bytes()).contains(['5', 'r', '_']);
    let secret = (0..=u8::MAX).map(|seed| made("gw_", Body::Base62Checksum, seed)).find(plain).unwrap();
    let inner = base64(secret.as_bytes());
    assert_whole(base64(inner.trim_end_matches('=').as_bytes()), &secret);
}

#[test]
fn what_is_hidden_in_base64_hides_no_secret() {
    for secret in two() {
        for (every, hidden) in [
            (1, "\u{200b}"),
            (1, "\u{ad}"),
            (1, "\u{34f}"),
            (1, "\u{61c}"),
            (1, "\u{115f}"),
            (1, "\u{2060}"),
            (1, "\u{feff}"),
            (1, "\u{e0041}"),
            (1, "\u{90}"),
            (1, "\0"),
            (1, "\u{7f}"),
            (2, "\u{1b}[m"),
            (1, "\u{1b}[m"),
            (1, "\u{1b}(B"),
            (2, "\u{9b}m"),
        ] {
            let chars: Vec<char> = secret.chars().collect();
            let spread: Vec<String> = chars.chunks(every).map(|some| some.iter().collect()).collect();
            assert_whole(base64(spread.join(hidden).as_bytes()), &secret);
        }
    }
}

#[test]
fn what_is_escaped_or_wrapped_in_base64_is_found() {
    for secret in two() {
        let escape = |form: fn(u8) -> String| secret.bytes().map(form).collect::<String>();
        let (a, b) = secret.split_at(30);
        for inner in [
            escape(|byte| format!("%{byte:02X}")),
            escape(|byte| format!("={byte:02X}")),
            escape(|byte| format!("\\u{byte:04x}")),
            escape(|byte| format!("\\x{byte:02x}")),
            escape(|byte| format!("&#{byte};")),
            escape(|byte| format!("&#x{byte:x};")),
            format!("{a}\n{b}"),
            format!("{a}=\r\n{b}"),
            format!("{a}\n> {b}"),
        ] {
            assert_whole(base64(inner.as_bytes()), &secret);
        }
    }
}

#[test]
fn base64_of_words_and_digests_holds_nothing() {
    for inner in [
        "only words, and more of them than a secret has letters, in five or more lines of text",
        "%%%%####;;;;%%%%####;;;;%%%%####;;;;%%%%####;;;;%%%%####;;;;%%%%",
    ] {
        assert_eq!(told(base64(inner.as_bytes())), [], "{inner}");
    }
    assert_eq!(told("0123456789abcdef".repeat(8)), []);
}
