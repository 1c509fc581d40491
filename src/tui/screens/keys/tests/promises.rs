//! What REQUIREMENTS.md promises of the list.

use crate::config::theme::Role as Look;
use crate::domain::issuer::Issuer;
use crate::domain::key::Key;
use crate::domain::operator::Role;
use crate::tui::effect::{CopyText, Request};
use crate::tui::message::Message;
use crate::tui::testing::{Desk, keys, noon, numbered};

/// A console this wide before keys of this issuer.
fn of_issuer(issuer: &str, width: u16, keys: Vec<Key>) -> Desk {
    let mut desk = Desk::opening(width, 24, keys);
    desk.database.issuers = vec![Issuer::example(issuer)];
    desk.settle();
    desk
}

#[test]
fn va_03_an_empty_list_says_how_to_create_the_first_key() {
    of_issuer("vozagent", 80, vec![]).sees("No API Keys Yet").sees("n  Create API Key");
}

#[test]
fn va_04_the_action_is_named_for_the_first_key_and_for_more() {
    of_issuer("vozagent", 100, vec![]).sees("Create API Key").sees_not("Create New API Key");
    of_issuer("vozagent", 100, keys(3)).sees("Create New API Key");
}

#[test]
fn vg_08_the_action_is_called_new_token_under_voicegram() {
    of_issuer("voicegram", 100, keys(3)).sees("New token");
}

#[test]
fn va_07_the_list_shows_name_description_preview_and_creation() {
    let mut desk = Desk::ready(120, 40, keys(3));
    desk.play("j");
    let line = desk.selected_line();
    for part in ["Key 1", "vx_••••••••0001", "2h ago"] {
        assert!(line.contains(part), "{part:?} is not in {line:?}");
    }
    desk.sees("What key 1 is for");
}

#[test]
fn va_07_a_narrow_list_keeps_prefix_and_last_four() {
    let mut key = numbered(0);
    key.preview = "vg_pat_••••••••9f3a".into();
    let mut desk = Desk::ready(80, 24, vec![key]);
    desk.sees("vg_pat_•••9f3a");
}

#[test]
fn va_08_copying_from_the_list_copies_the_masked_preview_only() {
    let mut desk = Desk::ready(80, 24, keys(3));
    desk.play("j y");
    let asked: Vec<_> = desk.asked.iter().map(|(_, request)| request).collect();
    assert_eq!(asked, [&Request::Copy(CopyText::Preview("vx_••••••••0001".into()))]);
}

#[test]
fn vp_25_the_list_shows_all_active_keys() {
    let mut desk = Desk::ready(120, 40, keys(700));
    desk.sees("700 API keys");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..700 {
        let line = desk.selected_line();
        let name =
            line.split("Key ").nth(1).and_then(|rest| rest.split_whitespace().next()).map(str::to_owned);
        seen.insert(name);
        desk.play("j");
    }
    assert_eq!(seen.len(), 700);
}

#[test]
fn vp_06_a_key_past_its_rotation_period_is_shown_as_due() {
    let mut key = numbered(0);
    key.rotation_due_at = Some(noon() - chrono::Duration::days(1));
    let mut desk = Desk::ready(80, 24, vec![key]);
    desk.sees("! due");
    let warning = desk.state.shell.styles.of(Look::Warning);
    assert_eq!(desk.style_of("! due").fg, warning.fg);
}

#[test]
fn vp_27_a_key_that_nobody_took_over_is_flagged() {
    let mut key = numbered(0);
    key.acknowledged_at = None;
    key.last_used_at = None;
    let mut desk = Desk::ready(80, 24, vec![key]);
    desk.sees("No live key").play("right").sees("◌ abandoned");
}

#[test]
fn vg_04_a_viewer_is_offered_no_change() {
    let mut desk = Desk::opening(100, 24, keys(3));
    desk.database.role = Some(Role::Viewer);
    desk.settle();
    desk.sees("viewer, read-only").sees_not("revoke").sees_not("Create New").play("d");
    desk.sees("operator").sees("warning");
}

#[test]
fn va_14_the_filter_trims_what_was_pasted() {
    let mut desk = Desk::ready(80, 24, keys(30));
    desk.play("/");
    let effects = desk.paste("  Key 17\n");
    desk.keep(effects).settle().sees("/ Key 17").selects("Key 17");
}

#[test]
fn a_new_database_offers_an_issuer_to_an_admin() {
    let mut desk = Desk::opening(80, 24, vec![]);
    desk.database.issuers.clear();
    desk.database.role = Some(Role::Operator);
    desk.settle().sees("Welcome to Keyrack").sees("An admin has to set up an issuer first");
}

#[test]
fn a_small_terminal_says_what_it_needs() {
    let mut desk = Desk::ready(59, 16, keys(3));
    desk.sees("Needed:  60 x 16").sees("Now:     59 x 16");
    let mut desk = Desk::ready(60, 16, keys(3));
    desk.sees("Key 0");
}

#[test]
fn a_lost_database_leaves_the_rows_and_says_since_when() {
    let mut desk = Desk::ready(120, 24, keys(3));
    desk.send(Message::Live(crate::service::LiveEvent::Lost("no route".into())));
    desk.sees("database gone, data of 12:00:00").sees("Key 2");
    desk.database.keys.remove(0);
    desk.send(Message::Live(crate::service::LiveEvent::Back));
    desk.settle();
    desk.sees("● live").sees("doesn't fit this list").play("j").sees_not("Key 0");
}

#[test]
fn a_long_message_is_shown_uncut() {
    let mut desk = Desk::ready(80, 24, keys(30));
    let text = "account acme has 20 active keys and its limit is 20. Revoke one first, or ask whoever runs this issuer to raise the limit at lastword";
    desk.state.shell.toast(crate::tui::words::Severity::Warning, text);
    desk.sees("! warning: account acme has 20 active").sees("lastword");
}

#[test]
fn vp_27_an_unclaimed_key_is_marked_and_says_when_it_dies() {
    let mut fresh = numbered(0);
    fresh.created_at = noon() - chrono::Duration::minutes(3);
    fresh.acknowledged_at = None;
    fresh.last_used_at = None;
    let mut used = numbered(1);
    used.acknowledged_at = None;
    used.last_used_at = Some(noon());
    let mut desk = Desk::ready(80, 24, vec![fresh, used, numbered(2)]);
    let line = desk.selected_line();
    assert!(line.contains("◍ unclaimed") && line.contains("in 7m"), "{line:?}");
    assert_eq!(desk.style_of("◍"), desk.style_of("in 7m"), "the warning's colour");
    assert_eq!(desk.screen().matches("● active").count(), 2, "a key in use is taken over");
    desk.play("enter").sees("Status        ◍ unclaimed").sees("Confirm by    2026-11-21 12:07:00 UTC");
}
