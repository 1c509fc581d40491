use super::*;

fn places(root: &Path) -> Places {
    Places {
        system: root.join("etc"),
        config: Some(root.join("home")),
        data: root.join("data"),
        state: root.join("state"),
    }
}

pub(super) fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

pub(super) fn load(root: &Path, variables: &[(&str, &str)], flags: &Flags) -> Result<Settings> {
    let get =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Settings::load(&places(root), &get, flags)
}

#[test]
fn without_a_word_the_database_is_a_file_in_the_data_folder() {
    let root = tempfile::tempdir().unwrap();
    let settings = load(root.path(), &[], &Flags::default()).unwrap();
    let expected = root.path().join("data/keyrack.db").display().to_string();
    assert_eq!(settings.database, Setting { value: expected, source: Source::Default });
    assert_eq!(settings.theme.value, "dark");
}

#[test]
fn each_layer_outranks_the_one_before_and_is_remembered() {
    let root = tempfile::tempdir().unwrap();
    let (system, own) = (root.path().join("etc/config.toml"), root.path().join("home/config.toml"));
    write(&system, "database = \"/srv/a.db\"\nmouse = false\nutc = true\n");
    write(&own, "\ndatabase = \"/srv/b.db\"\n");
    let flags = Flags::default().with("--db", ["/srv/d.db"]);

    let files = load(root.path(), &[], &Flags::default()).unwrap();
    assert_eq!(files.database, Setting { value: "/srv/b.db".into(), source: Source::File(own.clone(), 2) });
    assert_eq!(files.mouse, Setting { value: false, source: Source::File(system.clone(), 2) });
    assert_eq!(files.files, [system, own]);

    let variables = [("KEYRACK_DB", "/srv/c.db"), ("KEYRACK_MOUSE", "on")];
    let environment = load(root.path(), &variables, &Flags::default()).unwrap();
    assert_eq!(environment.database.source, Source::Environment("KEYRACK_DB"));
    assert_eq!(environment.mouse, Setting { value: true, source: Source::Environment("KEYRACK_MOUSE") });
    assert!(environment.utc.value);

    let all = load(root.path(), &variables, &flags).unwrap();
    assert_eq!(all.database, Setting { value: "/srv/d.db".into(), source: Source::Flag("--db") });
}

#[test]
fn an_empty_no_color_says_nothing() {
    let root = tempfile::tempdir().unwrap();
    let settings = load(root.path(), &[("NO_COLOR", "")], &Flags::default()).unwrap();
    assert_eq!(settings.theme.value, "dark");
}

#[test]
fn no_color_takes_the_theme_without_colour_unless_keyrack_is_told_otherwise() {
    let root = tempfile::tempdir().unwrap();
    write(&root.path().join("home/config.toml"), "theme = \"light\"\n");
    let plain = load(root.path(), &[("NO_COLOR", "1")], &Flags::default()).unwrap();
    assert_eq!(plain.theme, Setting { value: "mono".into(), source: Source::Environment("NO_COLOR") });
    let dumb = load(root.path(), &[("TERM", "dumb")], &Flags::default()).unwrap();
    assert_eq!(dumb.theme.value, "mono");
    let variables = [("NO_COLOR", "1"), ("KEYRACK_THEME", "high-contrast")];
    assert_eq!(load(root.path(), &variables, &Flags::default()).unwrap().theme.value, "high-contrast");
    let flags = Flags::default().with("--theme", ["dark"]);
    assert_eq!(
        load(root.path(), &[("NO_COLOR", "1")], &flags).unwrap().theme.source,
        Source::Flag("--theme")
    );
}

#[test]
fn a_password_in_the_address_is_refused_wherever_it_comes_from_and_never_repeated() {
    let root = tempfile::tempdir().unwrap();
    let address = "postgres://ada:hunter2@db/keys";
    let flags = Flags::default().with("--db", [address]);
    let by_flag = load(root.path(), &[], &flags).unwrap_err().to_string();
    let by_variable =
        load(root.path(), &[("KEYRACK_DB", address)], &Flags::default()).unwrap_err().to_string();
    write(&root.path().join("home/config.toml"), &format!("database = \"{address}\"\n"));
    let by_file = load(root.path(), &[], &Flags::default()).unwrap_err().to_string();
    for refusal in [&by_flag, &by_variable, &by_file] {
        assert!(refusal.contains("PGPASSFILE"), "{refusal}");
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
    assert!(by_flag.starts_with("--db: "));
    assert!(by_file.contains("config.toml:1: "));
}

#[test]
fn passwords_hide_in_several_places_of_an_address() {
    let ok = |text: &str| codec::one::read(&[text], &database::DATABASE).is_ok();
    for address in [
        "postgresql://ada:pw@host/db",
        "postgres://ada:p/w@host/db",
        "postgres://ada:p?w@host/db",
        "postgres://ada:@host/db",
        "postgres://ada@host/db?password=pw",
        "postgres://ada@host/db?sslmode=require&sslpassword=pw",
        "postgres:///db?host=/run&PASSWORD=pw",
        "",
    ] {
        assert!(!ok(address), "{address}");
    }
    for address in [
        "postgres://ada@host:5432/db",
        "postgres://host:5432/db",
        "postgres:///keyrack?host=/run/postgresql",
        "postgres://ada@host/db?passfile=/home/ada/.pgpass",
        "postgres://ada@[::1]:5432/db",
        "/srv/a:b@c/keys.db",
        "keys.db",
    ] {
        assert!(ok(address), "{address}");
    }
}

#[test]
fn mistakes_are_refused_with_file_line_and_reason() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("home/config.toml");
    let refused = |text: &str| {
        write(&file, text);
        load(root.path(), &[], &Flags::default())
            .unwrap_err()
            .to_string()
            .replace(&file.display().to_string(), "config.toml")
    };
    assert_eq!(
        refused("\nmuose = true\n"),
        "config.toml:2: there is no setting `muose`. Did you mean `mouse`?"
    );
    assert_eq!(refused("mouse = \"yes\"\n"), "config.toml:1: `mouse` must be true or false, not string");
    assert_eq!(
        refused("clipboard = \"x11\"\n"),
        "config.toml:1: `clipboard` is \"x11\": write auto, terminal, display or off"
    );
    assert!(refused("theme = \"dark\"\nmouse =\n").starts_with("config.toml:2: "));
    assert!(refused("keys = 3\n").contains("`keys` must be a table"));
    let error = load(root.path(), &[("KEYRACK_MOUSE", "maybe")], &Flags::default());
    assert!(error.is_err());
}

#[test]
fn underscores_are_read_like_hyphens() {
    let root = tempfile::tempdir().unwrap();
    write(&root.path().join("home/config.toml"), "relative_times = false\n");
    assert!(!load(root.path(), &[], &Flags::default()).unwrap().relative_times.value);
}

#[test]
fn key_bindings_come_from_the_config_and_from_keys_toml() {
    let root = tempfile::tempdir().unwrap();
    write(&root.path().join("etc/config.toml"), "[keys]\nrevoke = \"D\"\n");
    write(&root.path().join("home/keys.toml"), "rotate = \"f7\"\n");
    let settings = load(root.path(), &[], &Flags::default()).unwrap();
    let files: Vec<_> = settings.key_files.iter().map(|file| file.path.file_name().unwrap()).collect();
    assert_eq!(files, ["config.toml", "keys.toml"]);
    assert!(crate::config::keymap::Keymap::load(&settings.key_files).is_ok());
}

#[test]
fn every_setting_has_a_row_for_info() {
    let root = tempfile::tempdir().unwrap();
    let settings = load(root.path(), &[], &Flags::default()).unwrap();
    let rows = settings.rows();
    let of = |table: &str| rows.iter().filter(|(name, ..)| name.starts_with(table)).count();
    let plain: Vec<_> = rows.iter().map(|(name, ..)| *name).filter(|name| !name.contains('.')).collect();
    assert_eq!(plain, CONSOLE.rows.iter().map(|row| row.name).collect::<Vec<_>>());
    assert_eq!((of("mail."), of("gate."), of("audit."), rows.len()), (15, 24, 4, plain.len() + 43));
}

#[test]
fn the_pages_have_every_setting_as_its_row_tells() {
    let page = [
        include_str!("../../../docs/settings.md"),
        include_str!("../../../docs/reminders.md"),
        include_str!("../../../docs/gate/service.md"),
        include_str!("../../../docs/audit.md"),
    ]
    .concat();
    let mut tables = vec![CONSOLE.document(), MAIL.document(), GATE.document(), AUDIT.document()];
    tables.retain(|table| !page.contains(table));
    assert!(tables.is_empty(), "on no page:\n\n{}", tables.join("\n"));
}

#[test]
fn every_default_can_be_read() {
    let root = tempfile::tempdir().unwrap();
    let settings = Settings::defaults(&places(root.path()));
    let defaults = CONSOLE.rows.iter().map(|row| (row.shown, row.default));
    let defaults = defaults.chain(MAIL.rows.iter().map(|row| (row.shown, row.default)));
    let defaults = defaults.chain(GATE.rows.iter().map(|row| (row.shown, row.default)));
    let defaults = defaults.chain(AUDIT.rows.iter().map(|row| (row.shown, row.default)));
    let rows = settings.rows();
    for (name, default) in defaults.filter(|(_, default)| !default.is_none_or(|text| text.contains('{'))) {
        let shown = rows.iter().find(|(shown, ..)| *shown == name).map(|(_, value, _)| value.as_str());
        assert_eq!(shown, default, "{name}");
    }
}
