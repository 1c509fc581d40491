//! Mail servers that fall silent, lie, drip and break off: each sending ends in time and is called by its right name,
//! others are still served, and nothing that matters crosses in plain text.

use std::time::{Duration, Instant};

use crate::support::mail::certificates::{Certificates, Shown};
use crate::support::mail::hostile::{Deed, Hostile, LATE, Phase, Script};
use crate::support::mail::{PASSWORD, USER, letter, mailer, settings, short, with_login};
use futures::future::join_all;
use keyrack::mail::{Letter, LetterOutcome, Mailer, Security, SmtpSettings};

/// A mailer for this server that trusts the test's CA and logs in.
fn mailer_for(server: &Hostile, script: Script, certificates: &Certificates) -> Mailer {
    let ca_file = (script.security != Security::PlainLoopback).then(|| certificates.ca());
    mailer(with_login(SmtpSettings { ca_file, ..settings(server.port, script.security) }))
}

/// Sends, and demands that it ends in time.
async fn send(mailer: &Mailer, letter: &Letter, what: &str) -> LetterOutcome {
    let start = Instant::now();
    let outcome = mailer.send(letter).await;
    // The machine may be busy, but 30 seconds it never takes.
    assert!(start.elapsed() < short().whole + Duration::from_secs(2), "{what}: {:?}", start.elapsed());
    assert!(outcome.answer().chars().all(keyrack::domain::text::is_safe), "{what}: {outcome:?}");
    outcome
}

/// What an outcome is called.
fn name(outcome: &LetterOutcome) -> &'static str {
    match outcome {
        LetterOutcome::Sent { .. } => "sent",
        LetterOutcome::Failed { .. } => "failed",
        LetterOutcome::Deferred { .. } => "deferred",
        LetterOutcome::Broken { .. } => "broken",
        LetterOutcome::Unavailable { .. } => "unavailable",
        LetterOutcome::Ambiguous { .. } => "ambiguous",
    }
}

/// Nothing of the letter, of the user or of the password may stand in what crossed before TLS, plain or in base64.
fn assert_nothing_leaked(server: &Hostile, what: &str) {
    let plain = String::from_utf8_lossy(&server.plain()).into_owned();
    let base64 = ["YWRhQGV4YW1wbGUuY29t", "aHVudGVyMi", "h1bnRlcj", "odW50ZXIy", "AGFkYUBleGFtcGxl"];
    let words = [USER, PASSWORD, "hunter2", "MAIL", "RCPT", "DATA", "AUTH", "9f3a", "expires", "acme"];
    for word in words.iter().chain(&base64) {
        assert!(!plain.contains(word), "{what}: {word} crossed in plain text: {plain:?}");
    }
}

/// The deed, done once at the phase to the first letter; then a letter to somebody else.
async fn suffer(security: Security, phase: Phase, deed: Deed, expected: &str, certificates: &Certificates) {
    let what = format!("{security:?}, {phase:?}, {deed:?}");
    let script = Script::once(security, phase, deed);
    let server = Hostile::start(script, certificates).await;
    let mailer = mailer_for(&server, script, certificates);
    let outcome = send(&mailer, &letter("first@acme.example"), &what).await;
    assert_eq!(name(&outcome), expected, "{what}: {outcome:?}");
    let outcome = send(&mailer, &letter("second@acme.example"), &what).await;
    assert_eq!(name(&outcome), "sent", "{what}, the next one: {outcome:?}");
    if security != Security::PlainLoopback {
        assert_nothing_leaked(&server, &what);
    }
    let last = server.letters().pop().unwrap();
    assert!(last.contains("To: second@acme.example\r\n"), "{what}: {last}");
    assert!(last.contains("\r\n.\r\n..two dots\r\nQUIT\r\n"), "{what}: {last}");
}

/// What a session that broke, fell silent or lost its mind at this phase means for the letter.
fn when_broken(phase: Phase) -> &'static str {
    match phase {
        Phase::Banner | Phase::Ehlo | Phase::StartTls | Phase::Handshake | Phase::Auth => "unavailable",
        Phase::Mail | Phase::Rcpt | Phase::Data => "broken",
        Phase::Dot => "ambiguous",
    }
}

async fn at_every_phase(security: Security, deed: Deed) {
    let certificates = Certificates::make();
    let phases = Phase::ALL.into_iter().filter(|phase| match phase {
        Phase::StartTls => security == Security::StartTls,
        Phase::Handshake => security != Security::PlainLoopback,
        _ => true,
    });
    join_all(phases.map(|phase| suffer(security, phase, deed, when_broken(phase), &certificates))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_at_any_of_nine_phases() {
    at_every_phase(Security::StartTls, Deed::Silence).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_tls_from_the_start_that_falls_silent() {
    at_every_phase(Security::Wrapper, Deed::Silence).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_closes_at_any_phase() {
    at_every_phase(Security::StartTls, Deed::Close).await;
    at_every_phase(Security::Wrapper, Deed::Close).await;
    at_every_phase(Security::PlainLoopback, Deed::Close).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_drips_byte_by_byte_at_any_phase() {
    at_every_phase(Security::StartTls, Deed::Drip).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_reply_never_ends_at_any_phase() {
    at_every_phase(Security::StartTls, Deed::Endless).await;
    at_every_phase(Security::StartTls, Deed::HugeLine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_talks_garbage_at_any_phase() {
    at_every_phase(Security::StartTls, Deed::Garbage).await;
    at_every_phase(Security::Wrapper, Deed::Garbage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_at_every_phase_is_called_by_its_right_name() {
    let certificates = Certificates::make();
    let said = [
        "421 4.3.2 closing\r\n",
        "450 4.2.0 greylisted\r\n",
        "451 4.3.0 try later\r\n",
        "452 4.2.2 full\r\n",
        "535 5.7.8 who are you\r\n",
        "550-5.1.1 nobody\r\n550 5.1.1 of that name\r\n",
        "552 5.2.2 over quota\r\n",
        "554 5.7.1 no\r\n",
    ];
    for phase in Phase::ALL.into_iter().filter(|phase| *phase != Phase::Handshake) {
        join_all(said.map(|text| {
            let certificates = &certificates;
            async move {
                let expected =
                    match (phase, &text[..3]) {
                        (Phase::Mail, "535") => "unavailable",
                        (Phase::Mail | Phase::Rcpt | Phase::Data | Phase::Dot, code) => {
                            if code.starts_with('4') { "deferred" } else { "failed" }
                        }
                        _ => "unavailable",
                    };
                suffer(Security::StartTls, phase, Deed::Say(text), expected, certificates).await;
            }
        }))
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_own_words_are_handed_on_with_their_code() {
    let certificates = Certificates::make();
    let text = "550-5.1.1 Nobody\r\n550 5.1.1 \x1b[31mhere\r\n";
    let script = Script::once(Security::StartTls, Phase::Rcpt, Deed::Say(text));
    let server = Hostile::start(script, &certificates).await;
    let mailer = mailer_for(&server, script, &certificates);
    let outcome = mailer.send(&letter("a@acme.example")).await;
    assert_eq!(outcome, LetterOutcome::Failed { answer: "550 5.1.1 Nobody 5.1.1 \u{FFFD}[31mhere".into() });
    let outcome = mailer.send(&letter("b@acme.example")).await;
    assert_eq!(outcome, LetterOutcome::Sent { answer: "250 2.0.0 queued as 42".into() });
    // The refused letter was taken back on the same connection.
    assert_eq!(server.connections(), 1);
    assert!(server.commands().contains(&"RSET".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_is_no_permission() {
    let certificates = Certificates::make();
    // An answer to another question: DATA is answered with 354 and nothing else, and 354 is no answer to the dot.
    for (phase, text, expected) in [
        (Phase::Data, "250 ok\r\n", "broken"),
        (Phase::Mail, "354 go\r\n", "broken"),
        (Phase::Rcpt, "354 go\r\n", "broken"),
        (Phase::Dot, "354 go\r\n", "ambiguous"),
        (Phase::Banner, "354 go\r\n", "unavailable"),
        (Phase::Auth, "354 go\r\n", "unavailable"),
    ] {
        suffer(Security::StartTls, phase, Deed::Say(text), expected, &certificates).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_too_late_is_not_taken_for_the_answer_to_the_next_question() {
    let certificates = Certificates::make();
    join_all([Phase::Mail, Phase::Rcpt, Phase::Data].map(|phase| {
        let certificates = &certificates;
        async move {
            let script = Script::once(Security::PlainLoopback, phase, Deed::Late);
            let server = Hostile::start(script, certificates).await;
            let mailer = mailer_for(&server, script, certificates);
            let outcome = send(&mailer, &letter("first@acme.example"), "").await;
            assert_eq!(name(&outcome), "broken", "{phase:?}: {outcome:?}");
            // Now the answer lies ready on the old connection, if there still is one.
            tokio::time::sleep(LATE).await;
            let outcome = send(&mailer, &letter("second@acme.example"), "").await;
            assert_eq!(name(&outcome), "sent", "{phase:?}: {outcome:?}");
            let letters = server.letters();
            assert!(letters.len() == 1 && letters[0].contains("To: second@"), "{phase:?}: {letters:?}");
            assert_eq!(server.connections(), 2, "{phase:?}");
        }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_starttls_gets_nothing() {
    let certificates = Certificates::make();
    let stripped = "250-hostile.example\r\n250 AUTH PLAIN LOGIN\r\n";
    let script = Script::always(Security::StartTls, Phase::Ehlo, Deed::Say(stripped));
    let server = Hostile::start(script, &certificates).await;
    let outcome = send(&mailer_for(&server, script, &certificates), &letter("a@acme.example"), "").await;
    assert!(
        matches!(&outcome, LetterOutcome::Unavailable { answer } if answer.contains("no STARTTLS")),
        "{outcome:?}"
    );
    assert_eq!(server.plain(), b"EHLO test.example\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_slipped_in_behind_starttls_is_not_believed() {
    let certificates = Certificates::make();
    let slipped = "220 go ahead\r\n250-evil.example\r\n250 AUTH PLAIN\r\n235 welcome\r\n";
    let script = Script::always(Security::StartTls, Phase::StartTls, Deed::Say(slipped));
    let server = Hostile::start(script, &certificates).await;
    let outcome = send(&mailer_for(&server, script, &certificates), &letter("a@acme.example"), "").await;
    assert_eq!(name(&outcome), "unavailable", "{outcome:?}");
    assert_eq!(server.plain(), b"EHLO test.example\r\nSTARTTLS\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_certificate_ends_it_before_a_word_is_said() {
    let certificates = Certificates::make();
    for security in [Security::StartTls, Security::Wrapper] {
        for shown in [Shown::OtherHost, Shown::SelfSigned] {
            let script = Script { shown, ..Script::good(security) };
            let server = Hostile::start(script, &certificates).await;
            let what = format!("{security:?} {shown:?}");
            let outcome =
                send(&mailer_for(&server, script, &certificates), &letter("a@acme.example"), &what).await;
            assert!(
                matches!(&outcome, LetterOutcome::Unavailable { answer } if answer.contains("certificate is not trusted")),
                "{what}: {outcome:?}"
            );
            assert!(!server.commands().iter().any(|command| command.starts_with("AUTH")), "{what}");
            assert_nothing_leaked(&server, &what);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_does_not_even_take_the_connection() {
    // A queue of one that nobody serves; once it is full, the system answers no more.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) =
        tokio::time::timeout(Duration::from_millis(300), tokio::net::TcpStream::connect(address)).await
    {
        queue.push(stream.unwrap());
    }
    let start = Instant::now();
    let outcome =
        mailer(settings(address.port(), Security::PlainLoopback)).send(&letter("a@acme.example")).await;
    assert!(
        matches!(&outcome, LetterOutcome::Unavailable { answer } if answer.contains("no answer")),
        "{outcome:?}"
    );
    assert!(start.elapsed() < short().connect + Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_the_server_repeats_is_not_handed_on() {
    let certificates = Certificates::make();
    let said =
        "535 wrong: AGFkYUBleGFtcGxlLmNvbQBodW50ZXIyIOKYgyBjb3JyZWN0IGhvcnNl is hunter2 ☃ correct horse\r\n";
    let script = Script::always(Security::Wrapper, Phase::Auth, Deed::Say(said));
    let server = Hostile::start(script, &certificates).await;
    let mailer = mailer_for(&server, script, &certificates);
    assert_eq!(server.commands(), Vec::<String>::new());
    let outcome = send(&mailer, &letter("a@acme.example"), "").await;
    assert!(server.commands().iter().any(|command| command.contains("AGFkYUBleGFtcGxlLmNvbQBodW50ZXIy")));
    assert_eq!(outcome, LetterOutcome::Unavailable { answer: "log-in: 535".into() });
    let shown = format!("{:?} {mailer:?}", mailer.check().await.unwrap_err());
    assert!(!shown.contains("hunter2") && !shown.contains("AGFk"), "{shown}");
}
