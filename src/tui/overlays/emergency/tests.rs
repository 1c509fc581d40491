use crate::domain::key::Key;
use crate::domain::leak::{Leak, Place};
use crate::domain::operator::Role;
use crate::domain::secret::SentKey;
use crate::domain::subjects::Subjects;
use crate::domain::usage::Counts;
use crate::service::{Clue, Count, LeakFinding, LeakSweep, RevokeKeys, Revoked, Search};
use crate::tui::effect::{Effect, FailureKind, Reply, Request, RequestId};
use crate::tui::testing::{Desk, asks_nothing, created, key, noon, only_request, search_found};

mod paused;

fn leaked() -> (Key, String) {
    let made = created("voicegram", "CI runner");
    (made.key, made.secret.expose().to_owned())
}

/// `x`, the paste, and the answer that one key fits.
fn found(desk: &mut Desk) -> Key {
    let (key, secret) = leaked();
    assert_eq!(desk.press("x"), []);
    let (id, request) = only_request(desk.paste(&secret));
    assert_eq!(request, Request::Find(SentKey::exact(secret.as_bytes())));
    assert_eq!(desk.reply(id, Reply::Find(Ok(search_found(vec![key.clone()])))), []);
    key
}

fn sent(desk: &mut Desk) -> (RequestId, Request) {
    only_request(desk.press("y"))
}

#[test]
fn four_gestures_end_an_exposed_key_start_x_paste_y() {
    let mut desk = Desk::new(); // the first gesture: `keyrack`
    let key = found(&mut desk); // the second and the third: `x` and the paste
    let (id, request) = sent(&mut desk); // the fourth: `y`
    let Request::Revoke { request: RevokeKeys { keys, reason, .. }, .. } = request else {
        panic!("{request:?}")
    };
    assert_eq!((keys, reason.as_deref()), (vec![key.id], Some("exposed")));
    let dead = Revoked { key: Key { revoked_at: Some(noon()), ..key }, already: false };
    assert!(!desk.words().contains("Revoked at"), "nothing is claimed before the read-back");
    desk.reply(id, Reply::Revoke(Ok(vec![dead])));
    desk.says("Revoked at 2026-11-21 12:00:00 UTC, read back");
}

#[test]
fn it_shows_whose_key_it_is_and_never_the_secret() {
    let mut desk = Desk::new();
    let key = found(&mut desk);
    desk.says("CI runner").says("acme (voicegram)").says(&key.id.to_string()).says("Last used never");
    let (_, secret) = leaked();
    assert!(!desk.screen().contains(&secret) && !format!("{:?}", desk.state).contains(&secret));
}

#[test]
fn what_is_typed_is_masked() {
    let mut desk = Desk::new();
    desk.strike("x \"a1B2\"").sees("› ••••").sees_not("a1B2");
    let (_, request) = only_request(desk.press("enter"));
    assert_eq!(request, Request::Find(SentKey::exact(b"a1B2")));
}

#[test]
fn va_14_a_key_is_found_by_its_id_its_last_four_its_name_and_its_secret_with_spaces_round_it() {
    let (key, secret) = leaked();
    for pasted in [
        key.id.to_string(),
        "ee36".into(),
        "CI runner".into(),
        key.preview.as_str().to_owned(),
        format!("  {secret}\n"),
    ] {
        let mut desk = Desk::new();
        desk.press("x");
        assert_eq!(only_request(desk.paste(&pasted)).1, Request::Find(SentKey::exact(pasted.as_bytes())));
    }
}

#[test]
fn a_paste_with_a_yes_in_it_revokes_nothing() {
    let mut desk = Desk::new();
    found(&mut desk);
    assert_eq!(desk.paste("y"), []);
    assert_eq!(desk.hurry("y y enter y"), []);
}

#[test]
fn a_paste_without_brackets_is_searched_whole_once_nothing_more_comes() {
    let mut desk = Desk::new();
    let (_, secret) = leaked();
    desk.press("x");
    let mut paste = |line: &str| desk.hurry(&format!("\"{line}\" enter"));
    let [first, _, last] = ["first", &secret, "last"].map(&mut paste);
    let (_, request) = only_request(desk.rest(last));
    assert_eq!(request, Request::Find(SentKey::exact(format!("first\n{secret}\nlast\n").as_bytes())));
    asks_nothing(&desk.rest(first));
}

#[test]
fn what_the_line_cannot_hold_is_not_searched_in_part() {
    let mut desk = Desk::new();
    desk.press("x");
    for _ in 0..70 {
        desk.hurry(&format!("\"{}\"", "a".repeat(1000)));
    }
    asks_nothing(&desk.press("enter"));
    desk.says("a key may be missing").says("› ");
}

#[test]
fn of_several_keys_the_chosen_one_is_revoked() {
    let mut desk = Desk::new();
    let (one, other) = (key("voxpria", "one"), key("voxpria", "other"));
    desk.press("x");
    let (id, _) = only_request(desk.paste("a1B2"));
    desk.reply(id, Reply::Find(Ok(search_found(vec![one, other.clone()]))));
    desk.says("2 keys fit");
    desk.press("down");
    let Request::Revoke { request: RevokeKeys { keys, .. }, .. } = sent(&mut desk).1 else { panic!() };
    assert_eq!(keys, [other.id]);
}

#[test]
fn of_many_keys_the_chosen_one_is_still_described_in_full() {
    let mut desk = Desk::new();
    let keys: Vec<Key> = (0..20).map(|number| key("voxpria", &format!("robot {number}"))).collect();
    let last = keys[19].id.to_string();
    desk.press("x");
    let (id, _) = only_request(desk.paste("robot"));
    desk.reply(id, Reply::Find(Ok(search_found(keys))));
    for _ in 0..19 {
        desk.press("down");
    }
    desk.says(&last).says("y revoke it now");
}

#[test]
fn no_looks_for_another_and_nothing_found_says_what_to_try() {
    let mut desk = Desk::new();
    found(&mut desk);
    assert_eq!(desk.press("n"), []);
    let (id, _) = only_request(desk.paste("zzzz"));
    desk.reply(id, Reply::Find(Ok(Search::default())));
    desk.says("No key in this database matches. Paste the whole key");
    desk.strike("esc").closed();
}

#[test]
fn a_dead_key_is_said_to_be_dead_and_not_revoked_again() {
    let mut desk = Desk::new();
    let (key, secret) = leaked();
    desk.press("x");
    let (id, _) = only_request(desk.paste(&secret));
    desk.reply(id, Reply::Find(Ok(search_found(vec![Key { revoked_at: Some(noon()), ..key }]))));
    desk.says("It was revoked at 2026-11-21 12:00:00 UTC");
    assert_eq!(desk.press("y"), []);
}

#[test]
fn a_viewer_finds_but_may_not_revoke() {
    let mut desk = Desk::new();
    desk.role(Role::Viewer);
    found(&mut desk);
    desk.says("Your role can't revoke keys");
    let effects = desk.press("y");
    asks_nothing(&effects);
}

#[test]
fn a_revocation_that_failed_can_be_tried_again_as_the_same_wish() {
    let mut desk = Desk::new();
    found(&mut desk);
    let (id, first) = sent(&mut desk);
    desk.fail(id, Reply::Revoke, FailureKind::Unreachable, "the database can't be reached");
    desk.says("the database can't be reached");
    assert_eq!(sent(&mut desk).1, first);
}

#[test]
fn the_found_key_at_80_by_24() {
    let mut desk = Desk::new();
    found(&mut desk);
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn the_way_to_an_exposed_key_is_open_from_a_page_that_one_reads_too() {
    let mut desk = Desk::new();
    desk.strike("?").says("Help · Keys");
    desk.strike("x").says("Paste the exposed key");
    desk.press("esc");
    assert!(desk.words().contains("Help · Keys"), "back where one was: {}", desk.screen());
    desk.press("/ x");
    assert!(!desk.words().contains("Paste the exposed key"), "a letter of the search: {}", desk.screen());
}

#[test]
fn another_key_after_a_revocation_without_an_answer_is_revoked_by_itself() {
    let mut desk = Desk::new();
    found(&mut desk);
    let (id, first) = sent(&mut desk);
    desk.fail(id, Reply::Revoke, FailureKind::Unreachable, "the database can't be reached");
    desk.strike("n").says("may have been carried out");
    let other = key("voxpria", "other");
    let (id, _) = only_request(desk.paste("a1B2"));
    desk.reply(id, Reply::Find(Ok(search_found(vec![other.clone()]))));
    let (_, second) = sent(&mut desk);
    let (
        Request::Revoke { operation, .. },
        Request::Revoke { operation: own, request: RevokeKeys { keys, .. } },
    ) = (first, second)
    else {
        panic!("no revocation")
    };
    assert_eq!(keys, [other.id]);
    assert_ne!(operation, own);
}

#[test]
fn of_several_secrets_in_a_paste_none_is_lost() {
    let mut desk = Desk::new();
    let (one, other) = (key("voxpria", "one"), key("voxpria", "other"));
    let ids = [one.id, other.id];
    desk.press("x");
    let (id, _) = only_request(desk.paste("a scanner's report"));
    let clue = Clue { line: 3, column: 7, words: "a secret that is cut off".into(), ours: true };
    let search = Search { certain: true, clues: vec![clue], ..search_found(vec![one, other]) };
    desk.reply(id, Reply::Find(Ok(search)));
    let words = desk.words();
    assert!(words.contains("2 exposed keys") && words.contains("revoke all 2 now"), "{words}");
    assert!(words.contains("Line 3, column 7: a secret that is cut off"), "{words}");
    let Request::Revoke { request: RevokeKeys { keys, .. }, .. } = sent(&mut desk).1 else { panic!() };
    assert_eq!(keys, ids);
}

#[test]
fn it_says_of_how_many_the_first_are_shown_and_where_an_unknown_secret_was_looked_for() {
    let mut desk = Desk::new();
    desk.press("x");
    let (id, _) = only_request(desk.paste("robot"));
    let keys: Vec<Key> = (0..20).map(|number| key("voxpria", &format!("robot {number}"))).collect();
    let search = Search { fit: Some(Count::Exactly(57)), ..search_found(keys.clone()) };
    desk.reply(id, Reply::Find(Ok(search)));
    desk.says("20 of 57 keys fit").press("n");
    let (id, _) = only_request(desk.paste("robot"));
    let search = Search { fit: Some(Count::AtLeast(10_000)), ..search_found(keys) };
    desk.reply(id, Reply::Find(Ok(search)));
    desk.says("20 of 10000 or more keys fit").press("n");
    let (id, _) = only_request(desk.paste("a secret of elsewhere"));
    let words = "a VozAgent API key by its format, not in this database (keys.db)";
    let clue = Clue { line: 1, column: 1, words: words.into(), ours: true };
    desk.reply(id, Reply::Find(Ok(Search { clues: vec![clue], ..Search::default() })));
    desk.says("A VozAgent API key by its format, not in this database (keys.db).");
}

#[test]
fn what_would_be_refused_is_said_with_the_key_and_its_yes_waits_for_nothing() {
    let mut desk = Desk::new();
    let found = found(&mut desk);
    let (id, request) = desk.preview();
    assert!(
        matches!(request, Request::Revoke { request: RevokeKeys { keys, .. }, .. } if keys == [found.id])
    );
    desk.fail(id, Reply::Revoke, FailureKind::NotPermitted, "ada can't revoke keys any more");
    desk.says("ada can't revoke keys any more");
    desk.press("n");
    desk.says_not("can't revoke");
}

/// The secret's characters behind its prefix, as far as any request or the picture has them.
fn leaks(desk: &Desk, effects: &[Effect], secret: &str) -> bool {
    let all = format!("{effects:?} {:?} {}", desk.state, desk.screen());
    all.contains(&secret[..12])
}

#[test]
fn a_secret_put_into_a_filter_is_neither_looked_for_nor_shown_but_asked_about() {
    let (_, secret) = leaked();
    for (hurried, screen) in [(false, "1"), (true, "1"), (true, "5"), (false, "4"), (true, "7")] {
        let mut desk = Desk::new();
        desk.press(screen);
        desk.press("/");
        let effects =
            if hurried { desk.hurry(&format!("\"{secret}\"")) } else { desk.paste(&format!("x {secret}")) };
        assert!(!leaks(&desk, &effects, &secret), "{screen}: {effects:?}");
        desk.says("That text contains a secret");
        let (id, request) = only_request(desk.press("enter"));
        let given = if hurried { secret.clone() } else { format!("x {secret}") };
        assert_eq!(request, Request::Find(SentKey::exact(given.as_bytes())));
        desk.reply(id, Reply::Find(Ok(search_found(vec![leaked().0]))));
        desk.says("Exposed key: CI runner");
        assert!(!leaks(&desk, &[], &secret));
    }
}

#[test]
fn a_secret_pasted_over_a_table_or_into_a_choice_is_asked_about_too_and_esc_forgets_it() {
    let (_, secret) = leaked();
    let mut desk = Desk::new();
    desk.paste(&secret);
    desk.says("That text contains a secret");
    desk.strike("esc").closed();
    desk.press("n");
    let effects = desk.paste(&secret);
    asks_nothing(&effects);
    desk.says("That text contains a secret");
    assert!(!leaks(&desk, &effects, &secret));
}

#[test]
fn a_card_hears_that_its_key_is_revoked_elsewhere() {
    let mut desk = Desk::new();
    let key = found(&mut desk);
    let dead = |already| Revoked {
        key: Key { revoked_at: Some(noon()), revoked_by: Some("grace".into()), ..leaked().0 },
        already,
    };
    let (id, _) = desk.tried.pop().unwrap();
    desk.reply(id, Reply::Revoke(Ok(vec![dead(false)])));
    desk.says("CI runner").says_not("It was revoked").live(Subjects::KEYS);
    let (id, _) = desk.tried.pop().expect("it is asked again");
    desk.reply(id, Reply::Revoke(Ok(vec![dead(true)])));
    desk.says("It was revoked by grace meanwhile").says("it no longer works");
    assert_eq!(desk.press("y"), [], "nothing is left to revoke of {}", key.name);
}

#[test]
fn on_the_smallest_screen_the_names_of_the_keys_are_always_seen() {
    let mut desk = Desk::sized(60, 16);
    found(&mut desk);
    desk.sees("CI runner");
    let mut desk = Desk::sized(60, 16);
    desk.press("x");
    let (id, _) = only_request(desk.paste("runner"));
    let keys = ["first runner", "second runner", "third runner"].map(|name| key("voicegram", name));
    desk.reply(id, Reply::Find(Ok(search_found(keys.to_vec()))));
    desk.sees("› ").sees("first runner").strike("down down").sees("third runner");
    desk.says("revoke it now");
}

/// Several keys that were found, each in a line of its own.
fn swept(keys: &[Key]) -> Search {
    let search = search_found(keys.to_vec());
    let finding = |(line, found): (usize, &crate::service::Found)| LeakFinding {
        place: Place { source: "-".into(), line: Some(line + 1), ..Place::default() },
        leak: Leak::Ours,
        key: Some(std::sync::Arc::new(found.clone())),
        seen: Counts { allowed: 1204, ..Counts::default() },
        issuer: None,
        provider: None,
        words: "".into(),
        candidates: Vec::new(),
    };
    let findings = search.found.iter().enumerate().map(finding).collect();
    Search { certain: true, sweep: Some(LeakSweep { findings, ..LeakSweep::default() }), ..search }
}

#[test]
fn of_many_findings_what_works_is_ticked_and_one_yes_ends_what_stayed_so() {
    let mut desk = Desk::new();
    let keys = [key("voxpria", "one"), key("voxpria", "two"), key("voxpria", "three")];
    let dead = Key { revoked_at: Some(noon()), ..key("voxpria", "dead") };
    let all: Vec<Key> = keys.iter().cloned().chain([dead]).collect();
    desk.press("x");
    let (id, _) = only_request(desk.paste("a log"));
    desk.reply(id, Reply::Find(Ok(swept(&all))));
    desk.says("4 exposed keys").says("3 work · 1 don't work").says("revoke all 3 ticked").says("1,204");
    insta::assert_snapshot!(desk.screen());
    // What is over can't be ticked, and what was ticked can be left out.
    desk.press("down space");
    desk.says("revoke all 2 ticked").press("down down space");
    desk.says("revoke all 2 ticked").press("e end - 7 enter I N C enter");
    desk.says("exposed-7");
    let Request::Revoke { request: RevokeKeys { keys: ended, reason, ticket, .. }, .. } = sent(&mut desk).1
    else {
        panic!()
    };
    assert_eq!((ended.len(), ended.contains(&keys[1].id)), (2, false));
    assert_eq!((reason.as_deref(), ticket.as_deref()), (Some("exposed-7"), Some("INC")));
}

#[test]
fn o_and_enter_ask_for_a_file_and_words_that_begin_with_o_are_words() {
    let mut desk = Desk::new();
    desk.press("x o");
    asks_nothing(&desk.press("enter"));
    desk.says("The file or folder to search").press("/ x");
    let (_, request) = only_request(desk.press("enter"));
    assert_eq!(request, Request::FindInFile("/x".into()));
    let mut desk = Desk::new();
    desk.press("x o ~");
    desk.says("The file or folder to search").press("esc");
    desk.press("o t t o");
    assert_eq!(only_request(desk.press("enter")).1, Request::Find(SentKey::exact(b"otto")));
}
