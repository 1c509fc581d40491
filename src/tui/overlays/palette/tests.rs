use crate::tui::opening::Opening;
use crate::tui::overlays::emergency;
use crate::tui::testing::Desk;
use crate::tui::words::ScreenId;

#[test]
fn the_palette_goes_to_a_screen_by_its_name() {
    let mut desk = Desk::new();
    desk.press(": \"audit\" enter");
    assert_eq!(desk.state.shell.screen, ScreenId::Audit);
    desk.closed();
}

#[test]
fn what_fits_a_name_comes_before_what_fits_only_a_sentence() {
    let mut desk = Desk::new();
    desk.press(": \"emerg\" enter");
    assert!(desk.shows::<emergency::State>(), "{}", desk.screen());
}

#[test]
fn the_palette_offers_only_what_holds_here() {
    let mut desk = Desk::new();
    desk.strike("5 : \"revoke the selected\"").says("no match");
}

#[test]
fn the_palette_at_80_by_24() {
    let mut desk = Desk::new();
    desk.press(":");
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn ascii_draws_no_other_signs_and_leaves_names_alone() {
    let mut desk = Desk::new();
    desk.state.shell.ascii = true;
    for keys in [":", "esc", "?", "esc", "x", "esc", "2", "4", "5"] {
        desk.press(keys);
        assert!(desk.screen().is_ascii(), "{}", desk.screen());
    }
    let key = crate::tui::testing::key("voxpria", "Télésecrétariat");
    desk.open(Opening::Revoke { ids: vec![key.id], known: vec![key], states: String::new() });
    desk.sees("Télésecrétariat").sees("********a1B2");
}

#[test]
fn other_words_find_what_is_meant() {
    for (word, name) in
        [("delete", "revoke"), ("create", "new"), ("exit", "quit"), ("q", "quit"), ("search", "filter")]
    {
        let mut desk = Desk::ready(80, 24, crate::tui::testing::keys(3));
        desk.play(&format!(": \"{word}\"")).sees(&format!("› {name} "));
    }
}

#[test]
fn a_command_takes_what_stands_behind_its_name() {
    let mut desk = Desk::ready(100, 24, crate::tui::testing::keys(30));
    desk.play("4 : \"keys account:acme\"")
        .sees("› keys account:acme")
        .play("enter")
        .sees("/ account:acme")
        .closed();
    desk.play(": \"sort name\" enter").sees("Name ▲").play(": \"sort name desc\" enter").sees("Name ▼");
    desk.play(": \"tab ended\" enter").sees("[Ended");
    desk.play(": \"account acme\" enter");
    assert_eq!(desk.state.shell.screen, ScreenId::Accounts);
    desk.sees("/ acme");
    // What can't be read stays to be mended.
    desk.play(": \"keys stauts:x\"").sees("✕ ").play("enter").told("stauts");
    assert!(desk.top().is_some());
}

#[test]
fn a_theme_is_named_in_the_palette() {
    let mut desk = Desk::new();
    let effects = desk.press(": \"theme lig\"");
    let id = crate::tui::testing::asked(&effects, |request| {
        matches!(request, crate::tui::effect::Request::Themes(_))
    });
    let themes = crate::config::theme::Theme::names(None);
    let themes = themes.iter().map(|name| crate::config::theme::Theme::load(name, None).unwrap()).collect();
    desk.reply(id, crate::tui::effect::Reply::Themes { themes, faults: Vec::new() });
    desk.sees("› theme light").press("enter");
    assert_eq!(desk.state.shell.theme, "light");
    desk.closed();
}
