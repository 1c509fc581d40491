//! Mail to a real server (aiosmtpd), and how its connections are used.

use crate::support::database::skip;
use crate::support::mail::certificates::{Certificates, Shown};
use crate::support::mail::hostile::{Deed, Hostile, Phase, Script};
use crate::support::mail::sink::{ABSENT, Sink, headers};
use crate::support::mail::{USER, head, letter, mailer, settings, short, with_login};
use futures::future::join_all;
use keyrack::mail::{
    KeyLine, Letter, LetterOutcome, Letterhead, Mailer, ReminderLine, ReminderMail, Security, Sender, Smtp,
    SmtpSettings, Templates,
};
use zeroize::Zeroizing;

/// The sink, or the end of a test that can't run without.
macro_rules! sink {
    ($name:literal, $sink:expr) => {
        match $sink {
            Some(sink) => sink,
            None => return skip($name, ABSENT),
        }
    };
}

fn sent(outcome: &LetterOutcome) -> bool {
    matches!(outcome, LetterOutcome::Sent { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_arrives_as_it_was_written() {
    let sink = sink!("a_letter_arrives_as_it_was_written", Sink::plain());
    let mailer = mailer(settings(sink.port, Security::PlainLoopback));
    let letter = letter("ada@acme.example");
    assert_eq!(mailer.send(&letter).await, LetterOutcome::Sent { answer: "250 2.0.0 taken".into() });
    mailer.close().await;
    let message = &sink.messages(1)[0];
    assert_eq!(message["from"], "keyrack@example.com");
    assert_eq!(message["to"][0], "ada@acme.example");
    assert_eq!(headers(message, "From"), ["Schlüsselbrett <keyrack@example.com>"]);
    assert_eq!(headers(message, "Subject"), [letter.subject.as_str()]);
    assert_eq!(headers(message, "Message-ID"), [format!("<{}>", letter.message_id)]);
    assert_eq!(headers(message, "Date"), ["Tue, 24 Nov 2026 09:30:00 +0000"]);
    assert_eq!(headers(message, "Auto-Submitted"), ["auto-generated"]);
    assert_eq!(message["headers"].as_array().unwrap().len(), 9);
    assert_eq!(message["defects"].as_array().unwrap().len(), 0, "{}", message["defects"]);
    let lines = |part: &str| message[part].as_str().unwrap().replace("\r\n", "\n").trim_end().to_owned();
    assert_eq!(lines("text"), letter.text.trim_end());
    assert_eq!(lines("html"), letter.html.trim_end());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_starttls_and_a_log_in_it_arrives_encrypted() {
    let certificates = Certificates::make();
    let sink =
        sink!("with_starttls_and_a_log_in_it_arrives_encrypted", Sink::starttls(&certificates, Shown::Right));
    let trusting =
        || SmtpSettings { ca_file: Some(certificates.ca()), ..settings(sink.port, Security::StartTls) };
    let right = mailer(with_login(trusting()));
    let found = right.check().await.unwrap();
    assert_eq!(found, format!("localhost:{} (STARTTLS), TLS 1.3: logged in as {USER}", sink.port));
    let outcome = right.send(&letter("ada@acme.example")).await;
    assert!(sent(&outcome), "{outcome:?}");
    let message = &sink.messages(1)[0];
    assert!(message["tls"].as_bool().unwrap() && message["login"].as_bool().unwrap());

    let wrong = SmtpSettings { login: Some((USER.into(), Zeroizing::new("guess".into()))), ..trusting() };
    let outcome = mailer(wrong).send(&letter("ada@acme.example")).await;
    assert!(
        matches!(&outcome, LetterOutcome::Unavailable { answer } if answer.starts_with("log-in: 535")),
        "{outcome:?}"
    );
    let nobody = mailer(trusting()).send(&letter("ada@acme.example")).await;
    assert!(matches!(&nobody, LetterOutcome::Unavailable { answer } if answer.contains("530")), "{nobody:?}");
    // Plain text to a server that wants STARTTLS: refused there, and nothing is lost.
    let plain = mailer(settings(sink.port, Security::PlainLoopback)).send(&letter("ada@acme.example")).await;
    assert!(matches!(&plain, LetterOutcome::Unavailable { answer } if answer.contains("530")), "{plain:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_tls_from_the_first_byte_it_arrives_encrypted() {
    let certificates = Certificates::make();
    let sink =
        sink!("with_tls_from_the_first_byte_it_arrives_encrypted", Sink::tls(&certificates, Shown::Right));
    let trusting = |security| {
        mailer(with_login(SmtpSettings { ca_file: Some(certificates.ca()), ..settings(sink.port, security) }))
    };
    let outcome = trusting(Security::Wrapper).send(&letter("ada@acme.example")).await;
    assert!(sent(&outcome), "{outcome:?}");
    assert!(sink.messages(1)[0]["tls"].as_bool().unwrap());
    // The system does not know the test's CA.
    let error = mailer(settings(sink.port, Security::Wrapper)).check().await.unwrap_err().to_string();
    assert!(error.contains("certificate is not trusted"), "{error}");
    // The wrong kind of TLS is told from a dead server.
    let outcome = trusting(Security::StartTls).send(&letter("ada@acme.example")).await;
    assert!(matches!(&outcome, LetterOutcome::Unavailable { .. }), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_on_a_port_for_starttls_is_told_in_words() {
    let certificates = Certificates::make();
    let server = Hostile::start(Script::good(Security::StartTls), &certificates).await;
    let settings =
        SmtpSettings { ca_file: Some(certificates.ca()), ..settings(server.port, Security::Wrapper) };
    let error = mailer(settings).check().await.unwrap_err().to_string();
    assert!(error.contains("does not speak TLS here"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_scalar_value_in_names_adds_a_header_or_a_command() {
    let sink = sink!("no_scalar_value_in_names_adds_a_header_or_a_command", Sink::plain());
    // Each letter carries 200 scalar values in the sender's name, the subject and both bodies; between them, what ends lines.
    let all: Vec<char> = ('\0'..=char::MAX).filter(|c| u32::from(*c) < 0x3_2000).collect();
    let chunks: Vec<String> = all
        .chunks(200)
        .map(|chunk| format!("\r\n.\r\n{}\r\nBcc: eve@x\n\r.", String::from_iter(chunk)))
        .collect();
    let server = settings(sink.port, Security::PlainLoopback);
    for (i, text) in chunks.iter().enumerate() {
        let sender = Sender::new("keyrack@example.com", text).unwrap();
        let head = Letterhead { from: sender, reply_to: None };
        let mailer = Mailer::Smtp(Smtp::open(server.clone(), head).unwrap());
        let letter = Letter {
            message_id: format!("{i}@example.com"),
            subject: text.clone(),
            text: text.clone(),
            html: text.clone(),
            ..letter("ada@acme.example")
        };
        let outcome = mailer.send(&letter).await;
        assert!(sent(&outcome), "{i}: {outcome:?}");
    }
    let messages = sink.messages(chunks.len());
    assert_eq!(messages.len(), chunks.len());
    for (i, (message, chunk)) in messages.iter().zip(&chunks).enumerate() {
        let names: Vec<&str> =
            message["headers"].as_array().unwrap().iter().map(|pair| pair[0].as_str().unwrap()).collect();
        let wanted = [
            "Date",
            "From",
            "To",
            "Subject",
            "Message-ID",
            "Auto-Submitted",
            "X-Auto-Response-Suppress",
            "MIME-Version",
            "Content-Type",
        ];
        assert_eq!(names, wanted, "{i}");
        assert_eq!(message["to"].as_array().unwrap().len(), 1);
        assert_eq!(headers(message, "Message-ID"), [format!("<{i}@example.com>")]);
        assert!(headers(message, "From")[0].ends_with("<keyrack@example.com>"), "{i}");
        let subject = keyrack::domain::text::SafeText::new(chunk.as_str()).trim().to_owned();
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(squeezed(headers(message, "Subject")[0]), squeezed(&subject), "{i}");
        assert!(message["text"].as_str().unwrap().contains("Bcc: eve@x"), "{i}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_about_500_keys_arrives_whole() {
    let sink = sink!("a_letter_about_500_keys_arrives_whole", Sink::plain());
    let now = letter("x@y.example").at;
    let line = |i: i64| ReminderLine {
        key: KeyLine {
            name: format!("Integration {i} “Größe” {}", "long name ".repeat(7)),
            account: "Acme".into(),
            account_slug: "acme".into(),
            issuer: "Voicegram".into(),
            noun: "token".into(),
            preview: "vg_pat_••••••••9f3a".into(),
            id: format!("019ab0c4-5a10-7c3e-8f21-{i:012}"),
            last_used_at: None,
            link: None,
            contact: None,
        },
        expires_at: now + chrono::Duration::days(7),
        planned: false,
        created_at: now,
        rotation_overlap: true,
    };
    let keys = (0..500).map(line).collect();
    let mail = ReminderMail { recipient: "ada@acme.example".into(), now, contact: None, keys };
    let rendered = Templates::embedded().unwrap().render(&mail).unwrap();
    let letter = Letter {
        subject: rendered.subject,
        text: rendered.text,
        html: rendered.html,
        ..letter("ada@acme.example")
    };
    let outcome = mailer(settings(sink.port, Security::PlainLoopback)).send(&letter).await;
    assert!(sent(&outcome), "{outcome:?}");
    let message = &sink.messages(1)[0];
    assert_eq!(
        headers(message, "Subject"),
        ["500 tokens of Acme expire soon, the first in 7 days (Tue 2026-12-01)"]
    );
    let text = message["text"].as_str().unwrap().replace("\r\n", "\n");
    assert_eq!(text.trim_end(), letter.text.trim_end());
    assert_eq!(text.matches("never used").count(), 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_beyond_ascii_goes_only_to_a_server_that_takes_it() {
    let international = letter("jürgen@müller.example");
    let certificates = Certificates::make();
    let script = Script::good(Security::PlainLoopback);
    let server = Hostile::start(script, &certificates).await;
    let mailer_ = mailer(settings(server.port, Security::PlainLoopback));
    let outcome = mailer_.send(&international).await;
    assert!(
        matches!(&outcome, LetterOutcome::Failed { answer } if answer.contains("SMTPUTF8")),
        "{outcome:?}"
    );
    assert!(sent(&mailer_.send(&letter("ada@acme.example")).await));
    assert_eq!(server.connections(), 1);

    let sink = sink!("an_address_beyond_ascii_goes_only_to_a_server_that_takes_it", Sink::plain());
    let outcome = mailer(settings(sink.port, Security::PlainLoopback)).send(&international).await;
    assert!(sent(&outcome), "{outcome:?}");
    let message = &sink.messages(1)[0];
    assert_eq!(message["to"][0], "jürgen@müller.example");
    assert!(message["options"].to_string().contains("SMTPUTF8"));
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_text_goes_to_this_machine_only() {
    for host in ["192.0.2.1", "0.0.0.0", "::ffff:192.0.2.1", "2001:db8::1"] {
        let away = SmtpSettings { host: host.into(), ..settings(25, Security::PlainLoopback) };
        let outcome = mailer(away).send(&letter("ada@acme.example")).await;
        assert!(
            matches!(&outcome, LetterOutcome::Unavailable { answer } if answer.contains("plain text is allowed only on this machine")),
            "{host}: {outcome:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_at_the_door_is_unavailable() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = mailer(settings(closed, Security::PlainLoopback));
    let outcome = nobody.send(&letter("ada@acme.example")).await;
    assert!(
        matches!(&outcome, LetterOutcome::Unavailable { answer } if answer.contains("refused")),
        "{outcome:?}"
    );
    let error = nobody.check().await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("localhost:{closed} (plain, this machine only): ")), "{error}");
    let unknown = SmtpSettings { host: "no-such-host.invalid".into(), ..settings(25, Security::StartTls) };
    if let Ok(smtp) = Smtp::open(unknown, head()) {
        let outcome = Mailer::Smtp(smtp).send(&letter("ada@acme.example")).await;
        assert!(
            matches!(&outcome, LetterOutcome::Unavailable { answer } if answer.contains("name")),
            "{outcome:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_share_a_few_connections() {
    let certificates = Certificates::make();
    let server = Hostile::start(Script::good(Security::PlainLoopback), &certificates).await;
    let pooled = mailer(SmtpSettings { connections: 2, ..settings(server.port, Security::PlainLoopback) });
    assert_eq!(pooled.lanes(), 2);
    let letters: Vec<_> = (0..40).map(|i| letter(&format!("a{i}@acme.example"))).collect();
    let outcomes = join_all(letters.iter().map(|letter| pooled.send(letter))).await;
    assert!(outcomes.iter().all(sent), "{outcomes:?}");
    assert_eq!(server.letters().len(), 40);
    assert!(server.most_open() <= 2 && server.connections() <= 2, "{} at once", server.most_open());
    pooled.close().await;
    let left = || async {
        while server.open() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(short().whole, left()).await.expect("the connections are closed");
    assert_eq!(server.commands().iter().filter(|command| *command == "QUIT").count(), server.connections());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_died_while_it_waited_is_replaced_without_a_word() {
    let certificates = Certificates::make();
    let good = Script::good(Security::PlainLoopback);
    let server = Hostile::start(Script { letters_per_session: 1, ..good }, &certificates).await;
    let one = mailer(SmtpSettings { connections: 1, ..settings(server.port, Security::PlainLoopback) });
    for i in 0..5 {
        let outcome = one.send(&letter(&format!("a{i}@acme.example"))).await;
        assert!(sent(&outcome), "{i}: {outcome:?}");
    }
    assert_eq!((server.letters().len(), server.connections()), (5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_at_mail_gets_one_more_connection_and_no_endless_many() {
    let certificates = Certificates::make();
    let script = Script::always(Security::PlainLoopback, Phase::Mail, Deed::Say("421 4.7.0 too many\r\n"));
    let server = Hostile::start(script, &certificates).await;
    let one = mailer(settings(server.port, Security::PlainLoopback));
    let outcome = one.send(&letter("a@acme.example")).await;
    assert_eq!(outcome, LetterOutcome::Deferred { answer: "421 4.7.0 too many".into() });
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sending_that_is_given_up_frees_its_lane_and_closes_its_connection() {
    let certificates = Certificates::make();
    let script = Script::once(Security::PlainLoopback, Phase::Dot, Deed::Silence);
    let server = Hostile::start(script, &certificates).await;
    let one = mailer(SmtpSettings { connections: 1, ..settings(server.port, Security::PlainLoopback) });
    let first = letter("a@acme.example");
    let given_up = tokio::time::timeout(std::time::Duration::from_millis(700), one.send(&first)).await;
    assert!(given_up.is_err());
    let outcome = one.send(&letter("b@acme.example")).await;
    assert!(sent(&outcome), "{outcome:?}");
    assert_eq!(server.connections(), 2);
}
