use super::*;

fn all() -> Vec<Theme> {
    EMBEDDED.iter().map(|(name, _)| Theme::load(name, None).unwrap()).collect()
}

/// Roles whose foreground is read as text.
fn text_roles() -> impl Iterator<Item = Role> {
    Role::ALL.iter().copied().filter(|role| !matches!(role, Role::Border | Role::DialogBorder))
}

/// Relative luminance of WCAG 2.1 from 0 to 1; `None` where the terminal decides the colour.
fn luminance(colour: Colour) -> Option<f64> {
    let Colour::Rgb(r, g, b) = colour else { return None };
    let linear = |byte: u8| {
        let value = f64::from(byte) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    Some(0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b))
}

/// The contrast ratio of WCAG 2.1, from 1 to 21; `None` where the terminal decides one of the colours.
fn contrast(one: Colour, other: Colour) -> Option<f64> {
    let (one, other) = (luminance(one)?, luminance(other)?);
    Some((one.max(other) + 0.05) / (one.min(other) + 0.05))
}

#[test]
fn every_embedded_theme_loads_and_says_what_it_is() {
    for theme in all() {
        assert!(!theme.description.is_empty(), "{} has no description", theme.name);
    }
}

#[test]
fn every_text_of_the_coloured_themes_can_be_read_on_its_ground() {
    for (name, least) in [("dark", 4.5), ("light", 4.5), ("high-contrast", 7.0)] {
        let theme = Theme::load(name, None).unwrap();
        let ground = theme.look(Role::Background).bg.unwrap();
        for role in text_roles() {
            let look = theme.look(role);
            let fg = look.fg.unwrap();
            let ratio = contrast(fg, look.bg.unwrap_or(ground)).unwrap();
            assert!(ratio >= least, "{name}: {} has a contrast of {ratio:.2}, not {least}", role.as_str());
        }
    }
}

#[test]
fn every_text_of_the_coloured_themes_can_be_read_on_the_selected_row() {
    for name in ["dark", "light"] {
        let theme = Theme::load(name, None).unwrap();
        let bar = theme.look(Role::Selection).bg.unwrap();
        for role in [Role::Selection, Role::Ok, Role::Warning, Role::Danger, Role::Marker, Role::Marked] {
            let ratio = contrast(theme.look(role).fg.unwrap(), bar).unwrap();
            assert!(ratio >= 4.0, "{name}: {} on the selection: {ratio:.2}", role.as_str());
        }
    }
}

#[test]
fn mono_names_no_colour_and_still_tells_selection_focus_and_danger_apart() {
    let theme = Theme::load("mono", None).unwrap();
    for &role in Role::ALL {
        let look = theme.look(role);
        assert_eq!((look.fg, look.bg), (None, None), "{}", role.as_str());
    }
    assert!(theme.look(Role::Selection).reverse);
    assert!(theme.look(Role::ButtonFocus).reverse && !theme.look(Role::Button).reverse);
    assert_ne!(theme.look(Role::Danger), theme.look(Role::Text));
}

#[test]
fn black_and_white_have_the_contrast_of_the_standard() {
    let ratio = contrast(Colour::Rgb(0, 0, 0), Colour::Rgb(255, 255, 255)).unwrap();
    assert!((ratio - 21.0).abs() < 1e-9);
    assert_eq!(contrast(Colour::Ansi(1), Colour::Rgb(0, 0, 0)), None);
}

#[test]
fn colours_are_hexadecimal_indices_or_names() {
    assert_eq!(Colour::parse("#0a58b8"), Some(Colour::Rgb(0x0a, 0x58, 0xb8)));
    assert_eq!(Colour::parse("208"), Some(Colour::Indexed(208)));
    assert_eq!(Colour::parse("bright-red"), Some(Colour::Ansi(9)));
    assert_eq!(Colour::parse("default"), Some(Colour::Terminal));
    for bad in ["#12345", "#gggggg", "256", "puce", "#ééé", ""] {
        assert_eq!(Colour::parse(bad), None, "{bad}");
    }
}

#[test]
fn an_own_file_inherits_and_changes_only_what_it_names() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("mine.toml"),
        "inherits = \"light\"\n[palette]\npink = \"#a0005a\"\n[roles]\naccent = { fg = \"pink\", bold = true }\n",
    )
    .unwrap();
    let mine = Theme::load("mine", Some(folder.path())).unwrap();
    let light = Theme::load("light", None).unwrap();
    let pink = Look { fg: Some(Colour::Rgb(0xa0, 0, 0x5a)), bold: true, ..Look::default() };
    assert_eq!(mine.look(Role::Accent), pink);
    assert_eq!(mine.look(Role::Text), light.look(Role::Text));
    assert_eq!(Theme::names(Some(folder.path())).last().unwrap(), "mine");
}

#[test]
fn an_own_dark_may_inherit_the_dark_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dark.toml"), "inherits = \"dark\"\n[roles]\nbar = \"#ffffff\"\n")
        .unwrap();
    let own = Theme::load("dark", Some(folder.path())).unwrap();
    assert_eq!(own.look(Role::Bar).fg, Some(Colour::Rgb(255, 255, 255)));
    assert_eq!(own.look(Role::Text), Theme::load("dark", None).unwrap().look(Role::Text));
}

#[test]
fn mistakes_are_refused_with_file_line_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |text: &str| {
        std::fs::write(folder.path().join("bad.toml"), text).unwrap();
        let error = Theme::load("bad", Some(folder.path())).unwrap_err();
        assert!(error.file.as_ref().is_some_and(|file| file.ends_with("bad.toml")), "{error}");
        (error.line.unwrap(), error.reason)
    };
    let (line, reason) = refused("inherits = \"dark\"\n[roles]\naccnt = \"red\"\n");
    assert_eq!((line, reason.as_str()), (3, "there is no role `accnt`. Did you mean `accent`?"));
    let (line, reason) = refused("[roles]\n\naccent = \"mauve\"\n");
    assert_eq!(line, 3);
    assert!(reason.starts_with("\"mauve\" is no colour"), "{reason}");
    let (line, reason) = refused("colour = 1\n");
    assert_eq!((line, reason.contains("not `colour`")), (1, true));
    let (line, reason) = refused("[roles]\naccent = { fg = \"red\", blink = true }\n");
    assert_eq!((line, reason.contains("not `blink`")), (2, true));
    let (line, reason) = refused("\ninherits = \"drak\"\n");
    assert_eq!((line, reason.as_str()), (2, "there is no theme `drak`. Did you mean `dark`?"));
    let (line, _) = refused("[roles]\naccent = \n");
    assert_eq!(line, 2);
}

#[test]
fn a_circle_of_themes_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.toml"), "inherits = \"b\"\n").unwrap();
    std::fs::write(folder.path().join("b.toml"), "inherits = \"a\"\n").unwrap();
    let error = Theme::load("a", Some(folder.path())).unwrap_err();
    assert!(error.reason.contains("is circular"), "{error}");
}

#[test]
fn a_theme_outside_the_folder_is_never_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.toml"), "").unwrap();
    let inner = folder.path().join("themes");
    std::fs::create_dir(&inner).unwrap();
    assert!(Theme::load("../x", Some(&inner)).is_err());
}
