use super::*;

/// How one character is escaped.
const ESCAPES: [fn(u32) -> String; 16] = [
    |c| format!("%{c:02x}"),
    |c| format!("%{c:02X}"),
    |c| format!("%25{c:02x}"),
    |c| format!("%2525{c:02X}"),
    |c| format!("%252525{c:02X}"),
    |c| format!("={c:02X}"),
    |c| format!("\\u{c:04x}"),
    |c| format!("\\\\u{c:04X}"),
    |c| format!("\\\\\\\\u{c:04X}"),
    |c| format!("\\x{c:02x}"),
    |c| format!("\\\\x{c:02X}"),
    |c| format!("&#{c};"),
    |c| format!("&#{c:05};"),
    |c| format!("&#x{c:x};"),
    |c| format!("&#x{c:04X};"),
    |c| format!("&#X{c:06x};"),
];

/// What a secret is wrapped with, between two of its characters.
const WRAPS: [&str; 20] = [
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "=\r\n",
    "\\\n",
    "\n> ",
    "\n> > ",
    "\n+",
    "\" +\n    \"",
    "\\n",
    "\\r\\n",
    "\\\\n",
    "%0A",
    "%0d%0a",
    "&#10;",
    " ",
    "    ",
    "\t",
    "\\t",
];

fn escaped(secret: &str, at: usize, escape: fn(u32) -> String) -> String {
    let [a, b] = [&secret[..at], &secret[at + 1..]];
    format!("{a}{}{b}", escape(u32::from(secret.as_bytes()[at])))
}

#[test]
fn a_secret_with_any_one_character_escaped_is_found() {
    for secret in two() {
        for escape in ESCAPES {
            for at in (0..10).chain([secret.len() - 1]) {
                let text = escaped(&secret, at, escape);
                assert_whole(&text, &secret);
                assert_whole(format!("a line before\nkey: {text}\nand one behind"), &secret);
            }
        }
        for underscore in ["\\_", "\\\\_", "&lowbar;"] {
            assert_whole(secret.replace('_', underscore), &secret);
        }
    }
}

#[test]
fn a_secret_wrapped_at_any_place_is_found() {
    for secret in two() {
        for wrap in WRAPS {
            for (a, b) in (1..secret.len()).map(|at| secret.split_at(at)) {
                assert_whole(format!("see {a}{wrap}{b}"), &secret);
            }
        }
    }
}

#[test]
fn a_secret_wrapped_beside_an_escape_is_found() {
    for secret in two() {
        let wraps = ["\n", "\r\n> ", "=\r\n", "\\n", "%0A", "  "];
        for (escape, wrap) in ESCAPES.iter().flat_map(|escape| wraps.map(|wrap| (escape, wrap))) {
            for at in 1..8 {
                let (a, b) = secret.split_at(at);
                let last = escaped(a, at - 1, *escape);
                assert_whole(format!("so far: {last}{wrap}{b}"), &secret);
                assert_whole(format!("so far: {a}{wrap}{}", escaped(b, 0, *escape)), &secret);
            }
        }
    }
}

#[test]
fn what_stands_apart_on_one_line_is_not_joined() {
    for secret in two() {
        let (a, b) = secret.split_at(30);
        for between in [
            ", ",
            "-",
            " + ",
            "     ",
            "\t\t\t\t\t",
            "' '",
            ".",
            "; ",
            " \\t  ",
            "/",
            "\u{e9}",
            "&nbsp;&nbsp;x",
        ] {
            assert_not_whole(format!("{a}{between}{b}"));
        }
    }
}

#[test]
fn a_secret_goes_on_behind_sixty_four_bytes_at_most() {
    for secret in two() {
        for at in [1, 2, 30] {
            let (a, b) = secret.split_at(at);
            assert_whole(format!("{a}\n{}{b}", " ".repeat(63)), &secret);
            assert_not_whole(format!("{a}\n{}{b}", " ".repeat(64)));
        }
    }
}

#[test]
fn a_body_in_nine_parts_is_found_and_in_ten_is_not() {
    for (secret, prefix) in two().into_iter().zip([7, 3]) {
        let (prefix, body) = secret.split_at(prefix);
        let parts = |most: usize| {
            let (first, last) = body.split_at(most - 1);
            let first: String = first.chars().flat_map(|c| [c, '\n']).collect();
            format!("{prefix}{first}{last}")
        };
        assert_whole(parts(9), &secret);
        assert_not_whole(parts(10));
    }
}

#[test]
fn what_stands_in_the_line_behind_is_no_part_of_a_wrapped_secret() {
    for secret in two() {
        let (a, b) = secret.split_at(30);
        for behind in ["\nnext", "\n0", "\n\n\nx", "  y", "\n> z", "."] {
            assert_whole(format!("{a}\n{b}{behind}"), &secret);
            assert_whole(format!("{secret}{behind}"), &secret);
        }
    }
}

#[test]
fn a_hexadecimal_body_within_a_longer_word_is_not_whole() {
    let [secret, _] = two();
    let (a, b) = secret.split_at(30);
    for behind in ["_name", "0", "g", "%5fname", "\\u0030", "\\_x"] {
        assert_not_whole(format!("{secret}{behind}"));
        assert_not_whole(format!("{a}\n{b}{behind}"));
    }
}

/// How a character that nobody sees is escaped.
const UNSEEN: [&str; 14] = [
    "%E2%80%8B",
    "%e2%80%8b",
    "%E2%80%8C",
    "%E2%80%8D",
    "%E2%81%A0",
    "%EF%BB%BF",
    "\\u200b",
    "\\\\u200B",
    "\\ufeff",
    "&#8203;",
    "&#x200b;",
    "&#xFEFF;",
    "&shy;",
    "&#173;",
];

#[test]
fn an_escape_of_what_nobody_sees_hides_nothing() {
    for secret in two() {
        for unseen in UNSEEN {
            for (a, b) in (0..9).chain([40]).map(|at| secret.split_at(at)) {
                assert_whole(format!("{a}{unseen}{b}"), &secret);
                assert_whole(format!("so far: {a}{}{b}", unseen.repeat(7)), &secret);
            }
        }
        let (a, b) = secret.split_at(1);
        assert_not_whole(format!("{a}{}{b}", UNSEEN[0].repeat(8)));
    }
}

#[test]
fn a_prefix_spread_as_far_as_it_can_be_is_found() {
    let unseen = format!("{}u200b", "\\".repeat(8));
    let between = format!("\n{}{}", " ".repeat(63), unseen.repeat(7));
    for (secret, prefix) in two().into_iter().zip([7, 3]) {
        let (prefix, body) = secret.split_at(prefix);
        let spread = prefix.split("").filter(|c| !c.is_empty()).collect::<Vec<_>>().join(&between);
        for underscore in ["_", "%5F", "\\_", "\\u005f", "&#x5f;", "&#95;", "&lowbar;", "%255f"] {
            let last = format!("{}{underscore}", &spread[..spread.len() - 1]);
            assert_whole(format!("so far, and no further: {last}{body}"), &secret);
        }
    }
}

#[test]
fn the_longest_prefix_spread_as_far_as_it_can_be_is_found() {
    let mut policy = preset("voicegram").unwrap();
    policy.format.prefix = format!("{}_", "abcdefghijklmnopqrstuvw");
    let secret = made(&policy.format.prefix, Body::Hex, 0xa7);
    let between = format!("\n{}{}", " ".repeat(63), format!("{}u200b", "\\".repeat(8)).repeat(7));
    let (prefix, body) = secret.split_at(24);
    let spread: String = prefix[..23].chars().map(|c| format!("{c}{between}")).collect();
    for underscore in ["_", "%5F", "&#x5f;"] {
        let found = search(format!("so far: {spread}{underscore}{body}").as_bytes(), [&policy]);
        assert!(
            found.iter().any(|one| one.kind == Kind::Whole && one.column == 9),
            "{underscore}: {found:?}"
        );
    }
}

#[test]
fn letters_that_look_like_escapes_break_nothing() {
    for text in [
        "n_aaaaaaaaaaaaaaaaaaaaaaaa",
        "t_a",
        "_",
        "__",
        "\\n_",
        "\\",
        "&",
        "&#",
        "&#x",
        "=",
        "%",
        "%2",
        "\\u",
        "\\u00",
        "\\x5",
    ] {
        assert_eq!(told(text), [], "{text}");
        for secret in two() {
            assert_whole(format!("{text} {secret}"), &secret);
        }
    }
}

#[test]
fn a_secret_in_capital_letters_is_read_in_small_ones() {
    let [secret, _] = two();
    let found = find(secret.to_ascii_uppercase());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].readings.iter().any(|one| one.expose() == secret), "{found:?}");
}
