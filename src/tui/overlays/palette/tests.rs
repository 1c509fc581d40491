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
    desk.strike("5 : \"revoke the selected\"").says("nothing fits");
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
