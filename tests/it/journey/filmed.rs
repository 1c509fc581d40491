//! The four gestures, as the README shows them. `dist/record` films them anew.

use crate::support::database::{Database, run_on_sqlite};
use crate::support::film::Film;
use crate::support::people::{age, keep, named, office, preset, used, wanted};
use crate::support::pty::{Start, Terminal};
use keyrack::domain::expiry::Expiry;
use keyrack::domain::owner::Owner;
use keyrack::domain::scope::Scopes;
use keyrack::service::CreateKey;

const COLUMNS: u16 = 100;
const LINES: u16 = 26;

/// Account, name, scopes, owner, and for how many days.
const KEYS: [(&str, &str, &str, &str, u32); 10] = [
    ("acme", "Billing export", "credits:read", "Finance", 80),
    ("acme", "CI pipeline", "agents:read agents:write", "Platform", 180),
    ("acme", "Call analytics", "analytics:read", "Data team", 76),
    ("globex", "CRM sync", "contacts:read contacts:write", "Sales", 83),
    ("globex", "Campaign runner", "campaigns:write", "Marketing", 365),
    ("acme", "Dialer west", "calls:write", "Platform", 62),
    ("globex", "Night reports", "analytics:read", "Data team", 300),
    ("acme", "Status page", "calls:read", "Platform", 365),
    ("globex", "Webhook relay", "webhooks:manage", "Platform", 78),
    ("globex", "Zendesk bridge", "contacts:read", "Support", 200),
];

async fn scene(db: &Database) {
    let service = office(db, preset("voxpria")).await;
    for (account, name, scopes, owner, days) in KEYS {
        let key = CreateKey {
            scopes: Scopes::parse(scopes),
            owner: Owner::checked(owner, None).unwrap(),
            expiry: Expiry::Days(days),
            ..wanted(account, name)
        };
        keep(&service, key).await;
    }
    service.close().await;
    age(db, 60 * 86_400).await;
    // Their ends come as much nearer as they are older.
    let ends = format!("UPDATE key_auth SET expires_at = expires_at - {}", 60 * 86_400_000_000i64);
    db.execute_past_triggers("keys", &ends).await;
    let at = "CAST(strftime('%s', 'now') AS INTEGER) * 1000000 - 180000000";
    for name in ["Billing export", "CRM sync", "Status page", "Dialer west"] {
        db.execute_past_triggers("keys", &used(db, at, &named(name))).await;
    }
}

/// Types as a person does, and looks at each letter.
fn type_it(terminal: &mut Terminal, film: &mut Film, caption: &str, text: &str) {
    for letter in text.chars() {
        terminal.type_text(&letter.to_string());
        film.look(terminal, caption, 90, None);
    }
}

/// The secret on the screen: the long word behind the prefix.
fn secret_on(terminal: &Terminal) -> String {
    let text = terminal.text();
    let secret = text.split_whitespace().find(|word| word.starts_with("vx_") && word.len() == 52);
    secret.unwrap_or_else(|| panic!("no secret:\n{text}")).to_owned()
}

#[test]
fn the_four_gestures_of_the_readme_are_what_the_program_does() {
    run_on_sqlite(|db| async move { film(&db).await });
}

async fn film(db: &Database) {
    scene(db).await;
    let start = Start::new(db.dir()).on("keyrack.db").size(COLUMNS, LINES);
    let mut terminal =
        start.env("COLORTERM", "truecolor").args(["--theme", "dark", "--mail-dir", "letters"]).spawn();
    terminal.wait_for("Zendesk bridge");
    let mut film = Film::new(COLUMNS.into());
    let keys = "Keyrack: every key, live";
    film.look(&terminal, keys, 2_000, None);

    // Create, with the one reveal.
    let create = "n  create a key";
    terminal.press("n");
    terminal.wait_for("Whose key is it?");
    film.look(&terminal, create, 1_100, None);
    terminal.press("enter");
    terminal.wait_for("what the key is for");
    film.look(&terminal, create, 1_000, None);
    type_it(&mut terminal, &mut film, create, "Zapier production");
    for key in ["tab", "tab", "space", "tab", "right", "right"] {
        terminal.press(key);
        terminal.quiet(std::time::Duration::from_millis(60));
        film.look(&terminal, create, 350, None);
    }
    film.look(&terminal, create, 900, None);
    terminal.press("ctrl-s");
    terminal.wait_for("The secret is shown once");
    film.look(&terminal, create, 1_500, None);
    terminal.answer("ctrl-s");
    terminal.wait_for("This is the only time it is shown");
    let secret = secret_on(&terminal);
    let shown = "its secret is shown once: copy it, or write it to a file";
    film.look(&terminal, shown, 3_000, Some(&secret));
    terminal.press("d");
    terminal.wait_for("neither copied nor written");
    terminal.answer("y");
    terminal.wait("the table with the new key", |screen| {
        let text = screen.contents();
        text.contains("Zapier production") && !text.contains("neither copied")
    });
    film.look(&terminal, keys, 1_600, Some(&secret));

    // Find.
    let find = "/  find it again: a name, the last four, an account, anything";
    terminal.press("/");
    film.look(&terminal, find, 700, None);
    type_it(&mut terminal, &mut film, find, "zap");
    terminal.wait("that key alone", |screen| {
        let text = screen.contents();
        text.contains("Zapier production") && !text.contains("CRM sync")
    });
    terminal.press("enter");
    terminal.quiet(std::time::Duration::from_millis(200));
    film.look(&terminal, find, 1_800, None);

    // Revoke, after the question.
    let revoke = "d  revoke it: two different keys, and No is the default";
    terminal.press("d");
    terminal.wait_for("Zapier production?");
    film.look(&terminal, revoke, 2_600, None);
    terminal.answer("y");
    terminal.wait_for("revoked");
    terminal.quiet(std::time::Duration::from_millis(300));
    let over = "refused from this moment on; it can't be undone";
    film.look(&terminal, over, 2_400, None);
    terminal.press("enter");
    terminal.press("esc");
    terminal.press("esc");
    terminal.wait_for("Zendesk bridge");
    film.look(&terminal, keys, 1_200, None);

    // What a sweep of reminders would send.
    let sweep = "S  whom a reminder sweep would write to, before anything is sent";
    terminal.press("S");
    terminal.wait_for("letters about");
    film.look(&terminal, sweep, 4_000, None);
    terminal.press("esc");
    terminal.wait_for("Zendesk bridge");
    film.look(&terminal, keys, 1_500, None);
    terminal.press("q");
    assert!(terminal.wait_for_exit(crate::support::pty::PATIENCE).success());

    let svg = film.svg("Keyrack: a key is created, found and revoked, and a sweep of reminders is looked at");
    assert!(!svg.contains(&secret[3..]) && svg.contains("vx_EXAMPLE·"), "no secret is in the film");
    assert!(
        (20_000..40_000).contains(&film.millis()) && svg.len() < 400_000,
        "{} ms, {} bytes",
        film.millis(),
        svg.len()
    );
    if let Some(path) = std::env::var_os("KEYRACK_FILM") {
        std::fs::write(path, svg).unwrap();
    }
}

#[test]
fn the_film_of_the_readme_is_small_and_tells_the_four_gestures() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let film = std::fs::read_to_string(root.join(".github/gestures.svg")).unwrap();
    assert!(film.len() < 400_000, "{}", film.len());
    for words in
        ["n  create a key", "vx_EXAMPLE·", "/  find it again", "d  revoke it", "S  whom a reminder sweep"]
    {
        assert!(film.contains(words), "{words}");
    }
    assert!(keyrack::domain::secret::find_secret(&film).is_none(), "a secret is in the film");
    assert!(std::fs::read_to_string(root.join("README.md")).unwrap().contains("(.github/gestures.svg)"));
}
