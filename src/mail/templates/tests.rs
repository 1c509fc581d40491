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
        link: None,
        contact: None,
    }
}

fn mail(keys: Vec<ReminderLine>) -> ReminderMail {
    ReminderMail { recipient: "ada@acme.example".into(), now: now(), contact: None, keys }
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

/// Thirteen tokens, each with its own page to be replaced on, the first of them in two days.
fn thirteen() -> ReminderMail {
    let key = |n: i64| {
        let id = format!("019ab0c4-5a10-7c3e-8f21-{n:012}");
        ReminderLine {
            name: [
                "CI",
                "Nightly export of the southern regions",
                "本番サーバー",
                "crm-sync_production_eu-central-1",
            ][n as usize % 4]
                .into(),
            preview: format!("vg_pat_••••••••{:04x}", 40_000 + n),
            last_used_at: (n % 3 > 0).then(|| now() - Duration::hours(5 * n)),
            planned: n == 5,
            link: Some(format!("https://app.voicegram.example/acme/tokens/{id}/replace")),
            contact: Some("tokens@voicegram.example".into()),
            id,
            ..line("", 2 + n * 2)
        }
    };
    mail((0..13).map(key).collect())
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
    let ReminderLine { name, account, account_slug, issuer, noun, preview, id, last_used_at, .. } =
        line(name, 7);
    NoticeLine {
        name,
        account,
        account_slug,
        issuer,
        noun,
        preview,
        id,
        status: "revoked".into(),
        ended_at: Some(now() - Duration::days(3)),
        ends_at: None,
        last_used_at,
        tried: Some(
            "still tried 3 times a day from 203.0.113.0/24, for calls and sms; 12 the day before".into(),
        ),
        link: None,
        contact: Some("tokens@voicegram.example".into()),
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
    let key = ReminderLine {
        link: Some("https://app.voicegram.example/acme/tokens".into()),
        contact: Some("tokens@voicegram.example".into()),
        ..line("CI", 7)
    };
    insta::assert_snapshot!(shown(&mail(vec![key])));
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
    let keys = [works, noticed("CI")].map(|key| NoticeLine { link: Some(link.into()), ..key });
    insta::assert_snapshot!(shown_notice(&told(Occasion::Exposed, keys.to_vec())));
}

#[test]
fn a_notice_about_a_replaced_key() {
    let key = NoticeLine {
        status: "replaced".into(),
        ended_at: None,
        ends_at: Some(now() + Duration::days(1)),
        tried: None,
        contact: None,
        ..noticed("CI")
    };
    let mail = told(Occasion::Replaced, vec![key]);
    let all = shown_notice(&mail);
    assert!(all.contains("replaced, works until Wed 2026-11-25 09:00 UTC"), "{all}");
    assert!(
        all.contains("Subject: Token \"CI\" of Acme stops working soon (Wed 2026-11-25): use the new one\n"),
        "{all}"
    );
    assert!(all.contains("ask the team that runs Voicegram"), "{all}");
}

#[test]
fn answers_go_to_the_contact_that_all_keys_have() {
    let with = |contact: Option<&str>| ReminderLine { contact: contact.map(str::to_owned), ..line("CI", 7) };
    let (ours, theirs) = (with(Some("a@x.example")), with(Some("b@y.example")));
    let other = ReminderLine { issuer: "VoxPria".into(), ..theirs };
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
    assert!(!html.contains("mailto:") && !text.contains("Answer this mail"), "{html}");
    let notice = told(Occasion::Exposed, vec![noticed("CI")]);
    assert_eq!(notice.reply_to(), Some("tokens@voicegram.example"));
}

#[test]
fn keys_without_a_page_are_asked_for() {
    let with = ReminderLine { link: Some("https://a.example/k".into()), ..line("CI", 7) };
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
        let wide = |mut key: ReminderLine, n| {
            key.name.clone_from(&name);
            key.issuer.clone_from(&name);
            if n % 2 == 0 {
                (key.account, key.account_slug) = (name.clone(), format!("{n}"));
                key.preview = format!("{}••••••••9f3a", "本".repeat(24));
            }
            key
        };
        let keys: Vec<_> = thirteen().keys.into_iter().enumerate().map(|(n, key)| wide(key, n)).collect();
        let links: Vec<String> = keys.iter().filter_map(|key| key.link.clone()).collect();
        let notice = |line: &ReminderLine| NoticeLine { issuer: name.clone(), ..noticed(&line.name) };
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
    let key = ReminderLine { link: Some(link.clone()), ..line("CI", 7) };
    let other = ReminderLine { link: Some(format!("{link}y")), ..line("CI", 7) };
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
    let key = |link: &str| ReminderLine {
        link: Some(link.into()),
        contact: Some(hostile.clone()),
        ..line("CI", 7)
    };
    let notice = NoticeLine { link: Some(hostile.clone()), contact: Some(hostile.clone()), ..noticed("CI") };
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
