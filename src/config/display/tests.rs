use super::*;

fn of(pairs: &[(&str, &str)]) -> Display {
    Display::of(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
}

#[test]
fn a_terminal_has_the_colours_of_its_description() {
    for (term, colours) in [
        ("vt100", Colours::None),
        ("vt220", Colours::None),
        ("dumb", Colours::None),
        ("", Colours::None),
        ("linux", Colours::Eight),
        ("screen", Colours::Eight),
        ("xterm-256color", Colours::Many),
        ("tmux-256color", Colours::Many),
        ("xterm-kitty", Colours::Many),
        ("never-heard-of-it", Colours::None),
    ] {
        assert_eq!(of(&[("TERM", term)]).colours, colours, "{term}");
    }
}

#[test]
fn a_terminal_without_cursor_addressing_shows_no_console() {
    for term in ["dumb", "", "unknown"] {
        let why = of(&[("TERM", term)]).refuses().unwrap();
        assert!(why.contains("TERM") && why.contains("can't be shown"), "{why}");
    }
    for term in ["xterm", "vt100", "linux", "screen", "never-heard-of-it"] {
        assert_eq!(of(&[("TERM", term)]).refuses(), None, "{term}");
    }
}

#[test]
fn true_colour_is_believed_where_there_can_be_any() {
    let with = |term| of(&[("TERM", term), ("COLORTERM", "truecolor")]).colours;
    assert_eq!(with("xterm-256color"), Colours::True);
    assert_eq!(with("xterm"), Colours::True);
    assert_eq!(with("screen"), Colours::Eight);
    assert_eq!(with("vt220"), Colours::None);
}

#[test]
fn commands_are_kept_from_terminals_that_would_print_them() {
    let commands = |term| of(&[("TERM", term)]).commands;
    assert!(commands("xterm-256color") && commands("tmux-256color") && commands("screen"));
    assert!(!commands("linux") && !commands("vt100") && !commands("vt220"));
    assert!(of(&[("TERM", "linux")]).regions && of(&[("TERM", "vt100")]).regions);
    assert!(!of(&[("TERM", "ansi")]).regions && !of(&[("TERM", "dumb")]).regions);
}
