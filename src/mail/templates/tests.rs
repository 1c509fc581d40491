use chrono::{Duration, TimeZone, Utc};
use unicode_width::UnicodeWidthStr;

use super::*;

fn now() -> Instant {
    Utc.with_ymd_and_hms(2026, 11, 24, 9, 0, 0).unwrap()
}

fn line(name: &str, days: i64) -> ReminderLine {
    ReminderLine {
        name: name.into(),
        account: "Acme".into(),
        account_slug: "acme".into(),
        issuer: "Voicegram".into(),
        noun: "token".into(),
        preview: "vg_pat_••••••••9f3a".into(),
        id: "019ab0c4-5a10-7c3e-8f21-0242ac120002".into(),
        expires_at: now() + Duration::days(days) + Duration::hours(3),
        planned: false,
        created_at: now() - Duration::days(83),
        last_used_at: Some(now() - Duration::hours(5)),
        rotation_overlap: true,
    }
}

fn mail(keys: Vec<ReminderLine>) -> ReminderMail {
    ReminderMail { recipient: "ada@acme.example".into(), now: now(), keys }
}

fn several() -> ReminderMail {
    let other = ReminderLine {
        account: "Globex & Söhne".into(),
        account_slug: "globex".into(),
        noun: "API key".into(),
        last_used_at: None,
        rotation_overlap: false,
        ..line("Nightly export <billing> of the southern regions, to the warehouse, from the old CRM", 1)
    };
    mail(vec![line("CI", 0), other, line("本番サーバー".repeat(9).as_str(), 30)])
}

fn shown(mail: &ReminderMail) -> String {
    let rendered = Templates::embedded().unwrap().render(mail).unwrap();
    format!("Subject: {}\n\n{}\n=====\n{}", rendered.subject, rendered.text, rendered.html)
}

#[test]
fn a_reminder_about_one_key() {
    insta::assert_snapshot!(shown(&mail(vec![line("CI", 7)])));
}

#[test]
fn a_reminder_about_several_keys_of_two_accounts() {
    insta::assert_snapshot!(shown(&several()));
}

#[test]
fn the_subject_says_the_essential() {
    let templates = Templates::embedded().unwrap();
    let subject = |keys| templates.render(&mail(keys)).unwrap().subject;
    assert_eq!(subject(vec![line("CI", 7)]), "Token \"CI\" of Acme expires in 7 days (2026-12-01)");
    assert_eq!(subject(vec![line("CI", 1)]), "Token \"CI\" of Acme expires in 1 day (2026-11-25)");
    assert_eq!(subject(vec![line("CI", 0)]), "Token \"CI\" of Acme expires in 3 hours (2026-11-24)");
    assert_eq!(subject(vec![line("CI", -3)]), "Token \"CI\" of Acme has expired (2026-11-21)");
    assert_eq!(
        subject(vec![line("CI", 7), line("CD", 8)]),
        "2 tokens of Acme expire soon, the first in 7 days"
    );
    assert_eq!(
        subject(several().keys),
        "3 keys of Acme and Globex & Söhne expire soon, the first in 3 hours"
    );
    let long = subject(vec![line(&"x".repeat(100), 7)]);
    assert!(long.starts_with(&format!("Token \"{}…\" of Acme", "x".repeat(59))), "{long}");
}

#[test]
fn no_line_of_the_text_is_wider_than_76_columns() {
    for name in ["x".repeat(100), "ab cd ".repeat(16), "本番".repeat(50), "e\u{301}".repeat(50)] {
        let rendered =
            Templates::embedded().unwrap().render(&mail(vec![line(&name, 7), line("b", 8)])).unwrap();
        for line in rendered.text.lines() {
            assert!(line.width() <= 76, "{} columns: {line}", line.width());
        }
    }
}

#[test]
fn names_are_text_and_no_markup_no_template_and_no_secret() {
    let secret = format!("vg_pat_{}", "0123456789abcdef".repeat(4));
    let name = format!("<script>{{{{ 7*7 }}}}</script>\r\nBcc: x\u{202E}{secret}\u{1b}[2J");
    let rendered = Templates::embedded().unwrap().render(&mail(vec![line(&name, 7)])).unwrap();
    let all = format!("{rendered:?}");
    assert!(!rendered.html.contains("<script>"));
    assert!(rendered.text.contains("{{ 7*7 }}"), "{}", rendered.text);
    for bad in ["\u{202E}", "\u{1b}", &secret, "\nBcc", "\r"] {
        let parts = [&rendered.subject, &rendered.text, &rendered.html];
        assert!(parts.iter().all(|part| !part.contains(bad)), "{bad:?} in {all}");
    }
}

#[test]
fn every_scalar_value_in_names_gives_clean_parts() {
    let templates = Templates::embedded().unwrap();
    let all: Vec<char> = ('\0'..=char::MAX).collect();
    for (i, chunk) in all.chunks(190).enumerate() {
        let text: String = chunk.iter().collect();
        // The other texts go the same way; a sample of them is enough.
        let key = match i % 20 {
            0 => ReminderLine {
                account: text.clone(),
                issuer: text.clone(),
                noun: text.clone(),
                preview: text.clone(),
                ..line(&text, 7)
            },
            _ => line(&text, 7),
        };
        let rendered = templates.render(&mail(vec![key])).unwrap();
        assert!(rendered.subject.chars().all(crate::domain::text::is_safe));
        for part in [&rendered.text, &rendered.html] {
            assert!(part.chars().all(|c| c == '\n' || crate::domain::text::is_safe(c)));
        }
    }
}

#[test]
fn kr_18_a_planned_revocation_is_called_one() {
    let planned = ReminderLine { planned: true, ..line("CI", 7) };
    let rendered = Templates::embedded().unwrap().render(&mail(vec![planned])).unwrap();
    assert_eq!(rendered.subject, "Token \"CI\" of Acme is revoked in 7 days (2026-12-01)");
    assert!(rendered.text.contains("   Revoked:    2026-12-01"), "{}", rendered.text);
    assert!(rendered.html.contains("Revoked <strong>"), "{}", rendered.html);
}

#[test]
fn an_operators_own_templates_replace_ours_one_by_one() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("subject.txt"), "{{ count }}\n  for {{ recipient }}\n").unwrap();
    let rendered = Templates::load(dir.path()).unwrap().render(&mail(vec![line("CI", 7)])).unwrap();
    assert_eq!(rendered.subject, "1 for ada@acme.example");
    assert!(rendered.text.contains("What to do"));
}

#[test]
fn a_mistake_in_a_template_is_found_when_it_is_loaded_with_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text, line) in [
        ("reminder.txt", "one\ntwo\n{{ acount }}\n", Some(3)),
        ("reminder.html", "<p>\n{% for key in keys %}{{ key.nam }}{% endfor %}\n", Some(2)),
        ("subject.txt", "{% if count %}\n", Some(1)),
        ("subject.txt", "{{ subject }}", Some(1)),
        ("subject.txt", " \n ", None),
        ("reminder.txt", "{% include 'other.txt' %}", Some(1)),
    ] {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let error = Templates::load(dir.path()).unwrap_err();
        assert_eq!((error.file.as_str(), error.line), (path.to_str().unwrap(), line), "{text:?}: {error}");
        std::fs::remove_file(path).unwrap();
    }
    assert!(Templates::load(dir.path()).unwrap_err().why.contains("none of"));
    assert!(Templates::load(&dir.path().join("gone")).is_err());
}

#[test]
fn html_is_escaped_in_an_operators_template_too() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("reminder.html"), "<b>{{ first.name }}</b>").unwrap();
    let rendered = Templates::load(dir.path()).unwrap().render(&mail(vec![line("<i>", 7)])).unwrap();
    assert_eq!(rendered.html, "<b>&lt;i&gt;</b>\n");
}

#[test]
fn a_reminder_without_keys_is_an_error_and_no_panic() {
    assert!(Templates::embedded().unwrap().render(&mail(Vec::new())).is_err());
}
