//! Back and forward, tabs, columns, and what is undone.

use crate::domain::subjects::Subjects;
use crate::tui::effect::{Reply, Request};
use crate::tui::screens::keys::tabs::Tab;
use crate::tui::testing::{Desk, keys, noon};
use crate::tui::views::TABS;
use crate::tui::words::ScreenId;

#[test]
fn going_back_shows_filter_order_tab_and_row_again() {
    let mut desk = Desk::ready(130, 30, keys(900));
    desk.play("pagedown down down");
    let first = desk.selected_line();
    desk.play("a").sees("/ account:").play("R").sees("Created ▲").play("right").sees("[All");
    desk.play("5");
    assert_eq!(desk.state.shell.screen, ScreenId::Audit);
    desk.play("-").sees("[All").sees("Created ▲").sees("/ account:");
    desk.play("-").sees("[Live").play("-").sees("Created ▼").sees("/ account:");
    desk.play("ctrl-o").sees_not("/ account:");
    assert_eq!(desk.selected_line(), first);
    desk.play("-").told("There is no view before this one");
    desk.play("+ +").sees("Created ▲").sees("/ account:").play("alt-right alt-right");
    assert_eq!(desk.state.shell.screen, ScreenId::Audit);
    desk.play("+").told("There is no view after this one");
    // Whoever goes on elsewhere has nothing before them.
    desk.play("- 4 +").told("There is no view after this one");
}

#[test]
fn a_filter_that_is_typed_is_one_view() {
    let mut desk = Desk::ready(130, 24, keys(300));
    desk.play("/ \"key 29\" enter").sees("/ key 29").play("-").sees_not("/ key").sees("300 API keys");
    desk.play("+").sees("/ key 29").play("esc").sees_not("/ key");
    // Esc clears what was typed; where one came from elsewhere, it leads back there.
    desk.play("- -").play("4").play("1").play("a").sees("/ account:").play("esc").sees_not("/ account:");
    assert_eq!(desk.state.shell.screen, ScreenId::Keys);
    desk.play("esc");
    assert_eq!(desk.state.shell.screen, ScreenId::Accounts);
}

#[test]
fn esc_where_nothing_was_before_says_nothing() {
    let mut desk = Desk::ready(80, 24, keys(3));
    desk.play("esc esc");
    assert_eq!((desk.toast(), desk.state.shell.screen), ("", ScreenId::Keys));
}

#[test]
fn tabs_are_counted_without_holding_up_the_rows() {
    let mut all = keys(60);
    for key in &mut all[10..25] {
        key.revoked_at = Some(noon());
    }
    let mut desk = Desk::opening(80, 24, all);
    assert!(!desk.asked.iter().any(|(_, request)| matches!(request, Request::Count(_))));
    desk.settle().sees("[Live 45]").sees("All 60").sees("Ended 15").sees("row 1 of 45");
    desk.play("right").sees("[All 60]").sees("row 1 of 60").play("right right").sees("[Ended 15]");
    // The filter stays as it is, and so does the tab below another filter.
    desk.play("/ \"key 1\" enter").sees("[Ended 11]").sees("All 15").sees("Live 4").sees("/ key 1");
    desk.play("left left").sees("[Live 4]").sees("/ key 1").play("esc").sees("[Live 45]");
    // One that names a status decides by itself.
    desk.play("/ \"status:revoked\" enter").sees("[All 15]").play("left").told("names a status");
    desk.play("esc").sees("[Live 45]");
    desk.database.keys[0].revoked_at = Some(noon());
    desk.wait(chrono::Duration::seconds(60));
    desk.live(Subjects::KEYS).sees("[Live 44]").sees("Ended 16");
}

#[test]
fn without_live_keys_the_others_are_pointed_at() {
    let mut all = keys(3);
    for key in &mut all {
        key.revoked_at = Some(noon());
    }
    let mut desk = Desk::ready(80, 24, all);
    desk.sees("No live key").sees("Show 3 keys that are ended").play("right").sees("✕ revoked");
}

#[test]
fn a_letter_sorts_and_turns_the_order_round() {
    let mut desk = Desk::ready(120, 30, keys(30));
    desk.play("s").sees("n  Name").play("n").sees("Name ▲").play("s n").sees("Name ▼").closed();
}

#[test]
fn the_settings_spell_the_tabs_as_the_table_has_them() {
    let names = Tab::ALL.iter().map(|tab| <&str>::from(*tab).to_lowercase());
    assert!(names.eq(TABS), "{TABS:?}");
}

#[test]
fn columns_are_chosen_and_saved_when_asked() {
    let mut desk = Desk::ready(120, 30, keys(30));
    desk.state.shell.themes = Some("/home/ada/.config/keyrack/themes".into());
    desk.sees("Scopes").sees_not("Owner");
    desk.play("c").sees("[x] o  Scopes").play("o w").sees("[ ] o  Scopes").play("enter");
    desk.sees("Owner").sees_not("Scopes").told("saves the columns");
    desk.play("c o esc").sees_not("Scopes").play("c backspace enter").sees("Scopes").play("c w enter");
    let effects = desk.press("ctrl-s");
    let id = crate::tui::testing::asked(&effects, |request| match request {
        Request::SaveChoices(path, text) => {
            path.ends_with("keyrack/saved.toml")
                && text.contains("columns = \"status, name, account, owner,")
                && text.contains("sort = \"created:desc\"\ntab = \"live\"\n")
                && text.contains("relative-times = true")
        }
        _ => false,
    });
    desk.reply(id, Reply::SaveChoices(Ok(crate::tui::words::Copied::reached("saved in saved.toml"))));
    desk.told("saved in");
}

#[test]
fn what_is_cut_is_moved_into_sight() {
    let mut all = keys(3);
    all[0].name = "A name that goes on and on until nobody has room for it at all, END".into();
    let mut desk = Desk::ready(80, 24, all);
    desk.sees_not("END")
        .play("> > > > > >")
        .sees("END")
        .play("< < < < < <")
        .sees_not("END")
        .sees("A name that");
}

#[test]
fn filter_and_marks_are_undone_in_their_order() {
    let mut desk = Desk::ready(120, 30, keys(30));
    desk.play("space space ctrl-a")
        .sees("✓ 30 marked")
        .play("u")
        .sees("✓ 2 marked")
        .told("Undone: what was marked");
    desk.play("/ \"key 2\" enter").sees_not("✓ ").play("u").told("Undone: the filter").sees_not("/ key 2");
    desk.sees("✓ 2 marked").play("u").sees("✓ 1 marked").play("u").sees_not("✓ ");
    desk.play("u").told("Nothing can be undone here");
    desk.play("right").sees("[All").play("u").told("Undone: the tab").sees("[Live");
    desk.play("R").play("u").told("Undone: the order").sees("Created ▼");
}

#[test]
fn marks_that_go_with_their_keys_are_no_step_of_undoing() {
    let mut desk = Desk::ready(120, 30, keys(30));
    desk.play("space space");
    desk.database.keys[0].revoked_at = Some(noon());
    desk.live(Subjects::KEYS).sees("✓ 1 marked").play("u");
    desk.sees_not("✓ 2 marked");
}

#[test]
fn marking_moves_nothing_of_the_header() {
    for width in [60, 80, 100, 120, 200] {
        let mut desk = Desk::ready(width, 24, keys(30));
        let header = |desk: &Desk| desk.screen().lines().take(2).map(str::to_owned).collect::<Vec<_>>();
        let before = header(&desk);
        desk.play("space").sees("✓ 1 marked");
        if width >= 80 {
            desk.sees("row 2 of 30");
        }
        assert_eq!(header(&desk), before, "{width}");
        desk.play("ctrl-a").sees("✓ 30 marked");
        assert_eq!(header(&desk), before, "{width}");
        desk.play("space").sees("✓ 29 marked");
        if width >= 80 {
            desk.sees(": all 30 that match but 1");
        }
        // Whole tabs, or none: a number that is cut says something else.
        desk.sees("[Live 30]");
        assert_eq!(header(&desk), before, "{width}");
    }
}
