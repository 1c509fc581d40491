use super::*;

/// What a terminal shows nothing of, and characters that nobody sees.
fn hidden() -> Vec<Vec<u8>> {
    let mut hidden: Vec<Vec<u8>> = [
        "\u{1b}[0m",
        "\u{1b}[m",
        "\u{1b}[38;5;208m",
        "\u{1b}[K",
        "\u{1b}(B",
        "\u{1b}7",
        "\u{1b}=",
        "\u{1b}M",
        "\u{9b}31m",
        "\0",
        "\u{7f}",
        "\u{ad}",
        "\u{34f}",
        "\u{61c}",
        "\u{115f}",
        "\u{180e}",
        "\u{200b}",
        "\u{202e}",
        "\u{2060}",
        "\u{fe0f}",
        "\u{feff}",
        "\u{fff9}",
        "\u{e0041}",
        "\u{1}",
        "\u{1f}",
        "\u{90}",
    ]
    .map(Vec::from)
    .into();
    hidden.push(format!("\u{1b}[{}m", "1;".repeat(100)).into_bytes());
    hidden.push(format!("\u{9b}{}m", "1;".repeat(2000)).into_bytes());
    hidden.extend([b"\0", b"\x7f", b"\x02"].map(|byte| byte.repeat(150)));
    hidden
}

#[test]
fn what_nobody_sees_hides_no_secret_wherever_it_stands() {
    for secret in two() {
        for hidden in hidden() {
            for (a, b) in [0, 1, 2, 3, 5, 30].map(|at| secret.split_at(at)) {
                for before in [
                    &b""[..],
                    "é ".as_bytes(),
                    b"\xff\xff\xff ",
                    b"words before it, more than sixty-four bytes of them, so that \xe9 ",
                ] {
                    assert_whole([before, a.as_bytes(), &hidden, b.as_bytes()].concat(), &secret);
                }
            }
        }
    }
}

#[test]
fn what_a_terminal_is_told_stays_apart_from_what_follows() {
    let token = format!("ghp_{}", "a1".repeat(18));
    for title in ["\u{1b}]0;title\u{7}", "\u{1b}]8;;x\u{7}", "\u{7}", "word\u{7}", "\u{1b}]"] {
        assert_eq!(
            told(format!("{title}{token}")),
            [(Kind::Foreign("GitHub token"), String::new())],
            "{title:?}"
        );
    }
    for secret in two() {
        assert_whole(
            format!("\u{1b}]8;;https://x.example/?key={secret}\u{1b}\\here\u{1b}]8;;\u{1b}\\"),
            &secret,
        );
        assert_whole(format!("\u{1b}Pq{secret}\u{1b}\\"), &secret);
    }
}

#[test]
fn a_place_counts_what_is_seen() {
    let [secret, _] = two();
    let place = |text: &[u8]| find(text).iter().map(|one| (one.line, one.column)).collect::<Vec<_>>();
    let text = format!("é\u{1b}[31m\u{200b}\0: {secret}\n\u{1b}(B\n  {secret}");
    assert_eq!(place(text.as_bytes()), [(1, 4), (3, 3)]);
    assert_eq!(place(&[b"\xff\xfe: ", secret.as_bytes()].concat()), [(1, 5)]);
}
