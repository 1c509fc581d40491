use chrono::Duration;

use crate::domain::operator::Role;
use crate::domain::reminder::{Door, Progress, State};
use crate::service::{Outbox, SweepNews, SweepOrder};
use crate::tui::effect::{Effect, Failure, FailureKind, Reply, Request, RequestId, To};
use crate::tui::message::Message;
use crate::tui::testing::reminders::{letter, preview, swept, tally};
use crate::tui::testing::{Desk, noon, only_requests};
use crate::tui::update::update;
use crate::tui::words::ExitReason;

/// Presses S: what would be sent is asked for, and where to.
fn ask(desk: &mut Desk) -> RequestId {
    let [(preview, first), (post, second)] = only_requests(desk.press("S"));
    assert_eq!([first, second], [Request::PreviewSweep(200), Request::Post]);
    assert_eq!(post.to, To::Shell);
    preview
}

fn read(mut desk: Desk, letters: u64) -> Desk {
    let id = ask(&mut desk);
    desk.reply(id, Reply::PreviewSweep(Ok(Box::new(preview(letters)))));
    desk
}

/// A sweep of 120 letters was confirmed and is planned.
fn running(width: u16, height: u16) -> (Desk, RequestId) {
    let mut desk = read(Desk::sized(width, height), 120);
    desk.press("enter");
    let effects = desk.press("y");
    let [Effect::Sweep { of, order }] = effects.as_slice() else { panic!("{effects:#?}") };
    assert_eq!((order.door, order.limit, of.to), (Door::Console, None, To::Shell));
    let id = *of;
    tell(&mut desk, id, SweepNews::Planned { letters: 120 });
    (desk, id)
}

fn tell(desk: &mut Desk, of: RequestId, news: SweepNews) {
    assert_eq!(update(&mut desk.state, Message::Sweep { of, news }), []);
}

/// Letters 1 to 34: the third failed, the fourth is ambiguous, the fifth is deferred.
fn under_way(width: u16, height: u16) -> (Desk, RequestId) {
    let (mut desk, id) = running(width, height);
    for n in 1..=34 {
        let state = match n {
            3 => State::Failed,
            4 => State::Ambiguous,
            5 => State::Pending,
            _ => State::Sent,
        };
        let one = |at| u64::from(n >= at);
        let fates = tally(n - one(3) - one(4) - one(5), one(3), one(5), one(4));
        tell(&mut desk, id, SweepNews::Letter(letter(n, state, fates)));
    }
    (desk, id)
}

#[test]
fn vg_15_one_reads_first_what_would_go_to_whom() {
    let mut desk = read(Desk::sized(120, 40), 12);
    desk.says("12 letters about 24 keys. Mail goes to smtp.example.com:587 (STARTTLS).");
    desk.says("admin1@example.com tried before ┃ ends in 5d Production Server – Main App acme vx_••••••••a1B2 used 3h ago");
    desk.says("ends in 21d CI runner acme vx_••••••••a1B2 never used");
    desk.says("Enter asks whether to send. Nothing is sent before that.");
}

#[test]
fn the_day_on_which_a_key_ends_is_not_cut() {
    let mut desk = read(Desk::new(), 12);
    desk.state.shell.relative_times = false;
    desk.says("ends 2026-11-").says_not("ends 2026-1…");
}

#[test]
fn sending_takes_two_different_gestures_and_no_is_the_default() {
    let mut desk = read(Desk::new(), 12);
    assert_eq!(desk.press("S S y"), [], "neither the same key again nor a yes without a question");
    assert_eq!(desk.press("enter"), []);
    desk.says("Send 12 letters now? [ No ] Send (y)");
    assert_eq!(desk.press("enter"), [], "Enter presses the default");
    desk.says("Nothing is sent before");
    desk.press("enter");
    assert_eq!(desk.hurry("y right enter"), [], "a paste sends nothing");
    assert_eq!(desk.paste("y\n"), []);
}

#[test]
fn a_yes_starts_one_sweep_and_nothing_else() {
    let mut desk = read(Desk::new(), 12);
    desk.press("enter");
    let effects = desk.press("y");
    let Some(Effect::Sweep { of, order }) = effects.first() else { panic!("{effects:#?}") };
    let order = SweepOrder { operation: order.operation, door: Door::Console, limit: None };
    assert_eq!(effects, [Effect::Sweep { of: RequestId { to: To::Shell, number: of.number }, order }]);
    assert_eq!(desk.press("y enter"), [], "one sweep at a time");
    desk.says("filling the outbox");
}

#[test]
fn when_nothing_is_due_it_says_so_and_when_the_next_is() {
    let mut desk = Desk::new();
    desk.state.shell.outbox = Some(Outbox {
        next_due_at: Some(noon() + Duration::days(3)),
        failed: 2,
        deferred: 1,
        ..Outbox::default()
    });
    let mut desk = read(desk, 0);
    desk.says("Nothing is due. The next reminder falls due in 3d, 2026-11-24 12:00:00 UTC.");
    desk.says("1 reminder is deferred after a temporary error");
    desk.says("2 reminders are failed or ambiguous: Reminders (3) tells why");
    assert_eq!(desk.press("enter"), []);
    assert!(desk.top().is_none(), "Enter closes");
}

#[test]
fn a_viewer_reads_what_is_due_and_can_not_send_it() {
    let mut desk = Desk::new();
    desk.role(Role::Viewer);
    let mut desk = read(desk, 12);
    desk.says("viewers can't send reminders: ask an admin for the role operator").sees_not("Enter send");
    assert_eq!(desk.press("enter y"), []);
}

#[test]
fn what_can_not_be_read_says_why() {
    let mut desk = Desk::new();
    let id = ask(&mut desk);
    desk.fail(id, Reply::PreviewSweep, FailureKind::Unreachable, "the database can't be reached: gone");
    desk.says("the database can't be reached: gone");
}

#[test]
fn with_nowhere_to_send_to_one_reads_why_and_can_not_send() {
    let mut desk = Desk::new();
    let text =
        "there is nowhere to send reminders to. Name a mail server or a directory in the settings".into();
    desk.state.shell.post = Some(Err(Failure { kind: FailureKind::Rule, text }));
    let mut desk = read(desk, 12);
    desk.says("Name a mail server or a directory").sees_not("Enter send");
    assert_eq!(desk.press("enter y"), []);
}

#[test]
fn an_old_preview_is_read_anew_before_one_is_asked() {
    let mut desk = read(Desk::new(), 12);
    desk.wait(Duration::minutes(6));
    let effects = desk.press("enter");
    assert!(
        matches!(effects.first(), Some(Effect::Ask { request: Request::PreviewSweep(_), .. })),
        "{effects:#?}"
    );
    desk.told("6m ago and is being read again");
}

#[test]
fn many_letters_scroll_and_those_not_read_are_counted() {
    let mut desk = read(Desk::new(), 250);
    desk.says_not("and 50 letters more").strike("G").says("and 50 letters more");
    desk.strike("g").says("admin1@example.com");
}

#[test]
fn progress_is_seen_letter_by_letter_with_the_servers_words() {
    let (mut desk, _) = under_way(100, 30);
    desk.says("34 of 120 letters").says("✓ 31 sent ✕ 1 failed ○ 1 deferred ? 1 ambiguous");
    desk.says("✓ sent admin34@example.com 2 keys 250 2.0.0 Ok: queued as 4F1");
    assert!(desk.screen().contains("→ sweep 34/120"), "the header tells it too:\n{}", desk.screen());
}

#[test]
fn news_of_another_sweep_is_dropped() {
    let (mut desk, id) = under_way(100, 30);
    let stale = RequestId { number: id.number - 1, ..id };
    tell(&mut desk, stale, SweepNews::Planned { letters: 7 });
    desk.says("34 of 120 letters");
}

#[test]
fn escape_leaves_it_running_and_the_same_key_shows_it_again() {
    let (mut desk, id) = under_way(80, 24);
    assert_eq!(desk.press("esc"), []);
    desk.closed().sees("→ sweep 34/120");
    tell(&mut desk, id, SweepNews::Letter(letter(35, State::Sent, tally(32, 1, 1, 1))));
    desk.sees("→ sweep 35/120");
    assert_eq!(desk.press("S"), [], "no second sweep, no preview");
    desk.says("35 of 120 letters");
}

#[test]
fn stopping_is_asked_for_once_and_said() {
    let (mut desk, _) = under_way(80, 24);
    assert_eq!(desk.press("s"), [Effect::StopSweep]);
    assert_eq!(desk.press("s"), []);
    desk.says("it stops after the letter under way");
}

#[test]
fn at_the_end_the_failures_stand_there_with_what_to_do() {
    let (mut desk, id) = under_way(100, 30);
    let done = swept(0, Progress::Ended, tally(117, 1, 1, 1));
    let effects = desk.reply(id, Reply::Sweep(Ok(Box::new(done))));
    let asks = |wanted: &Request| {
        effects.iter().any(|e| matches!(e, Effect::Ask { request, .. } if request == wanted))
    };
    assert!(asks(&Request::Outbox), "the badge is read anew: {effects:#?}");
    let said = "117 letters sent, 1 failed, 1 deferred and tried again later, 1 ambiguous";
    assert_eq!(desk.toast(), format!("{said}. Reminders (3) tells why"));
    desk.state.shell.toast = None;
    let words = desk.words();
    assert!(words.contains("The sweep has ended"), "{words}");
    assert!(words.contains("✕ failed admin3@example.com 2 keys 550 5.1.1 no such user here"), "{words}");
    assert!(words.contains("? ambiguous admin4@example.com"), "{words}");
    assert!(!words.contains("admin34@"), "what went well is not in the way:\n{}", desk.screen());
    assert!(words.contains("then r on Reminders (3) sends those again"), "{words}");
    desk.sees_not("→ sweep");
    assert_eq!(desk.press("enter"), []);
    assert!(desk.top().is_none(), "Enter closes the summary");
}

#[test]
fn a_sweep_that_stopped_early_says_why() {
    let (mut desk, id) = under_way(100, 30);
    desk.reply(id, Reply::Sweep(Ok(Box::new(swept(0, Progress::Stopped, tally(31, 0, 3, 0))))));
    let why =
        "the sweep stopped early: smtp.example.com:587 can't be reached: connection refused; 31 letters sent";
    assert!(desk.toast().starts_with(why), "{}", desk.toast());
}

#[test]
fn a_sweep_that_could_not_start_says_why() {
    let (mut desk, id) = running(80, 24);
    desk.fail(id, Reply::Sweep, FailureKind::NotPermitted, "viewers can't sweep");
    assert_eq!(desk.toast(), "viewers can't sweep");
    assert!(!desk.state.shell.sweeps());
}

#[test]
fn leaving_during_a_sweep_asks_and_waits_for_the_letter() {
    let (mut desk, id) = under_way(80, 24);
    assert_eq!(desk.press("esc q"), []);
    desk.says("A sweep is running: 34/120 letters.");
    assert_eq!(desk.press("enter"), [], "No is the default");
    desk.closed();
    assert_eq!(desk.press("q y"), [Effect::StopSweep]);
    desk.says("It stops after the letter under way; then Keyrack quits");
    let effects = desk.reply(id, Reply::Sweep(Ok(Box::new(swept(0, Progress::Stopped, tally(32, 0, 0, 0))))));
    assert!(effects.contains(&Effect::Quit(ExitReason::Quit)), "{effects:#?}");
}

#[test]
fn ctrl_c_asks_then_stops_then_leaves_at_once() {
    let (mut desk, _) = under_way(80, 24);
    assert_eq!(desk.press("ctrl-c"), []);
    assert_eq!(desk.press("ctrl-c"), [Effect::StopSweep]);
    assert_eq!(desk.press("ctrl-c"), [Effect::Quit(ExitReason::Interrupted)]);
}

#[test]
fn without_a_sweep_one_leaves_as_ever() {
    assert_eq!(Desk::new().press("q"), [Effect::Quit(ExitReason::Quit)]);
    assert_eq!(Desk::new().press("ctrl-c"), [Effect::Quit(ExitReason::Interrupted)]);
}

#[test]
fn the_process_is_not_put_to_sleep_in_the_middle_of_a_letter() {
    let (mut desk, _) = under_way(80, 24);
    assert!(!desk.press("ctrl-z").contains(&Effect::Suspend { job: true }));
    desk.told("stop it first");
    assert_eq!(Desk::new().press("ctrl-z"), [Effect::Suspend { job: true }]);
}

#[test]
fn in_ascii_the_bar_has_only_ascii() {
    let (mut desk, _) = under_way(80, 24);
    desk.state.shell.ascii = true;
    let screen = desk.screen();
    assert!(screen.is_ascii(), "{screen}");
    assert!(screen.contains("###") && screen.contains("---"), "{screen}");
}

#[test]
fn pictures() {
    insta::assert_snapshot!("what_would_be_sent_at_80_by_24", read(Desk::new(), 12).screen());
    let mut asked = read(Desk::sized(120, 40), 4);
    asked.press("enter");
    insta::assert_snapshot!("the_question_at_120_by_40", asked.screen());
    insta::assert_snapshot!("under_way_at_80_by_24", under_way(80, 24).0.screen());
}
