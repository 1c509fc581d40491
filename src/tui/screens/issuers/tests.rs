use crate::domain::subjects::Subjects;
use crate::tui::effect::{Effect, Reply, Request};
use crate::tui::testing::{Desk, only_request};

fn screen() -> Desk {
    let mut desk = Desk::new();
    assert_eq!(only_request(desk.press("6")).1, Request::Issuers);
    desk
}

#[test]
fn a_policy_reads_as_sentences() {
    let mut desk = screen();
    let at = desk.state.shell.issuers.as_ref().unwrap().iter().position(|i| i.slug == "voicegram").unwrap();
    for _ in 0..at {
        desk.press("down");
    }
    desk.press("enter");
    for part in [
        "vg_pat_ and 64 hexadecimal digits",
        "20 active keys per account, 10 creations a minute per account",
        "30 and 7 days before the expiry",
        "a key is fully privileged on its account",
    ] {
        desk.says(part);
    }
}

#[test]
fn a_policy_says_where_to_replace_a_key_and_whom_to_ask() {
    let mut desk = screen();
    let issuers = desk.state.shell.issuers.as_mut().unwrap();
    issuers[0].policy.help.replace_url = Some("https://app.example.com/{account}".into());
    issuers[0].policy.help.contact = Some("keys@example.com".into());
    let issuers = issuers.clone();
    let mut desk = Desk::new();
    let (id, _) = only_request(desk.press("6"));
    desk.reply(id, Reply::Issuers(Ok(issuers)));
    desk.press("enter");
    desk.says("https://app.example.com/{account}").says("keys@example.com");
}

#[test]
fn kr_12_a_policy_tells_how_many_keys_violate_it_and_lists_them() {
    let mut desk = screen();
    let (id, request) = only_request(desk.press("enter"));
    let Request::Count(query) = request else { panic!("{request:?}") };
    assert!(query.to_string().contains("violates:policy issuer:"), "{query}");
    desk.reply(id, Reply::Count(Ok(crate::service::Count::Exactly(12))));
    assert!(desk.toast().starts_with("12 keys violate this policy: o lists them"), "{}", desk.toast());
    desk.strike("o").closed().says("violates:policy issuer:");
}

#[test]
fn kr_05_the_keys_of_the_issuer_at_hand_can_be_frozen() {
    let mut desk = screen();
    let slug = desk.state.shell.issuers.as_ref().unwrap()[0].slug.clone();
    desk.press("F");
    desk.says("Freeze keys?").says(&format!("issuer:{slug}"));
}

#[test]
fn presets_that_are_there_are_not_offered_again() {
    let mut desk = screen();
    desk.strike("n").closed().told("every preset is already added");
    desk.state.shell.issuers.as_mut().unwrap().retain(|issuer| issuer.slug != "vozagent");
    desk.strike("n").says("VozAgent");
}

#[test]
fn the_screen_at_80_by_24() {
    insta::assert_snapshot!(screen().screen());
}

#[test]
fn a_filter_narrows_the_list_and_esc_shows_all() {
    let mut desk = screen();
    assert_eq!(desk.press("/ \"vox\" enter"), [], "what is looked for is at hand");
    desk.says("VoxPria").says_not("Voicegram").strike("esc").says("Voicegram");
    desk.strike("/ \"nothing\"").says("No issuer matches the filter.");
}

#[test]
fn a_preset_that_the_filter_hides_has_the_cursor_all_the_same() {
    let mut desk = Desk::new();
    let all = desk.state.shell.issuers.clone().unwrap();
    desk.state.shell.issuers.as_mut().unwrap().retain(|issuer| issuer.slug != "vozagent");
    let there = desk.state.shell.issuers.clone().unwrap();
    let (id, _) = only_request(desk.press("6"));
    desk.reply(id, Reply::Issuers(Ok(there)));
    desk.press("/ \"vox\" enter n");
    let (id, request) = only_request(desk.press("enter"));
    assert!(matches!(request, Request::ApplyPolicy { .. }), "{request:?}");
    let new = all.iter().find(|issuer| issuer.slug == "vozagent").cloned().unwrap();
    for effect in desk.reply(id, Reply::ApplyPolicy(Ok(Box::new(new)))) {
        if let Effect::Ask { to, request: Request::Issuers } = effect {
            desk.reply(to, Reply::Issuers(Ok(all.clone())));
        }
    }
    let line = desk.selected_line();
    assert!(line.contains("vozagent") && line.contains("doesn't match the filter"), "{line}");
    let effects = desk.with(|shell| shell.changed(Subjects::ISSUERS));
    let list = |request: &Request| matches!(request, Request::Issuers);
    let again = effects.iter().rev().find_map(|effect| match effect {
        Effect::Ask { to, request } if list(request) => Some(*to),
        _ => None,
    });
    desk.reply(again.unwrap(), Reply::Issuers(Ok(all)));
    desk.selects("vozagent").strike("esc").says("voicegram");
}
