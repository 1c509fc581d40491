use super::*;
use crate::mail::Sender;

fn head() -> Letterhead {
    Letterhead { from: Sender::new("keyrack@example.com", "Keyrack").unwrap(), reply_to: None }
}

fn settings() -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".into(),
        port: 25,
        security: Security::PlainLoopback,
        ca_file: None,
        login: Some(("ada".into(), Zeroizing::new("hunter2".into()))),
        hello: None,
        connections: 4,
        patience: Patience::default(),
    }
}

#[test]
fn the_deadlines_of_all_phases_together_leave_time_for_the_final_dot_within_30_seconds() {
    let p = Patience::default();
    let phases = p.check + p.connect + p.hello + p.login + p.mail + p.rcpt + p.data;
    assert!(phases + p.dot <= p.whole, "{phases:?}");
    // A pooled connection that dies at MAIL costs one more check and MAIL.
    assert!(phases + p.mail <= p.whole);
    assert!(p.whole <= Duration::from_secs(30));
}

#[test]
fn no_debug_output_holds_the_password() {
    let smtp = Smtp::open(settings(), head()).unwrap();
    let shown = format!("{:?} {smtp:?} {:?}", settings(), crate::mail::Mailer::Smtp(smtp.clone()));
    assert!(shown.contains("ada") && !shown.contains("hunter2"), "{shown}");
    assert_eq!(smtp.describe(), "127.0.0.1:25 (plain, this machine only)");
    assert_eq!(smtp.lanes(), 4);
}

#[test]
fn settings_that_cannot_work_are_refused_in_words() {
    let refused = |settings: SmtpSettings| Smtp::open(settings, head()).unwrap_err().to_string();
    assert!(refused(SmtpSettings { port: 0, ..settings() }).contains("587"));
    assert!(refused(SmtpSettings { connections: 0, ..settings() }).contains("1 to 64"));
    assert!(refused(SmtpSettings { connections: 65, ..settings() }).contains("1 to 64"));
    for hello in ["", "a b", "x\r\nRSET", "ä.example"] {
        assert!(refused(SmtpSettings { hello: Some(hello.into()), ..settings() }).contains("this machine"));
    }
    let empty = Some(("ada".to_owned(), Zeroizing::new(String::new())));
    assert!(refused(SmtpSettings { login: empty, ..settings() }).contains("empty"));
    let tls = SmtpSettings { security: Security::StartTls, ..settings() };
    assert!(refused(SmtpSettings { host: "a b".into(), ..tls.clone() }).contains("isn't a valid name"));
    assert!(
        refused(SmtpSettings { ca_file: Some("/no/such/file".into()), ..tls.clone() })
            .contains("/no/such/file")
    );
    let empty = tempfile::NamedTempFile::new().unwrap();
    assert!(refused(SmtpSettings { ca_file: Some(empty.path().into()), ..tls }).contains("no certificate"));
}
