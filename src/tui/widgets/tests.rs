use super::bars::{self, Bar};
use super::scope_grid::ScopeGrid;
use super::text_field::TextField;
use super::{fit, picker, scroll};
use crate::config::theme::Theme;
use crate::domain::issuer::ScopeRule;
use crate::tui::styles::Styles;

#[test]
fn text_is_cut_and_padded_by_columns_not_by_characters() {
    assert_eq!(fit::cut("日本語の名前", 7), "日本語…");
    assert_eq!(fit::pad("日本", 6), "日本  ");
    assert_eq!(fit::width(&fit::pad("Télésecrétariat", 9)), 9);
    assert_eq!(fit::window("日本語", 1, 4), " 本");
}

#[test]
fn a_family_of_emoji_is_never_torn_apart() {
    let family = "👨\u{200d}👩\u{200d}👧 x";
    for columns in 0..6 {
        let cut = fit::window(family, 0, columns);
        assert!(cut.is_empty() || cut.starts_with("👨\u{200d}👩\u{200d}👧"), "{cut:?}");
    }
}

#[test]
fn lines_break_between_words_and_long_words_within() {
    assert_eq!(fit::wrap("one two three", 7), ["one two", "three"]);
    assert_eq!(fit::wrap("abcdefgh", 3), ["abc", "def", "gh"]);
    assert_eq!(fit::wrap("日本語", 1).concat(), "日本語");
}

#[test]
fn a_field_shows_its_end_and_the_cursor_behind_it() {
    let field = TextField::with("abcdefghij");
    assert_eq!(field.visible(5), ("ghij".to_owned(), 4));
    assert_eq!(TextField::with("ab").visible(5), ("ab".to_owned(), 2));
}

#[test]
fn a_field_takes_no_control_characters_and_no_endless_paste() {
    let mut field = TextField::default();
    field.paste("a\u{1b}[31mb\u{7}");
    assert_eq!(field.value(), "a[31mb");
    field.paste(&"x".repeat(10_000));
    assert_eq!(field.value().chars().count(), 2_000);
}

#[test]
fn a_field_shows_a_bidi_character_as_a_replacement() {
    let field = TextField::with("ab\u{202e}cd");
    assert_eq!(field.visible(10).0, "ab\u{fffd}cd");
}

#[test]
fn vp_04_the_grid_has_a_cell_for_each_scope() {
    let rule = |name: &str| ScopeRule { name: name.into(), description: format!("may {name}") };
    let mut grid = ScopeGrid::new(&["calls:read", "calls:write", "credits:read", "hooks:manage"].map(rule));
    assert!(grid.scopes().is_empty(), "nothing is ticked at first");
    assert_eq!(grid.rows(), 3);
    grid.move_cell(1);
    grid.toggle();
    assert_eq!(grid.scopes().to_string(), "calls:write");
    assert!(grid.move_row(1));
    assert_eq!(grid.under_cursor().unwrap().0, "credits:read", "the cursor stays within the row");
    assert!(grid.move_row(1) && !grid.move_row(1));
    let styles = Styles::new(&Theme::load("mono", None).unwrap());
    let lines: Vec<String> = grid.lines(&styles, true).iter().map(ToString::to_string).collect();
    assert_eq!(lines[0].find("[x] write"), Some(lines[0].find("[ ] read").unwrap() + 10));
    assert_eq!(lines[2].find("[ ] manage"), lines[0].find("[x] write").map(|at| at + 11));
}

#[test]
fn the_smallest_number_still_has_a_bar() {
    let styles = Styles::new(&Theme::load("mono", None).unwrap());
    let bars = [0, 1, 1_000].map(|value| Bar { label: value.to_string(), value });
    let lines: Vec<String> = bars::lines(&styles, &bars, 3, 5).iter().map(ToString::to_string).collect();
    assert_eq!(lines[0].trim_end(), "·    1    1000");
    assert_eq!(lines[3], "     ▁▁▁▁ ████ ");
    assert_eq!(lines[1].trim(), "████");
    assert_eq!(bars::short(12_345_678), "12M");
}

#[test]
fn a_list_scrolls_no_more_than_it_must() {
    assert_eq!(scroll::follow(5, 3, 10, 100), 3);
    assert_eq!(scroll::follow(5, 14, 10, 100), 5);
    assert_eq!(scroll::follow(5, 15, 10, 100), 6);
    assert_eq!(scroll::follow(95, 99, 10, 100), 90);
}

#[test]
fn what_begins_with_the_words_typed_ranks_first() {
    let items = ["audit", "accounts", "issuers"];
    assert_eq!(picker::rank("", items), [0, 1, 2]);
    assert_eq!(picker::rank("iss", items), [2]);
    assert_eq!(picker::rank("ACC", items), [1]);
    assert_eq!(picker::step(0, -1, 3), 0);
    assert_eq!(picker::step(2, 1, 3), 2);
    assert_eq!(picker::step(0, 1, 0), 0);
}

#[test]
fn a_narrow_list_drops_its_last_columns_and_no_names() {
    use super::list::{self, column};
    let theme = crate::config::theme::Theme::load("dark", None).unwrap();
    let styles = crate::tui::styles::Styles::new(&theme);
    let columns =
        [column("When", 9), column("Who", 12), column("Did", 16), column("To", 0), column("Account", 14)];
    let row = ["5m ago", "margaret", "key.acknowledge", "HubSpot backup", "hooli-travel"];
    let row: Vec<_> = row.iter().map(|text| ((*text).to_owned(), crate::config::theme::Role::Text)).collect();
    let backend = ratatui::backend::TestBackend::new(60, 3);
    let mut terminal = ratatui::Terminal::new(backend).unwrap();
    let draw = |frame: &mut ratatui::Frame| {
        list::draw(frame, &styles, frame.area(), &columns, std::slice::from_ref(&row), Some(0), |_| false);
    };
    terminal.draw(draw).unwrap();
    let picture = terminal.backend().to_string();
    assert!(picture.contains("HubSpot backup") && picture.contains("To"), "{picture}");
    assert!(!picture.contains("Accou"), "a column is whole or it is not there:\n{picture}");
}
