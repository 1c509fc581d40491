//! `docs/keys-and-themes.md` is what the registries of keys and themes hold. `KEYRACK_WRITE_PAGES=1` writes it anew.

use std::fmt::Write as _;
use std::path::Path;

use super::keymap::{Context, Keymap, REGISTRY};
use super::settings::KeyFile;
use super::theme::{Role, Theme};

const BEGINNING: &str = "# Keys and themes

Every action of the console, with the keys that it comes with. Any of them can have others, below `[keys]` in the settings, by the name in the
last column; an empty list takes the key away, and the palette (`:`) still has the action:

```toml keys
[keys]
revoke = [\"D\", \"f8\"]
toggle-mouse = []
```

Two actions on one key at one place are told with file and line, and then all keys are those on this page. A key is written as it is here;
`ctrl-`, `alt-` and `shift-` stand before it.
";

const MIDDLE: &str = "
## Themes

A theme is chosen with `--theme NAME`, `theme = \"NAME\"` in the settings, or `ctrl-t` in the console.
";

const END: &str = "
One of your own is a file `NAME.toml` in `~/.config/keyrack/themes/`. It says what is other than in the theme that it inherits:

```toml
description = \"As dark, with a warm accent\"
inherits = \"dark\"

[palette]
amber = \"#e5b567\"

[roles]
accent = \"amber\"
marked = { fg = \"yellow\", bold = true }
```

A colour is `#rrggbb`, a name of the palette, one of the terminal's 16 (`red`, `bright-red`) or a number from 0 to 255. A role has `fg`, `bg`, `bold`, `dim`, `italic`,
`underline` and `reverse`, or is the one colour of its letters. The roles:
";

/// A key in a table.
fn shown(key: &str) -> String {
    if key == "|" { "`\\|`".to_owned() } else { format!("`{key}`") }
}

/// The page of keys and themes, as the registries have them.
fn keys_and_themes() -> String {
    let mut page = BEGINNING.to_owned();
    for context in Context::ALL {
        let here: Vec<_> = REGISTRY.iter().filter(|entry| entry.contexts.first() == Some(context)).collect();
        if here.is_empty() {
            continue;
        }
        let _ =
            write!(page, "\n## {}\n\n| keys | does | also | name |\n|---|---|---|---|\n", context.title());
        for entry in here {
            let keys: Vec<String> = entry.keys.iter().map(|key| shown(key)).collect();
            let also: Vec<&str> = entry.contexts.iter().skip(1).map(|context| context.title()).collect();
            let (does, name) = (entry.action.description(), entry.action.id());
            let _ = writeln!(page, "| {} | {does} | {} | `{name}` |", keys.join(" "), also.join(", "));
        }
    }
    page.push_str(MIDDLE);
    page.push_str("\n| theme | |\n|---|---|\n");
    for name in Theme::names(None) {
        let theme = Theme::load(&name, None).unwrap();
        let _ = writeln!(page, "| `{name}` | {} |", theme.description);
    }
    page.push_str(END);
    let roles: Vec<String> = Role::ALL.iter().map(|role| format!("`{}`", role.as_str())).collect();
    let _ = writeln!(page, "{}.", roles.join(", "));
    page
}

#[test]
fn the_page_of_keys_and_themes_is_what_the_console_has() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/keys-and-themes.md");
    let page = keys_and_themes();
    if std::env::var_os("KEYRACK_WRITE_PAGES").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        there == page,
        "docs/keys-and-themes.md is out of date: run this test with KEYRACK_WRITE_PAGES=1"
    );
    // What it shows is taken: the keys, and a theme of one's own.
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let block = |mark: &str| page.split(mark).nth(1).unwrap().split("```").next().unwrap().to_owned();
    let keys = KeyFile { path: folder.join("config.toml"), text: block("```toml keys\n") };
    assert_ne!(Keymap::load(&[keys]).unwrap(), Keymap::default());
    std::fs::write(folder.join("own.toml"), block("```toml\n")).unwrap();
    let own = Theme::load("own", Some(folder)).unwrap();
    assert_eq!(own.description, "As dark, with a warm accent");
    assert_ne!(own.look(Role::Accent), Theme::load("dark", None).unwrap().look(Role::Accent));
}
