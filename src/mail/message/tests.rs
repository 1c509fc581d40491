use std::collections::HashMap;

use chrono::{TimeZone, Utc};

use super::*;

fn head(name: &str) -> Letterhead {
    Letterhead {
        from: Sender::new("keyrack@example.com", name).unwrap(),
        reply_to: Some(Sender::new("help@example.com", "Help").unwrap()),
    }
}

fn letter(subject: &str, text: &str) -> Letter {
    Letter {
        message_id: "a1b2.c3@example.com".into(),
        to: "ada@acme.example".into(),
        subject: subject.into(),
        text: text.into(),
        html: format!("<p>{text}</p>"),
        reply_to: None,
        calendar: None,
        at: Utc.with_ymd_and_hms(2026, 11, 24, 9, 30, 0).unwrap(),
    }
}

/// What no header but these may be.
const HEADERS: [&str; 11] = [
    "Date",
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// Splits a message into its headers, unfolded, and its body. Fails on anything RFC 5322 does not allow.
fn parsed(bytes: &[u8]) -> (HashMap<String, String>, String) {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.is_ascii(), "{text}");
    assert!(text.replace("\r\n", "").chars().all(|c| c == '\t' || !c.is_control()), "{text:?}");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut headers = HashMap::new();
    let mut last = String::new();
    for line in head.split("\r\n") {
        assert!(line.len() <= 998);
        if line.starts_with([' ', '\t']) {
            let value: &mut String = headers.get_mut(&last).unwrap();
            assert!(!line.trim().is_empty(), "a blank folded line may end the headers: {head:?}");
            value.push_str(line);
        } else {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no header: {line:?}"));
            assert!(HEADERS.contains(&name), "an extra header: {line:?}");
            assert!(headers.insert(name.to_owned(), value.to_owned()).is_none(), "twice: {line:?}");
            last = name.to_owned();
        }
    }
    (headers, body.to_owned())
}

#[test]
fn a_letter_has_exactly_the_headers_it_should() {
    let written = write(&letter("2 API keys of Acme expire soon", "Hello\n"), &head("Keyrack")).unwrap();
    let (headers, body) = parsed(&written.bytes);
    assert_eq!(headers.len(), HEADERS.len() - 1);
    assert_eq!(headers["Date"], "Tue, 24 Nov 2026 09:30:00 +0000");
    assert_eq!(headers["From"], "Keyrack <keyrack@example.com>");
    assert_eq!(headers["Reply-To"], "Help <help@example.com>");
    assert_eq!(headers["To"], "ada@acme.example");
    assert_eq!(headers["Message-ID"], "<a1b2.c3@example.com>");
    assert_eq!(headers["Subject"], "2 API keys of Acme expire soon");
    assert_eq!(headers["Auto-Submitted"], "auto-generated");
    assert_eq!(headers["X-Auto-Response-Suppress"], "All");
    assert_eq!(headers["MIME-Version"], "1.0");
    assert_eq!(headers["Content-Type"], "multipart/alternative; boundary=\"=_keyrack\"");
    assert_eq!(body.matches("Content-Transfer-Encoding: quoted-printable").count(), 2);
    assert!(body.find("text/plain").unwrap() < body.find("text/html").unwrap());
}

#[test]
fn the_same_letter_is_the_same_bytes() {
    let letter = letter("x", "y");
    assert_eq!(write(&letter, &head("K")).unwrap().bytes, write(&letter, &head("K")).unwrap().bytes);
}

#[test]
fn no_scalar_value_makes_another_header_or_a_panic() {
    // In chunks, so that a chunk is a long subject and a long name; and around each, what could end a line.
    let all: Vec<char> = ('\0'..=char::MAX).collect();
    for chunk in all.chunks(240) {
        let text: String = chunk.iter().collect();
        let written = write(&letter(&text, &text), &head(&text)).unwrap();
        parsed(&written.bytes);
    }
    // Each control, mark, sign and separator of the first scripts by itself: in front, behind and doubled.
    for c in all.iter().take(0x3100).filter(|c| !c.is_alphanumeric()) {
        let text = format!("{c}a{c}{c}b{c}");
        let written = write(&letter(&text, "x"), &head(&text)).unwrap();
        let (headers, _) = parsed(&written.bytes);
        assert!(headers["From"].ends_with("<keyrack@example.com>"), "U+{:04X}: {headers:?}", u32::from(*c));
    }
}

#[test]
fn line_ends_and_dots_in_texts_stay_texts() {
    for end in ["\r\n", "\n", "\r", "\n\r", "\0", "\u{85}", "\u{2028}"] {
        let text = format!("a{end}Bcc: eve@example.net{end}{end}.{end}QUIT{end}");
        let written = write(&letter(&text, &text), &head(&text)).unwrap();
        let (headers, body) = parsed(&written.bytes);
        assert!(!headers.contains_key("Bcc"));
        assert!(!body.contains("\r\n.\r\n") || end.contains('\n'), "{end:?}");
    }
}

#[test]
fn rustsec_2026_0561_no_body_holds_a_bare_line_end_or_a_dot_of_its_own() {
    for end in ["\n", "\r", "\r\n", "\n\r", "\r\r\n"] {
        let text = format!(
            "x{end}.{end}MAIL FROM:<eve@example.net>{end}RCPT TO:<bob@example.net>{end}DATA{end}.{end}"
        );
        let bytes = write(&letter(&text, &text), &head("K")).unwrap().bytes;
        assert_eq!(check(&bytes), Ok(()), "{end:?}");
        let written = String::from_utf8(bytes).unwrap();
        assert_eq!(written.matches("Content-Transfer-Encoding: quoted-printable").count(), 2);
        // What leaves is stuffed by the session line by line; every line ends in both characters.
        assert!(written.split("\r\n").all(|line| !line.contains(['\r', '\n'])), "{end:?}");
    }
}

#[test]
fn a_long_subject_is_folded() {
    let written = write(&letter(&"Schlüssel läuft ab ".repeat(12), "x"), &head("K")).unwrap();
    let text = String::from_utf8(written.bytes).unwrap();
    assert!(text.lines().all(|line| line.len() <= 78), "{text}");
}

#[test]
fn no_length_and_no_date_makes_a_panic_or_a_line_too_long() {
    for text in ["x", "x ", "ü", "\u{1F600}", "\"", "\\", "=?", " "] {
        let text = text.repeat(20_000);
        let written = write(&letter(&text, &text), &head(&text)).unwrap();
        parsed(&written.bytes);
    }
    for year in [-200_000, -1, 0, 1969, 10_000, 200_000] {
        let at = Utc.with_ymd_and_hms(year, 6, 1, 0, 0, 0).unwrap();
        assert!(write(&Letter { at, ..letter("x", "y") }, &head("K")).is_err(), "{year}");
    }
    for year in [1970, 9999] {
        let at = Utc.with_ymd_and_hms(year, 12, 31, 23, 59, 59).unwrap();
        assert!(write(&Letter { at, ..letter("x", "y") }, &head("K")).is_ok(), "{year}");
    }
}

#[test]
fn what_is_no_message_id_or_no_address_is_refused() {
    for id in ["", "a", "@b", "a@", "a b@c", "a@b>\r\nBcc: x", "<a@b>", "a..b@c", "ä@b"] {
        let letter = Letter { message_id: id.into(), ..letter("x", "y") };
        assert!(write(&letter, &head("K")).is_err(), "{id:?}");
    }
    for to in
        ["", "ada", "ada@", "ada@b\r\nRCPT TO:<eve@x>", "a\0@b.example", "<a@b.example>", "a@b.example>"]
    {
        let letter = Letter { to: to.into(), ..letter("x", "y") };
        assert!(write(&letter, &head("K")).is_err(), "{to:?}");
    }
    assert!(Sender::new("no address", "x").is_err());
}

#[test]
fn an_address_beyond_ascii_is_known_as_such() {
    let plain = write(&letter("ü", "ü"), &head("ü")).unwrap();
    assert!(!plain.international());
    let letter = Letter { to: "jürgen@müller.example".into(), ..letter("x", "y") };
    assert!(write(&letter, &head("K")).unwrap().international());
}

#[test]
fn the_last_look_sees_what_must_not_leave() {
    assert!(check(b"a: b\r\n\r\nc\r\n").is_ok());
    for bytes in [&b"a\nb\r\n"[..], b"a\rb\r\n", b"a\0\r\n", b"no end", b"\n", b"a\r\r\n"] {
        assert!(check(bytes).is_err(), "{bytes:?}");
    }
    assert!(check(&[&[b'a'; 998][..], b"\r\n"].concat()).is_ok());
    assert!(check(&[&[b'a'; 999][..], b"\r\n"].concat()).is_err());
}

#[test]
fn answers_go_where_the_letter_says_else_where_the_head_does() {
    let reply_to = |to: Option<&str>| {
        let letter = Letter { reply_to: to.map(str::to_owned), ..letter("soon", "text") };
        parsed(&write(&letter, &head("K")).unwrap().bytes).0["Reply-To"].clone()
    };
    assert_eq!(reply_to(None), "Help <help@example.com>");
    assert_eq!(reply_to(Some("keys@voice.example")), "keys@voice.example");
    assert_eq!(reply_to(Some("hilfe@müller.example")), "hilfe@xn--mller-kva.example");
    assert_eq!(reply_to(Some("help@example.com")), "Help <help@example.com>", "it keeps its name");
    for none in ["", "keys", "keys@x.example\r\nBcc: eve@x.example", "a@x.example, b@x.example"] {
        assert_eq!(reply_to(Some(none)), "Help <help@example.com>", "{none:?}");
    }
}

#[test]
fn kr_17_a_calendar_goes_beside_the_letter_and_comes_out_as_it_was() {
    let calendar = "BEGIN:VCALENDAR\r\nSUMMARY:API key CI=1 of M\u{fc}ller expires\r\nEND:VCALENDAR\r\n";
    let letter = Letter { calendar: Some(calendar.into()), ..letter("soon", "text") };
    let bytes = write(&letter, &head("K")).unwrap().bytes;
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(
        text.contains("Content-Type: multipart/mixed")
            && text.contains("Content-Type: multipart/alternative"),
        "{text}"
    );
    // Read by another program.
    let read = "import sys,email,email.policy\nm=email.message_from_binary_file(sys.stdin.buffer,policy=email.policy.default)\n\
                a=list(m.iter_attachments())\nassert m.get_body(('plain',)) is not None\nassert len(a)==1\n\
                print(a[0].get_content_type(),a[0].get_filename(),a[0].get_param('method'))\nsys.stdout.write(a[0].get_content())";
    let mut python = std::process::Command::new("python3");
    python.args(["-c", read]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = python.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &bytes).unwrap();
    let told = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let (first, rest) = told.split_once('\n').unwrap();
    assert_eq!(first, "text/calendar keys.ics PUBLISH");
    assert_eq!(rest.replace("\r\n", "\n"), calendar.replace("\r\n", "\n"));
}
