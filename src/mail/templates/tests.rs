use chrono::{Duration, TimeZone, Utc};
use unicode_width::UnicodeWidthStr;

use super::*;

fn now() -> Instant {
    Utc.with_ymd_and_hms(2026, 11, 24, 9, 0, 0).unwrap()
}

fn key(name: &str) -> KeyLine {
    KeyLine {
        name: name.into(),
        account: "Acme".into(),
        account_slug: "acme".into(),
        issuer: "Voicegram".into(),
        noun: "token".into(),
        preview: "vg_pat_••••••••9f3a".into(),
        id: "019ab0c4-5a10-7c3e-8f21-0242ac120002".into(),
        last_used_at: Some(now() - Duration::hours(5)),
        link: None,
        contact: None,
    }
}

/// A key that expires after so many days, and three hours.
fn expiring(key: KeyLine, days: i64) -> ReminderLine {
    ReminderLine {
        key,
        expires_at: now() + Duration::days(days) + Duration::hours(3),
        planned: false,
        created_at: now() - Duration::days(83),
        rotation_overlap: true,
    }
}

fn line(name: &str, days: i64) -> ReminderLine {
    expiring(key(name), days)
}

fn mail(keys: Vec<ReminderLine>) -> ReminderMail {
    ReminderMail { recipient: "ada@acme.example".into(), now: now(), contact: None, keys }
}

fn several() -> ReminderMail {
    let other = KeyLine {
        account: "Globex & Söhne".into(),
        account_slug: "globex".into(),
        noun: "API key".into(),
        last_used_at: None,
        ..key("Nightly export <billing> of the southern regions, to the warehouse, from the old CRM")
    };
    let other = ReminderLine { rotation_overlap: false, ..expiring(other, 1) };
    mail(vec![line("CI", 0), other, line("本番サーバー".repeat(9).as_str(), 30)])
}

/// Thirteen tokens, each with its own page to be replaced on, the first of them in two days.
fn thirteen() -> ReminderMail {
    let line = |n: i64| {
        let id = format!("019ab0c4-5a10-7c3e-8f21-{n:012}");
        let name = [
            "CI",
            "Nightly export of the southern regions",
            "本番サーバー",
            "crm-sync_production_eu-central-1",
        ];
        let key = KeyLine {
            preview: format!("vg_pat_••••••••{:04x}", 40_000 + n),
            last_used_at: (n % 3 > 0).then(|| now() - Duration::hours(5 * n)),
            link: Some(format!("https://app.voicegram.example/acme/tokens/{id}/replace")),
            contact: Some("tokens@voicegram.example".into()),
            id,
            ..key(name[n as usize % 4])
        };
        ReminderLine { planned: n == 5, ..expiring(key, 2 + n * 2) }
    };
    mail((0..13).map(line).collect())
}

fn told(occasion: Occasion, keys: Vec<NoticeLine>) -> NoticeMail {
    NoticeMail {
        recipient: "ada@acme.example".into(),
        occasion,
        reason: Some("see INC-7".into()),
        contact: None,
        keys,
    }
}

fn noticed(name: &str) -> NoticeLine {
    NoticeLine {
        key: KeyLine { contact: Some("tokens@voicegram.example".into()), ..key(name) },
        status: "revoked".into(),
        ended_at: Some(now() - Duration::days(3)),
        ends_at: None,
        tried: Some(
            "still tried 3 times a day from 203.0.113.0/24, for calls and sms; 12 the day before".into(),
        ),
    }
}

fn together(Rendered { subject, text, html }: Rendered) -> String {
    format!("Subject: {subject}\n\n{text}\n=====\n{html}")
}

fn shown(mail: &ReminderMail) -> String {
    together(Templates::embedded().unwrap().render(mail).unwrap())
}

fn shown_notice(mail: &NoticeMail) -> String {
    together(Templates::embedded().unwrap().notice(mail).unwrap())
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
fn a_reminder_with_a_page_and_a_contact() {
    let key = KeyLine {
        link: Some("https://app.voicegram.example/acme/tokens".into()),
        contact: Some("tokens@voicegram.example".into()),
        ..key("CI")
    };
    insta::assert_snapshot!(shown(&mail(vec![expiring(key, 7)])));
}

#[test]
fn a_reminder_about_thirteen_keys() {
    insta::assert_snapshot!(shown(&thirteen()));
}

#[test]
fn a_notice_about_a_key_that_is_used_after_its_end() {
    insta::assert_snapshot!(shown_notice(&told(Occasion::AfterEnd, vec![noticed("CI")])));
}

#[test]
fn a_notice_about_exposed_keys() {
    let link = "https://app.voicegram.example/acme/tokens";
    let works = NoticeLine { status: "active".into(), ended_at: None, tried: None, ..noticed("crm <sync>") };
    let mut keys = vec![works, noticed("CI")];
    keys.iter_mut().for_each(|line| line.key.link = Some(link.into()));
    insta::assert_snapshot!(shown_notice(&told(Occasion::Exposed, keys)));
}

#[test]
fn a_notice_about_a_replaced_key() {
    let line = NoticeLine {
        key: key("CI"),
        status: "replaced".into(),
        ended_at: None,
        ends_at: Some(now() + Duration::days(1)),
        tried: None,
    };
    let all = shown_notice(&told(Occasion::Replaced, vec![line]));
    for words in [
        "Subject: Token \"CI\" of Acme will soon stop working (Wed 2026-11-25): use the new one\n",
        "replaced, works until Wed 2026-11-25 09:00 UTC",
        "ask the team that runs Voicegram",
    ] {
        assert!(all.contains(words), "{words}: {all}");
    }
}

#[test]
fn a_notice_says_no_more_than_gates_saw() {
    let quiet = NoticeLine { tried: None, ..noticed("CI") };
    let all = shown_notice(&told(Occasion::AfterEnd, vec![quiet]));
    assert!(all.contains("Subject: Token \"CI\" of Acme no longer works\n"), "{all}");
    assert!(!all.contains("networks") && !all.contains("tried"), "{all}");
    let works = NoticeLine { status: "active".into(), ended_at: None, ..noticed("CI") };
    let exposed = |keys| shown_notice(&told(Occasion::Exposed, keys));
    assert!(exposed(vec![works.clone()]).contains("4. It is not revoked yet."));
    assert!(exposed(vec![works.clone(), works.clone()]).contains("4. They are not revoked yet."));
    assert!(exposed(vec![works, noticed("CD")]).contains("4. One of them is not revoked yet."));
    assert!(!exposed(vec![noticed("CI")]).contains("not revoked"));
}

#[test]
fn answers_go_to_the_contact_that_all_keys_have() {
    let with =
        |contact: Option<&str>| expiring(KeyLine { contact: contact.map(str::to_owned), ..key("CI") }, 7);
    let (ours, mut other) = (with(Some("a@x.example")), with(Some("b@y.example")));
    other.key.issuer = "VoxPria".into();
    assert_eq!(mail(vec![ours.clone(), ours.clone()]).reply_to(), Some("a@x.example"));
    assert_eq!(mail(vec![ours.clone(), other.clone()]).reply_to(), None);
    assert_eq!(mail(vec![ours.clone(), with(None)]).reply_to(), None);
    let usual = |keys| ReminderMail { contact: Some("desk@k.example".into()), ..mail(keys) };
    assert_eq!(usual(vec![with(None)]).reply_to(), Some("desk@k.example"));
    assert_eq!(usual(vec![ours.clone()]).reply_to(), Some("a@x.example"), "the policy's wins");
    assert_eq!(usual(vec![ours.clone(), with(None)]).reply_to(), None);
    let Rendered { text, html, .. } =
        Templates::embedded().unwrap().render(&mail(vec![ours, other])).unwrap();
    assert!(text.contains("Questions? Ask a@x.example (Voicegram) or b@y.example (VoxPria)."), "{text}");
    assert!(!html.contains("mailto:") && !text.contains("Reply to this mail"), "{html}");
    let notice = told(Occasion::Exposed, vec![noticed("CI")]);
    assert_eq!(notice.reply_to(), Some("tokens@voicegram.example"));
}

#[test]
fn keys_without_a_page_are_asked_for() {
    let with = expiring(KeyLine { link: Some("https://a.example/k".into()), ..key("CI") }, 7);
    let text = |keys| Templates::embedded().unwrap().render(&mail(keys)).unwrap().text;
    let some = text(vec![with.clone(), line("CD", 8)]);
    assert_eq!(some.matches("https://a.example/k").count(), 1, "{some}");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&some).contains("Where no page is shown, ask the team that runs"), "{some}");
    let all = text(vec![with.clone(), with]);
    assert_eq!(all.matches("https://a.example/k").count(), 1, "one page for all stands in the steps: {all}");
    assert!(all.contains("1. Open this page"), "{all}");
    let none = text(vec![line("CI", 7)]);
    assert!(
        none.contains(" 1. Ask the team that runs Voicegram for a new token.") && !none.contains("http"),
        "{none}"
    );
}

#[test]
fn the_subject_says_the_essential() {
    let templates = Templates::embedded().unwrap();
    let subject = |keys| templates.render(&mail(keys)).unwrap().subject;
    assert_eq!(subject(vec![line("CI", 7)]), "Token \"CI\" of Acme expires in 7 days (Tue 2026-12-01)");
    assert_eq!(subject(vec![line("CI", 1)]), "Token \"CI\" of Acme expires in 1 day (Wed 2026-11-25)");
    assert_eq!(subject(vec![line("CI", 0)]), "Token \"CI\" of Acme expires in 3 hours (Tue 2026-11-24)");
    assert_eq!(subject(vec![line("CI", -3)]), "Token \"CI\" of Acme has expired (Sat 2026-11-21)");
    assert_eq!(
        subject(vec![line("CI", 7), line("CD", 8)]),
        "2 tokens of Acme expire soon, the first in 7 days (Tue 2026-12-01)"
    );
    assert_eq!(
        subject(several().keys),
        "3 keys of Acme and Globex & Söhne expire soon, the first in 3 hours (Tue 2026-11-24)"
    );
    let long = subject(vec![line(&"x".repeat(100), 7)]);
    assert!(long.starts_with(&format!("Token \"{}…\" of Acme", "x".repeat(59))), "{long}");
}

#[test]
fn no_line_of_the_text_is_wider_than_76_columns() {
    let templates = Templates::embedded().unwrap();
    let long = ["x".repeat(100), "ab cd ".repeat(16), "本番".repeat(50), "e\u{301}".repeat(50)];
    let long = long.into_iter().chain([format!("https://a.example/{}", "y".repeat(80)), "👩‍🚀".repeat(30)]);
    for name in long {
        let wide = |mut line: ReminderLine, n| {
            let key = &mut line.key;
            key.name.clone_from(&name);
            key.issuer.clone_from(&name);
            if n % 2 == 0 {
                (key.account, key.account_slug) = (name.clone(), format!("{n}"));
                key.preview = format!("{}••••••••9f3a", "本".repeat(24));
            }
            line
        };
        let keys: Vec<_> = thirteen().keys.into_iter().enumerate().map(|(n, line)| wide(line, n)).collect();
        let links: Vec<String> = keys.iter().filter_map(|line| line.key.link.clone()).collect();
        let notice = |line: &ReminderLine| {
            let mut noticed = noticed(&line.key.name);
            noticed.key.issuer.clone_from(&name);
            noticed
        };
        let notices = told(Occasion::AfterEnd, keys.iter().map(notice).collect());
        let one = templates.render(&mail(vec![keys[0].clone()])).unwrap();
        for rendered in [one, templates.render(&mail(keys)).unwrap(), templates.notice(&notices).unwrap()] {
            for line in rendered.text.lines().filter(|line| !links.iter().any(|link| link == line.trim())) {
                assert!(line.width() <= 76, "{} columns: {line}", line.width());
            }
        }
    }
}

#[test]
fn a_link_longer_than_a_line_stays_whole() {
    let link = format!("https://app.example.com/{}", "x".repeat(100));
    let with = |link: String| expiring(KeyLine { link: Some(link), ..key("CI") }, 7);
    let (key, other) = (with(link.clone()), with(format!("{link}y")));
    let text = |keys| Templates::embedded().unwrap().render(&mail(keys)).unwrap().text;
    for text in [text(vec![key.clone()]), text(vec![key, other])] {
        assert!(text.lines().any(|line| line.trim() == link), "{text}");
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
fn links_and_contacts_are_text_and_no_markup() {
    let hostile = "https://a.example/\"><script>alert(1)</script>\r\nBcc: x\u{202E}".to_owned();
    let with = |link: &str| KeyLine { link: Some(link.into()), contact: Some(hostile.clone()), ..key("CI") };
    let key = |link: &str| expiring(with(link), 7);
    let notice = NoticeLine { key: with(&hostile), ..noticed("CI") };
    let templates = Templates::embedded().unwrap();
    for rendered in [
        templates.render(&mail(vec![key(&hostile)])).unwrap(),
        templates.render(&mail(vec![key(&hostile), key("https://b.example")])).unwrap(),
        templates.notice(&told(Occasion::Exposed, vec![notice.clone(), noticed("CD")])).unwrap(),
    ] {
        assert!(
            !rendered.html.contains("<script>") && !rendered.html.contains("\">alert"),
            "{}",
            rendered.html
        );
        for bad in ["\u{202E}", "\nBcc", "\r"] {
            assert!(!rendered.text.contains(bad) && !rendered.html.contains(bad), "{bad:?} in {rendered:?}");
        }
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
            0 => KeyLine {
                account: text.clone(),
                issuer: text.clone(),
                noun: text.clone(),
                preview: text.clone(),
                ..key(&text)
            },
            _ => key(&text),
        };
        let rendered = templates.render(&mail(vec![expiring(key, 7)])).unwrap();
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
    assert_eq!(rendered.subject, "Token \"CI\" of Acme is revoked in 7 days (Tue 2026-12-01)");
    assert!(rendered.text.contains("   Revoked:    Tue 2026-12-01"), "{}", rendered.text);
    assert!(rendered.html.contains(">Revoked</th>"), "{}", rendered.html);
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
