use crate::config::settings::{Flags, Places, Settings};
use crate::config::theme::Theme;
use crate::tui::choices;
use crate::tui::effect::{Effect, Reply, Request};
use crate::tui::kept::Kept;
use crate::tui::testing::{Desk, keys, only_request};
use crate::tui::views::OfKeys;

/// A console whose files say this, with its settings open.
fn desk(config: &str, saved: &str, flags: &Flags) -> Desk {
    let root = tempfile::tempdir().unwrap();
    let home = root.path().join("home");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join("config.toml"), config).unwrap();
    std::fs::write(home.join("saved.toml"), saved).unwrap();
    let places = Places {
        system: root.path().join("etc"),
        config: Some(home.clone()),
        data: root.path().join("data"),
        state: root.path().join("state"),
    };
    let settings = Settings::load(&places, &|_| None, flags).unwrap();
    let mut desk = Desk::ready(80, 24, keys(3));
    let shell = &mut desk.state.shell;
    shell.themes = Some(home.join("themes"));
    let known = Theme::names(None).contains(&settings.theme.value);
    shell.theme = if known { settings.theme.value.clone() } else { "dark".into() };
    shell.utc = settings.utc.value;
    shell.mouse = settings.mouse.value;
    shell.relative_times = settings.relative_times.value;
    shell.kept = Kept::new(settings.saved.clone(), "auto".into(), "keys".into());
    let now = choices::now(shell, OfKeys::default());
    shell.kept.begin(now);
    let (id, request) = only_request(desk.press(","));
    assert!(matches!(request, Request::Themes(Some(_))), "{request:?}");
    let themes = Theme::names(None).iter().map(|name| Theme::load(name, None).unwrap()).collect();
    desk.reply(id, Reply::Themes { themes, faults: Vec::new() });
    desk
}

/// What would be written now.
fn written(desk: &mut Desk) -> String {
    let (_, Request::SaveChoices(path, text)) = only_request(desk.press("ctrl-s")) else {
        panic!("not saved")
    };
    assert!(path.ends_with("saved.toml"), "{path:?}");
    text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_setting_is_changed_at_once_and_only_what_was_changed_is_saved() {
    let mut desk = desk("utc = true\n", "theme = \"light\"\n", &Flags::default());
    desk.says("← light →").says("saved").says("config.toml:1").says("UTC");
    desk.press("right");
    assert_eq!(desk.state.shell.theme, "high-contrast");
    desk.says("not saved").play("down space").says("dates").sees("Space change").sees("^s save");
    assert!(!desk.state.shell.relative_times);
    assert_eq!(written(&mut desk), "theme = \"high-contrast\"\nrelative-times = false\n");
    assert!(desk.top().is_none());
    // Nothing is new any more.
    desk.play("ctrl-s").told("There are no unsaved changes");
}

#[test]
fn what_was_saved_and_can_not_be_used_did_not_decide() {
    let desk = desk("", "theme = \"sunset\"\nutc = true\n", &Flags::default());
    let of = |title: &str| {
        let screen = desk.screen();
        screen.lines().find(|line| line.contains(title)).unwrap().to_owned()
    };
    assert!(of("Theme").contains("dark") && of("Theme").contains("default"), "{}", of("Theme"));
    assert!(of("Time zone").contains("saved"), "{}", of("Time zone"));
}

#[test]
fn what_was_saved_is_given_back_to_the_settings_files() {
    let mut desk = desk("theme = \"mono\"\n", "theme = \"light\"\nmouse = false\n", &Flags::default());
    desk.press("backspace");
    assert_eq!(desk.state.shell.theme, "mono");
    desk.says("← mono →").says("not saved");
    assert_eq!(written(&mut desk), "mouse = false\n");
    desk.press(",");
    desk.says("config.toml:1");
}

#[test]
fn what_the_command_line_says_is_not_saved_as_a_choice_and_said_to_be_stronger() {
    let flags = Flags::default().with("--utc", [""]);
    let mut desk = desk("", "utc = false\nmouse = false\n", &flags);
    desk.play("down down").says("UTC").says("--utc").says("--utc overrides the saved value");
    // Another setting is changed: that line stays as it was.
    desk.play("down down down right");
    assert_eq!(written(&mut desk), "mouse = false\nutc = false\ntab = \"all\"\n");
}

#[test]
fn the_mouse_is_taken_or_left_at_once() {
    let mut desk = desk("", "", &Flags::default());
    desk.play("up up up up up");
    desk.says("← on →");
    assert_eq!(desk.press("left"), [Effect::Mouse(false)]);
    desk.says("← off →");
    desk.press("esc");
    desk.told("saves them for the next start").closed();
    // What holds from the next start on is saved as well.
    desk.press(",");
    desk.play("up up up right").says("← terminal →").says("from the next start");
    assert_eq!(written(&mut desk), "mouse = false\nclipboard = \"terminal\"\n");
}

#[test]
fn the_order_and_the_tab_of_the_keys_are_seen_behind() {
    let mut desk = desk("", "", &Flags::default());
    desk.play("down down down down right").says("← Created ▲ →").play("down right").says("← all →");
    desk.sees("[All 3]");
    assert_eq!(written(&mut desk), "sort = \"created:asc\"\ntab = \"all\"\n");
}

#[test]
fn the_columns_are_chosen_where_they_always_are() {
    let mut desk = desk("", "", &Flags::default());
    desk.play("down down down enter").says("[x]");
}
