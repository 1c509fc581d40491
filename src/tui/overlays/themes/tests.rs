use crate::config::theme::Theme;
use crate::tui::effect::{Reply, Request};
use crate::tui::styles::Styles;
use crate::tui::testing::{Desk, only_request};

fn chooser() -> Desk {
    let mut desk = Desk::new();
    desk.state.shell.theme = "dark".into();
    let (id, request) = only_request(desk.press("ctrl-t"));
    assert_eq!(request, Request::Themes(None));
    let themes = Theme::names(None).iter().map(|name| Theme::load(name, None).unwrap()).collect();
    desk.reply(id, Reply::Themes { themes, faults: Vec::new() });
    desk
}

fn styles(name: &str) -> Styles {
    Styles::new(&Theme::load(name, None).unwrap())
}

#[test]
fn a_theme_under_the_cursor_is_shown_on_the_screen() {
    let mut desk = chooser();
    desk.press("down");
    assert_eq!(desk.state.shell.styles, styles("light"));
    desk.press("enter");
    assert_eq!((desk.state.shell.theme.as_str(), desk.top().is_none()), ("light", true));
}

#[test]
fn escape_brings_the_theme_from_before_back() {
    let mut desk = chooser();
    desk.press("down down down esc");
    assert_eq!(desk.state.shell.styles, styles("dark"));
    assert_eq!(desk.state.shell.theme, "dark");
}

#[test]
fn a_theme_is_found_by_typing() {
    let mut desk = chooser();
    desk.write("mono");
    assert_eq!(desk.state.shell.styles, styles("mono"));
}
