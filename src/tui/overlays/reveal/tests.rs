use std::path::PathBuf;
use std::sync::Arc;

use chrono::Duration;

use crate::domain::expiry::Overlap;
use crate::domain::key::Key;
use crate::domain::secret::PlainKey;
use crate::service::{GateReceipt, GateState, Receipt, RevokeKeys, Revoked};
use crate::tui::effect::{CopyText, Effect, FailureKind, Reply, Request, RequestId};
use crate::tui::opening::Opening;
use crate::tui::testing::{Desk, asked, created, noon, only_request};
use crate::tui::words::{Copied, ExitReason};

fn reveal_of(issuer: &str) -> Desk {
    let mut desk = Desk::new();
    desk.open(Opening::Reveal { created: Box::new(created(issuer, "CI runner")), replaces: None });
    desk
}

fn secret(issuer: &str) -> PlainKey {
    created(issuer, "CI runner").secret
}

fn copied(desk: &mut Desk, reached: bool) -> RequestId {
    let (id, request) = only_request(desk.press("c"));
    assert_eq!(request, Request::Copy(CopyText::Secret(Arc::new(secret("voicegram")))));
    let words = if reached { "the secret was sent to your terminal" } else { "not copied: no clipboard" };
    desk.reply(id, Reply::Copy(Copied { reached, words: words.into() }));
    id
}

#[test]
fn vg_11_the_secret_is_shown_once_and_leaving_is_explained() {
    let mut desk = reveal_of("voicegram");
    desk.sees(secret("voicegram").expose()).says("the only time it is shown");
    desk.says("If you leave without copying it, revoke this token and create another one");
}

#[test]
fn vi_04_the_secret_is_gone_once_the_reveal_is_closed() {
    let mut desk = reveal_of("voiceinfra");
    let (id, _) = only_request(desk.press("d y"));
    desk.reply(id, Reply::Acknowledge(Ok(Box::new(created("voiceinfra", "CI runner").key))));
    desk.closed().sees_not(secret("voiceinfra").expose());
    assert!(!format!("{:?}", desk.state).contains(secret("voiceinfra").expose()));
}

#[test]
fn vg_05_a_reveal_without_scopes_says_fully_privileged() {
    assert!(reveal_of("voicegram").words().contains("fully privileged on its account"));
    assert!(!reveal_of("voxpria").words().contains("fully privileged"));
}

#[test]
fn the_secret_stands_alone_on_its_line() {
    let desk = reveal_of("voicegram");
    let secret = secret("voicegram");
    let screen = desk.screen();
    let line = screen.lines().find(|line| line.contains(secret.expose())).unwrap();
    assert_eq!(line.trim(), secret.expose());
}

#[test]
fn the_mouse_is_left_to_the_terminal_while_the_secret_is_shown() {
    let mut desk = Desk::new();
    desk.state.shell.mouse = true;
    let effects =
        desk.open(Opening::Reveal { created: Box::new(created("voicegram", "CI")), replaces: None });
    assert_eq!(effects[0], Effect::Mouse(false));
    let (id, _) = only_request(desk.press("d y"));
    let effects = desk.reply(id, Reply::Acknowledge(Ok(Box::new(created("voicegram", "CI").key))));
    assert!(effects.contains(&Effect::Mouse(true)), "{effects:#?}");
}

#[test]
fn va_06_the_words_say_what_happened_to_the_clipboard() {
    let mut desk = reveal_of("voicegram");
    copied(&mut desk, false);
    desk.says("not copied: no clipboard");
    copied(&mut desk, true);
    desk.says("the secret was sent to your terminal");
    let (id, Request::Acknowledge { key, .. }) = only_request(desk.press("d")) else { panic!("not asked") };
    assert_eq!(key, created("voicegram", "CI runner").key.id);
    desk.reply(id, Reply::Acknowledge(Ok(Box::new(created("voicegram", "CI runner").key))));
    desk.closed();
}

#[test]
fn vp_24_the_check_command_comes_without_the_secret() {
    let mut desk = reveal_of("voxpria");
    desk.says("curl -sS");
    let (_, request) = only_request(desk.press("k"));
    let Request::Copy(CopyText::Check(line)) = request else { panic!("{request:?}") };
    assert!(line.contains("curl") && !line.contains(secret("voxpria").expose()), "{line}");
}

#[test]
fn leaving_without_done_or_copy_asks_once() {
    let mut desk = reveal_of("voicegram");
    assert_eq!(desk.press("esc"), []);
    desk.says("Leave without the secret?");
    desk.press("n");
    assert!(desk.top().is_some() && !desk.words().contains("Leave without the secret?"));
    desk.strike("esc y").closed().told("expires at 2026-11-21 12:10:00 UTC");
}

/// The key as the database holds it once it was revoked.
fn revoked(issuer: &str) -> Vec<Revoked> {
    let key = created(issuer, "CI runner").key;
    vec![Revoked { key: Key { revoked_at: Some(noon()), ..key }, already: false }]
}

#[test]
fn a_discarded_key_is_revoked_and_its_receipt_shown() {
    let mut desk = reveal_of("voicegram");
    desk.strike("esc").says("x revoke it");
    assert_eq!(desk.press("x"), []);
    desk.says("Revoke this new token immediately?");
    let mut effects = desk.press("x x enter");
    effects.extend(desk.hurry("y"));
    let asks = |effect: &Effect| matches!(effect, Effect::Ask { .. });
    assert!(!effects.iter().any(asks), "neither twice nor Enter nor a paste: {effects:#?}");
    desk.sees(secret("voicegram").expose());
    let (id, request) = only_request(desk.press("x y"));
    let Request::Revoke { request: RevokeKeys { keys, reason, .. }, .. } = request else {
        panic!("{request:?}")
    };
    assert_eq!(keys, [created("voicegram", "CI runner").key.id]);
    assert_eq!(reason.as_deref(), Some("discarded at its reveal"));

    let effects = desk.reply(id, Reply::Revoke(Ok(revoked("voicegram"))));
    assert!(!format!("{:?}", desk.state).contains(secret("voicegram").expose()), "the secret is wiped");
    assert!(!desk.screen().contains("CI runner"), "nothing is shown before it is known whether gates run");
    let asked = asked(&effects, |request| matches!(request, Request::Receipt { .. }));
    let state = GateState::Confirmed { after_ms: 12 };
    let gate =
        GateReceipt { name: "gate-1".into(), host: "web-1".into(), listen: "127.0.0.1:80".into(), state };
    let receipt = Receipt { seq: 7, at: noon(), gates: vec![gate], weakness: None };
    desk.reply(asked, Reply::Receipt(Ok(receipt)));
    desk.says("✓ gate-1 confirmed after 12 ms").strike("enter").closed().told("CI runner revoked at");
}

#[test]
fn a_failed_revocation_keeps_the_secret_and_is_the_same_wish() {
    let mut desk = reveal_of("voxpria");
    let (id, first) = only_request(desk.press("x y"));
    desk.fail(id, Reply::Revoke, FailureKind::Unreachable, "the database can't be reached");
    desk.says("the database can't be reached").sees(secret("voxpria").expose());
    assert_eq!(only_request(desk.press("x y")).1, first);
}

#[test]
fn discarding_a_successor_says_that_the_old_key_goes_on() {
    let mut desk = Desk::new();
    let replaced = Some(("old main".into(), Overlap::None, None));
    desk.open(Opening::Reveal { created: Box::new(created("vozagent", "main")), replaces: replaced });
    desk.strike("x").says("Delete this new API key immediately?");
    desk.says("The key that it was to replace keeps working");
    desk.strike("n").sees(created("vozagent", "main").secret.expose());
}

#[test]
fn leaving_after_a_copy_keeps_the_key_and_asks_nothing() {
    let mut desk = reveal_of("voicegram");
    copied(&mut desk, true);
    let (_, request) = only_request(desk.press("esc"));
    assert!(matches!(request, Request::Acknowledge { .. }), "{request:?}");
}

#[test]
fn a_copy_that_failed_does_not_count() {
    let mut desk = reveal_of("voicegram");
    copied(&mut desk, false);
    assert_eq!(desk.press("esc"), []);
    desk.says("Leave without the secret?");
}

#[test]
fn ctrl_c_asks_once_and_the_second_one_ends_the_program() {
    let mut desk = reveal_of("voicegram");
    assert_eq!(desk.press("ctrl-c"), []);
    desk.says("Quit without the secret?");
    assert_eq!(desk.press("ctrl-c"), [Effect::Quit(ExitReason::Interrupted)]);
}

#[test]
fn the_secret_goes_to_a_file_of_a_chosen_path() {
    let mut desk = reveal_of("voicegram");
    desk.press("w ctrl-u \"/run/keys/ci.key\"");
    let (id, request) = only_request(desk.press("enter"));
    let secret = Arc::new(secret("voicegram"));
    assert_eq!(request, Request::WriteSecret { path: PathBuf::from("/run/keys/ci.key"), secret });
    desk.fail(id, Reply::WriteSecret, FailureKind::Other, "/run/keys/ci.key is there already");
    desk.says("is there already");
    let (id, _) = only_request(desk.press("w enter"));
    desk.reply(id, Reply::WriteSecret(Ok("/run/keys/ci.key".into())));
    desk.says("written to /run/keys/ci.key (mode 0600)");
}

#[test]
fn a_file_is_offered_under_the_name_of_the_key() {
    let mut desk = reveal_of("voicegram");
    desk.strike("w").says("ci-runner.key");
}

#[test]
fn hidden_means_that_nothing_of_the_secret_is_on_the_screen() {
    let mut desk = reveal_of("voicegram");
    desk.strike("h").sees_not(&secret("voicegram").expose()[7..20]);
    desk.strike("h").sees(secret("voicegram").expose());
}

#[test]
fn the_time_that_is_left_is_told_and_kept_up_to_date() {
    let mut desk = reveal_of("voicegram");
    desk.says("it expires in 10 min, at 2026-11-21 12:10:00 UTC");
    desk.wait(Duration::minutes(7));
    desk.says("it expires in 3 min");
    desk.wait(Duration::minutes(4));
    desk.says("unless it was used, it expired");
}

#[test]
fn keys_faster_than_a_person_types_close_nothing() {
    let mut desk = reveal_of("voicegram");
    assert_eq!(desk.hurry("d esc c w"), []);
    desk.sees(secret("voicegram").expose());
}

#[test]
fn a_failed_acknowledgement_keeps_the_secret_on_the_screen() {
    let mut desk = reveal_of("voicegram");
    let (id, first) = only_request(desk.press("d y"));
    desk.fail(id, Reply::Acknowledge, FailureKind::Unreachable, "the database can't be reached");
    desk.sees(secret("voicegram").expose()).says("the database can't be reached");
    assert_eq!(only_request(desk.press("d y")).1, first, "the same wish again");
}

#[test]
fn a_successor_says_what_becomes_of_the_key_it_replaces() {
    let mut desk = Desk::new();
    let new = created("voxpria", "main");
    let replaces = Some(("old main".into(), Overlap::Hours24, None));
    desk.open(Opening::Reveal { created: Box::new(new), replaces });
    desk.says("It replaces old main, which keeps working for 24h");
}

#[test]
fn state_and_effects_printed_show_no_secret() {
    let mut desk = reveal_of("voicegram");
    let effects = desk.press("c");
    let printed = format!("{:?} {effects:?}", desk.state);
    assert!(!printed.contains(&secret("voicegram").expose()[8..40]), "{printed}");
}

#[test]
fn the_reveal_at_80_by_24() {
    insta::assert_snapshot!(reveal_of("voicegram").screen());
}

#[test]
fn the_lowest_screen_shows_question_path_and_message() {
    let mut desk = Desk::sized(60, 16);
    desk.open(Opening::Reveal { created: Box::new(created("voicegram", "CI runner")), replaces: None });
    desk.strike("esc").says("y leave n stay").strike("n w").says("Write to new file ci-runner.key");
    desk.press("esc");
    copied(&mut desk, true);
    desk.says("the secret was sent to your terminal");
    let whole: String = desk.screen().split_whitespace().collect();
    assert!(whole.contains(secret("voicegram").expose()), "{}", desk.screen());
}

#[test]
fn done_without_a_copy_asks_as_leaving_does() {
    let mut desk = reveal_of("voicegram");
    assert_eq!(desk.press("d"), []);
    desk.says("It was neither copied nor written").says("y done, I have it n stay x revoke it");
    desk.press("n");
    copied(&mut desk, true);
    let (_, request) = only_request(desk.press("d y"));
    assert!(matches!(request, Request::Acknowledge { .. }), "{request:?}");
}
