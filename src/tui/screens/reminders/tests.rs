use chrono::Duration;

use super::preset::Preset;
use crate::domain::operator::Role;
use crate::domain::reminder::{Progress, Reminder, ReminderFilter, State, Sweep};
use crate::domain::subjects::Subjects;
use crate::service::{Outbox, ReminderRequest, Retried};
use crate::tui::effect::{Failure, FailureKind, Reply, Request, To};
use crate::tui::testing::reminders::{outbox, reminder, swept, tally};
use crate::tui::testing::{Desk, asked, noon, only_request, only_requests};
use crate::tui::words::ScreenId;

const ME: To = To::Screen(ScreenId::Reminders);

fn rows() -> Vec<Reminder> {
    let superseded =
        Reminder { why: Some("7 days".into()), ..reminder("Old bridge", 30, 5, State::Superseded) };
    vec![
        reminder("CI runner", 7, 6, State::Failed),
        reminder("Production Server – Main App", 30, 21, State::Ambiguous),
        reminder("Zapier", 30, 29, State::Sent),
        reminder("称号 通話 レコーダー", 7, 3, State::Pending),
        superseded,
    ]
}

fn sweeps() -> Vec<Sweep> {
    vec![
        swept(2, Progress::Stopped, tally(0, 0, 1, 0)),
        swept(26, Progress::Ended, tally(12, 3, 0, 1)),
        swept(50, Progress::Ended, tally(0, 0, 0, 0)),
    ]
}

fn screen_of(width: u16, height: u16, rows: Vec<Reminder>, sweeps: Vec<Sweep>, outbox: Outbox) -> Desk {
    let mut desk = Desk::sized(width, height);
    desk.state.shell.outbox = Some(outbox);
    desk.state.shell.post = Some(Ok("smtp.example.com:587 (STARTTLS)".into()));
    let [(history, first), (list, second), (post, third)] = only_requests(desk.press("3"));
    let all = ReminderRequest { filter: ReminderFilter::default(), after: None, limit: 200 };
    assert_eq!([first, second, third], [Request::Sweeps(8), Request::Reminders(all), Request::Post]);
    assert_eq!([history.to, list.to, post.to], [ME, ME, To::Shell]);
    desk.reply(history, Reply::Sweeps(Ok(sweeps)));
    desk.reply(list, Reply::Reminders(Ok(rows)));
    desk
}

fn screen(width: u16, height: u16) -> Desk {
    screen_of(width, height, rows(), sweeps(), outbox())
}

#[test]
fn the_outbox_stands_in_one_line_with_where_mail_goes_below() {
    let words = screen(80, 24).words();
    assert!(words.contains("12 due now ○ 2 deferred ✕ 3 failed ? 1 ambiguous 30 within 7 days"), "{words}");
    assert!(words.contains("mail goes to smtp.example.com:587 (STARTTLS) S sends what is due"), "{words}");
}

#[test]
fn settings_that_can_not_be_used_are_told_in_their_own_words() {
    let mut desk = screen(80, 24);
    let text = "config.toml:7: `host` is missing: which server takes the mail?".into();
    desk.state.shell.post = Some(Err(Failure { kind: FailureKind::Rule, text }));
    desk.says("! no mail can be sent: config.toml:7: `host` is missing");
}

#[test]
fn when_nothing_is_due_the_next_one_is_told() {
    let next = Some(noon() + Duration::days(3));
    let quiet = Outbox { next_due_at: next, ..Outbox::default() };
    let mut desk = screen_of(80, 24, Vec::new(), Vec::new(), quiet);
    desk.says("nothing due; next in 3d 0 within 7 days").says("No sweep was run yet");
    desk.says("There are no reminders yet");
}

#[test]
fn an_empty_list_with_something_due_says_what_to_press() {
    let mut desk = screen_of(80, 24, Vec::new(), Vec::new(), Outbox { due: 12, ..Outbox::default() });
    desk.says("12 are due. S shows what would go to whom, and sends it");
}

#[test]
fn the_last_sweeps_tell_who_from_where_and_what_came_of_them() {
    let words = screen(120, 40).words();
    assert!(words.contains("2h ago ada watch ! stopped 1 deferred"), "{words}");
    assert!(words.contains("smtp.example.com:587 can't be reached: connection refused"), "{words}");
    assert!(words.contains("1d ago ada watch ✓ ended 12 sent, 3 failed, 1 ambiguous"), "{words}");
}

#[test]
fn the_servers_own_words_about_the_selected_reminder_stand_below_the_list() {
    let mut desk = screen(80, 24);
    desk.says("✕ failed, to ada@example.com (1 failed, 1 sent): 550 5.1.1 <ada@example.com>: no such user");
}

#[test]
fn the_tabs_are_filters_and_the_rest_of_the_filter_stays() {
    let mut desk = screen(80, 24);
    let (id, request) = only_request(desk.press("right"));
    let filter = ReminderFilter::parse("state:failed,ambiguous").unwrap();
    assert_eq!(request, Request::Reminders(ReminderRequest { filter, after: None, limit: 200 }));
    desk.reply(id, Reply::Reminders(Ok(Vec::new())));
    desk.says("All [Failed and ambiguous 4] Waiting Sent").says("Nothing failed, and nothing is ambiguous");
    assert_eq!(
        Preset::Sent.put_into("state:failed account:acme \"two words\""),
        "state:sent account:acme \"two words\""
    );
    assert_eq!(Preset::All.put_into("account:acme STATE:due"), "account:acme");
    assert_eq!(only_request(desk.press("esc")).0.to, ME, "Esc shows all again");
}

#[test]
fn each_tab_is_found_again_by_its_filter() {
    for &preset in Preset::ALL {
        let filter = ReminderFilter::parse(&preset.put_into("")).unwrap();
        assert_eq!(Preset::of(&filter), Some(preset));
    }
    assert_eq!(Preset::of(&ReminderFilter::parse("state:cancelled").unwrap()), None);
}

#[test]
fn a_mistake_in_the_filter_is_named_and_the_last_good_result_stays() {
    let mut desk = screen(80, 24);
    desk.press("/");
    assert_eq!(desk.paste("state:faild"), []);
    desk.says("/ state:faild ✕ there is no state faild: did you mean failed?").says("CI runner");
}

#[test]
fn enter_opens_every_delivery_and_leads_to_the_key() {
    let mut desk = screen(92, 44);
    desk.press("enter");
    for part in [
        "7 days before CI runner ends",
        "To ada@example.com State ✕ failed, tried once",
        "Message-ID <7d4f@keyrack.example>",
        "To bob@example.com State ✓ sent, tried once",
        "250 2.0.0 Ok: queued as 4F2",
        "2026-11-21 10:00:00 UTC",
    ] {
        desk.says(part);
    }
    desk.sees("o key");
    desk.strike("o").closed();
    assert_eq!(desk.state.shell.screen, ScreenId::Keys);
    assert_eq!(
        desk.keys().rows.filter.value(),
        format!(
            "status:active,planned,paused,suspended,refused,expired,abandoned,revoked id:{}",
            rows()[0].key
        )
    );
}

#[test]
fn the_key_of_a_reminder_is_one_key_away_and_back() {
    let mut desk = screen(80, 24);
    desk.press("o");
    assert_eq!(desk.state.shell.screen, ScreenId::Keys);
    let id = rows()[0].key;
    let effects = desk.with(|shell| shell.reminders(format!("key:{id}")));
    let filter = ReminderFilter { key: Some(id), ..ReminderFilter::default() };
    let wanted = Request::Reminders(ReminderRequest { filter, after: None, limit: 200 });
    asked(&effects, |request| *request == wanted);
    assert_eq!(desk.state.shell.screen, ScreenId::Reminders);
}

#[test]
fn sending_again_asks_first_and_no_is_the_default() {
    let mut desk = screen(80, 24);
    assert_eq!(desk.press("r"), [], "nothing is changed by the question");
    assert!(matches!(desk.preview().1, Request::RetryReminders { .. }));
    desk.says("Send the reminder about CI runner again?");
    assert_eq!(desk.press("enter"), [], "Enter presses the default");
    desk.closed();
    desk.press("r");
    assert_eq!(desk.hurry("y"), [], "a paste confirms nothing");
    let (id, request) = only_request(desk.press("y"));
    let Request::RetryReminders { reminders, .. } = request else { panic!("{request:?}") };
    assert_eq!(reminders, [rows()[0].id]);
    let retried = Retried { reminder: rows().swap_remove(0), again: true, why: None };
    let effects = desk.reply(id, Reply::RetryReminders(Ok(vec![retried])));
    assert_eq!(desk.toast(), "the next sweep sends it again; S starts one");
    asked(&effects, |request| *request == Request::Outbox);
}

#[test]
fn marked_reminders_are_sent_again_together_and_those_that_did_not_fail_stay() {
    let mut desk = screen(80, 24);
    assert_eq!(desk.press("space space space r"), []);
    let (id, _) = desk.preview();
    let gone =
        Retried { reminder: rows().swap_remove(0), again: false, why: Some("the key was revoked".into()) };
    desk.reply(id, Reply::RetryReminders(Ok(vec![gone])));
    desk.says("Send 2 reminders again?").says("An ambiguous letter may have arrived");
    desk.says("did not fail, and stay as they are").says("1 not: CI runner: the key was revoked");
    let (id, request) = only_request(desk.press("y"));
    let Request::RetryReminders { reminders, .. } = request else { panic!("{request:?}") };
    assert_eq!(reminders, [rows()[0].id, rows()[1].id]);
    let answer = |at: usize, why: Option<&str>| Retried {
        reminder: rows().swap_remove(at),
        again: why.is_none(),
        why: why.map(str::to_owned),
    };
    desk.reply(id, Reply::RetryReminders(Ok(vec![answer(0, None), answer(1, Some("the key was revoked"))])));
    assert_eq!(
        desk.toast(),
        "the next sweep sends it again; S starts one. 1 not: Production Server – Main App: the key was revoked"
    );
}

#[test]
fn what_was_sent_is_not_sent_again_and_a_viewer_only_looks() {
    let mut desk = screen(80, 24);
    desk.strike("down down r").closed();
    desk.told("only what failed, is ambiguous, was deferred or only written is sent again; this is sent");
    desk.role(Role::Viewer);
    desk.strike("g r").closed().told("viewers can't send reminders again");
}

#[test]
fn a_live_change_leaves_the_selection_with_its_reminder() {
    let mut desk = screen(80, 24);
    desk.press("down");
    let effects = desk.with(|shell| shell.changed(Subjects::REMINDERS));
    let id = asked(&effects, |request| matches!(request, Request::Reminders(_)));
    let mut moved = rows();
    moved.rotate_right(1);
    desk.reply(id, Reply::Reminders(Ok(moved)));
    desk.strike("r").says("Send the reminder about Production Server – Main App again?");
}

#[test]
fn reading_on_goes_after_the_last_row_and_repeats_none() {
    let many: Vec<Reminder> = (0..200).map(|n| reminder(&format!("Key {n}"), 30, 20, State::Sent)).collect();
    let last = many[199].id;
    let mut desk = screen_of(80, 24, many.clone(), Vec::new(), Outbox::default());
    let (id, request) = only_request(desk.press("G"));
    let next = ReminderRequest { filter: ReminderFilter::default(), after: Some(last), limit: 200 };
    assert_eq!(request, Request::Reminders(next));
    desk.reply(id, Reply::Reminders(Ok(vec![many[199].clone(), reminder("One more", 30, 20, State::Sent)])));
    assert_eq!(desk.on::<super::State>().rows.len(), 201);
}

#[test]
fn the_badge_in_the_header_tells_what_somebody_must_look_at_and_goes() {
    let mut desk = screen(80, 24);
    let first = |desk: &Desk| desk.screen().lines().next().unwrap_or_default().to_owned();
    assert!(first(&desk).contains("✕ 3 failed  ? 1 ambiguous  ada"), "{}", desk.screen());
    desk.state.shell.outbox = Some(Outbox { due: 3, ..Outbox::default() });
    assert!(!first(&desk).contains("failed"), "{}", desk.screen());
}

#[test]
fn pictures_at_three_sizes() {
    insta::assert_snapshot!("at_60_by_16", screen(60, 16).screen());
    insta::assert_snapshot!("at_80_by_24", screen(80, 24).screen());
    insta::assert_snapshot!("at_200_by_50", screen(200, 50).screen());
}
