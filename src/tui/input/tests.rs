//! What the bytes of a terminal mean.

use crossterm::event::MouseEventKind;

use super::*;
use crate::tui::words::Pasted;

fn press(c: char) -> Said {
    Said::Key(KeyEvent::from(KeyCode::Char(c)))
}

fn hurried(message: Message) -> bool {
    matches!(message, Message::Key { hurried: true, .. })
}

#[test]
fn keys_faster_than_a_person_types_are_hurried() {
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    let mut last = None;
    assert!(!hurried(message(press('d'), false, &mut last, at(0))));
    assert!(hurried(message(press('y'), false, &mut last, at(1))));
    assert!(hurried(message(press('y'), false, &mut last, at(2))));
    assert!(!hurried(message(press('y'), false, &mut last, at(60))));
}

#[test]
fn a_key_right_behind_a_paste_is_part_of_it() {
    let start = Instant::now();
    let mut last = None;
    message(Said::Paste(Pasted::new("vx_abc".into())), false, &mut last, start);
    assert!(hurried(message(press('y'), false, &mut last, start + Duration::from_millis(2))));
}

#[test]
fn a_paste_without_brackets_is_hurried_from_its_first_key() {
    let start = Instant::now();
    let mut last = None;
    assert!(hurried(message(press('y'), true, &mut last, start)));
    assert!(hurried(message(press('y'), false, &mut last, start + Duration::from_millis(1))));
    assert!(!hurried(message(press('y'), false, &mut last, start + Duration::from_millis(90))));
}

/// Everything that was said, in words.
fn told(said: Vec<Said>) -> String {
    let words = said.into_iter().map(|said| match said {
        Said::Key(key) => {
            let modifiers = [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-")];
            let before: String = modifiers
                .iter()
                .filter(|(one, _)| key.modifiers.contains(*one))
                .map(|(_, word)| *word)
                .collect();
            match key.code {
                KeyCode::Char(c) => format!("{before}{c}"),
                code => format!("{before}{code:?}"),
            }
        }
        Said::Paste(pasted) => format!("paste({})", pasted.as_str()),
        Said::Mouse(mouse) => format!("{:?}@{},{}", mouse.kind, mouse.column, mouse.row),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Pieces with a person's pauses between them; at the end nothing more comes.
fn heard(pieces: &[&[u8]]) -> String {
    let mut decoder = Decoder::default();
    let mut said = Vec::new();
    for piece in pieces {
        said.extend(decoder.take(piece, Duration::from_millis(20)));
    }
    if decoder.patience().is_some() {
        said.extend(decoder.give_up());
    }
    assert_eq!(decoder.patience(), None, "something is left of {pieces:?}");
    told(said)
}

#[test]
fn every_key_is_known_whole_and_in_any_two_pieces() {
    for (bytes, name) in [
        (b"\x1b[A".as_slice(), "Up"),
        (b"\x1bOB", "Down"),
        (b"\x1b[1;5C", "ctrl-Right"),
        (b"\x1b[H", "Home"),
        (b"\x1b[4~", "End"),
        (b"\x1b[5~", "PageUp"),
        (b"\x1b[3~", "Delete"),
        (b"\x1b[Z", "BackTab"),
        (b"\x1bOP", "F(1)"),
        (b"\x1b[[E", "F(5)"),
        (b"\x1b[15~", "F(5)"),
        (b"\x1b[17~", "F(6)"),
        (b"\x1b[24~", "F(12)"),
        (b"\x1b[27;5;113~", "ctrl-q"),
        (b"\x1b[113;5u", "ctrl-q"),
        (b"\x1bOp", "0"),
        ("ü".as_bytes(), "ü"),
        ("👍".as_bytes(), "👍"),
        (b"\x1b[<0;10;5M", "Down(Left)@9,4"),
        (b"\x1b[M *%", "Down(Left)@9,4"),
        (b"\x1b[<65;1;1M", "ScrollDown@0,0"),
    ] {
        assert_eq!(heard(&[bytes]), name, "{bytes:?}");
        for cut in 1..bytes.len() {
            let (first, second) = bytes.split_at(cut);
            assert_eq!(heard(&[first, second]), name, "{first:?} {second:?}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(heard(&single), name, "{bytes:?} byte by byte");
    }
}

#[test]
fn esc_alone_is_a_key_and_before_another_key_it_is_alt_or_esc() {
    assert_eq!(heard(&[b"\x1b"]), "Esc");
    assert_eq!(heard(&[b"\x1bq"]), "alt-q");
    assert_eq!(heard(&[b"\x1b\x1b"]), "Esc Esc");
    assert_eq!(heard(&[b"\x1b\x1b[A"]), "Esc Up");
    assert_eq!(heard(&[b"\x1b\r"]), "alt-Enter");
    assert_eq!(heard(&[b"\x1b["]), "Esc [");
    assert_eq!(heard(&[b"\x1bP"]), "Esc P");
    assert_eq!(heard(&[b"\x1bProd"]), "alt-P r o d");
    assert_eq!(heard(&[b"jj\x1b[Bk"]), "j j Down k");
}

#[test]
fn what_the_terminal_answers_is_never_a_key() {
    for answer in [
        b"\x1b[?64;1;2;6;22c".as_slice(),
        b"\x1b[>41;330;0c",
        b"\x1b[12;40R",
        b"\x1b[0n",
        b"\x1b[?2026;2$y",
        b"\x1b[8;30;110t",
        b"\x1b[?0u",
        b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
        b"\x1b]11;rgb:0000/0000/0000\x07",
        b"\x1b]52;c;c2VjcmV0\x07",
        b"\x1bP>|XTerm(390)\x1b\\",
        b"\x1bP1$r0m\x1b\\",
        b"\x1b_Gi=31;OK\x1b\\",
        b"\x1b[I",
        b"\x1b[O",
        b"\x1b[97;1:3u",
        b"\x1b[<35;10;5M",
        b"\x1b[<0;10;5",
        b"\x1b[1;",
        b"\xff\xfe",
        b"\xe2\x82",
    ] {
        assert_eq!(heard(&[answer]), "", "{answer:?}");
        for cut in 2..answer.len() {
            let (first, second) = answer.split_at(cut);
            assert_eq!(heard(&[first, second]), "", "{first:?} {second:?}");
        }
    }
    assert_eq!(heard(&[b"a\x1b[?64c\x1b]11;rgb:0/0/0\x07b"]), "a b");
}

#[test]
fn lines_of_a_paste_end_alike_however_the_terminal_sends_them() {
    assert_eq!(heard(&[b"\x1b[200~a\rb\r\nc\nd\r\r\x1b[201~"]), "paste(a\nb\nc\nd\n\n)");
}

#[test]
fn a_paste_in_any_pieces_comes_whole_or_is_let_go() {
    let whole = b"\x1b[200~a\x1b[Ab\xc3\xbc\x1b[201~q";
    for cut in 1..whole.len() - 1 {
        let (first, second) = whole.split_at(cut);
        assert_eq!(heard(&[first, second]), "paste(a\u{1b}[Abü) q", "{first:?}");
    }
    // Nothing more comes, or a person presses a key after a while.
    assert_eq!(heard(&[b"\x1b[200~secret"]), "paste(secret)");
    let mut decoder = Decoder::default();
    assert_eq!(told(decoder.take(b"\x1b[200~secret", Duration::ZERO)), "");
    assert_eq!(told(decoder.take(b"q", Duration::from_millis(400))), "paste(secret) q");
    // The end alone means nothing.
    assert_eq!(heard(&[b"\x1b[201~q"]), "q");
}

#[test]
fn an_answer_without_an_end_is_given_up_at_the_same_place_in_any_pieces() {
    for begins in [b"\x1b]1".as_slice(), b"\x1bP1", b"\x1b_G", b"\x1b[1"] {
        let endless = [begins, &[b'0'; 5_000], b"q"].concat();
        let whole = heard(&[&endless]);
        assert!(whole.ends_with("0 q"), "{begins:?}");
        for size in [1, 7, 4_097] {
            assert_eq!(heard(&endless.chunks(size).collect::<Vec<_>>()), whole, "{begins:?} by {size}");
        }
    }
}

#[test]
fn the_wheel_and_a_click_are_told_and_motion_is_not() {
    let Some(Said::Mouse(mouse)) = Decoder::default().take(b"\x1b[<64;3;4M", Duration::ZERO).pop() else {
        panic!()
    };
    assert_eq!((mouse.kind, mouse.column, mouse.row), (MouseEventKind::ScrollUp, 2, 3));
}
