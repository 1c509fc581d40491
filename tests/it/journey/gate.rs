//! What on-call staff see of the gates in the console, in a real terminal, with real gates, on both databases.

use crate::support::database::Database;
use crate::support::gate::Gate;
use crate::support::people::{keep, make_kept, office, preset, scoped};
use crate::support::pty::{Start, Terminal};
use keyrack::domain::secret::PlainKey;
use tempfile::TempDir;

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn console(home: &TempDir, db: &Database, size: (u16, u16)) -> Terminal {
    Start::new(home.path()).on(&db.address()).size(size.0, size.1).spawn()
}

/// The milliseconds that the screen tells behind these words.
fn milliseconds(terminal: &Terminal, words: &str) -> u64 {
    let line = terminal.line_with(words).unwrap_or_else(|| panic!("no {words:?}:\n{}", terminal.text()));
    let rest = line.split(words).nth(1).unwrap();
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

on_both! {
    async fn vg_17_an_exposed_key_is_refused_everywhere_and_the_receipt_says_after_how_many_milliseconds(db) {
        let service = office(&db, preset("voxpria")).await;
        let leaked = make_kept(&service, "acme", "Leaked").await;
        let one = Gate::start(&db, &["--name", "gate-1"]);
        let two = Gate::start(&db, &["--name", "gate-2"]);
        assert_eq!((one.me(&leaked.secret).status, two.me(&leaked.secret).status), (200, 200));
        let home = home();
        let mut terminal = console(&home, &db, (80, 24));
        terminal.wait_for("● active");
        terminal.press("x");
        terminal.wait_for("Paste the exposed key");
        terminal.paste(leaked.secret.expose());
        terminal.wait_for("Exposed key: Leaked");
        terminal.answer("y");
        terminal.wait_for("Refused everywhere: all 2 gates confirmed");
        for gate in ["✓ gate-1 confirmed after", "✓ gate-2 confirmed after"] {
            let after = milliseconds(&terminal, gate);
            assert!(after < 1_000, "{gate} {after} ms");
        }
        assert_eq!((one.me(&leaked.secret).status, two.me(&leaked.secret).status), (401, 401));
    }

    async fn a_gate_that_crashed_is_said_to_be_out_of_touch_and_the_others_confirm(db) {
        let service = office(&db, preset("voxpria")).await;
        make_kept(&service, "acme", "Old one").await;
        let _one = Gate::start(&db, &["--name", "gate-1"]);
        Gate::start(&db, &["--name", "gate-2"]).kill();
        let home = home();
        let mut terminal = console(&home, &db, (100, 30));
        terminal.wait_for("● active");
        terminal.press("d");
        terminal.wait_for("[ No, keep ]");
        terminal.answer("y");
        terminal.wait_for("✓ gate-1 confirmed after");
        terminal.wait_for("! gate-2 out of touch since");
        terminal.wait_for("it refuses everything until");
        terminal.wait_for("Refused everywhere: one gate confirmed after");
        terminal.press("enter");
        terminal.wait_for("Old one revoked at");
    }

    async fn vp_09_use_and_a_run_of_failed_attempts_are_seen_in_the_console(db) {
        let service = office(&db, preset("voxpria")).await;
        let busy = make_kept(&service, "acme", "Busy").await;
        let gate = Gate::start(&db, &["--name", "gate-1"]);
        let home = home();
        let mut terminal = console(&home, &db, (200, 50));
        terminal.wait_for("Last 24h");
        for _ in 0..3 {
            assert_eq!(gate.me(&busy.secret).status, 200);
        }
        let since = service.now().await.unwrap() - chrono::Duration::hours(1);
        for _ in 0..200 {
            let usage = service.usage(&[busy.key.id], since).await.unwrap();
            let allowed: u64 = usage.values().flatten().map(|minute| minute.counts.allowed).sum();
            if allowed == 3 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        terminal.press("q");
        terminal.wait_for_exit(crate::support::pty::PATIENCE);

        let mut terminal = console(&home, &db, (200, 50));
        terminal.wait("a bar for the key's use", |screen| {
            screen.contents().lines().any(|line| line.contains("Busy") && line.contains('█'))
        });
        terminal.press("enter");
        terminal.wait_for("3 allowed, 0 refused, 0 limited");
        terminal.wait_for("from 127.0.0.1");
        terminal.press("esc");

        // Somebody tries keys that nobody made: the badge comes by itself.
        let policy = preset("voxpria");
        for number in 0..30u8 {
            let unknown = PlainKey::make(&policy.format.prefix, policy.format.body, &[number; 32]);
            assert_ne!(gate.me(&unknown).status, 200);
        }
        terminal.wait_for("! 1 alert");
        terminal.press("8");
        terminal.wait_for("failed attempts");
        terminal.wait_for("gate-1");
        terminal.wait_for("✓ alive");
        terminal.press("a");
        terminal.wait_for("1 alert acknowledged");
        terminal.wait_until_gone("! 1 alert");
    }

    async fn a_key_whose_secret_was_seen_by_others_is_revoked_at_its_reveal_with_the_gates_receipt(db) {
        office(&db, preset("voicegram")).await;
        let gate = Gate::start(&db, &["--name", "gate-1"]);
        let home = home();
        let mut terminal = console(&home, &db, (80, 24));
        terminal.wait_for("admin");
        terminal.wait_for("No Tokens Yet");
        terminal.press("n");
        terminal.wait_for("acme Inc.");
        terminal.press("enter");
        terminal.wait_for("what the key is for");
        terminal.type_text("CI");
        terminal.press("ctrl-s");
        terminal.wait_for("The secret is shown once");
        terminal.answer("enter");
        terminal.wait_for("This is the only time it is shown");
        let line = terminal.line_with("vg_pat_").unwrap();
        let header = format!("Bearer {}", line.trim());
        let me = || gate.get("/api/v1/me", &[("Authorization", &header)]).status;
        assert_eq!(me(), 200);
        terminal.press("x");
        terminal.wait_for("Revoke this new token immediately?");
        terminal.answer("y");
        terminal.wait_for("✓ gate-1 confirmed after");
        assert_eq!(me(), 401);
        assert!(!terminal.text().contains(line.trim()), "the secret is gone from the screen");
        terminal.press("enter");
        terminal.wait_for("CI revoked at");
    }

    async fn budgets_that_are_agreed_in_the_console_hold_at_the_gates_next_request(db) {
        let service = office(&db, preset("voxpria")).await;
        let made = keep(&service, scoped("acme", "calls:read")).await;
        let gate = Gate::start(&db, &["--name", "gate-1"]);
        let ask = || gate.auth_with("GET", "/api/v1/calls", &made.secret);
        assert_eq!(ask().number("x-ratelimit-limit"), 100);
        let home = home();
        let mut terminal = console(&home, &db, (80, 24));
        terminal.wait_for("● active");
        terminal.wait_for("admin");
        terminal.press("L");
        terminal.wait_for("100 a minute, 1000 an hour; the account has no plan");
        terminal.type_text("3/1m");
        terminal.wait_for("From the next request on: 3 a minute, agreed for this key");
        terminal.answer("ctrl-s");
        terminal.wait_for("scoped has 3/1m");
        // The request before counts: no more than three in any minute.
        let answers = [ask(), ask(), ask()];
        assert_eq!((answers[0].status, answers[2].status), (200, 429), "{answers:?}");
        assert!(answers.iter().all(|answer| answer.number("x-ratelimit-limit") == 3), "{answers:?}");
        terminal.press("L");
        terminal.wait_for("3 a minute, agreed for this key");
        terminal.press("ctrl-u");
        terminal.answer("ctrl-s");
        terminal.wait_for("scoped has its policy's limits again");
        let answer = ask();
        assert_eq!((answer.status, answer.number("x-ratelimit-limit")), (200, 100));
    }

    async fn va_10_a_pasted_preview_is_explained_in_the_console(db) {
        let service = office(&db, preset("voxpria")).await;
        let made = make_kept(&service, "acme", "Zapier").await;
        let home = home();
        let mut terminal = console(&home, &db, (80, 24));
        terminal.wait_for("● active");
        terminal.press("E");
        terminal.wait_for("Why is this key refused?");
        terminal.paste(&made.key.preview);
        terminal.wait_for("The masked preview was sent instead of the key.");
        terminal.paste(&format!(" {}", made.secret.expose()));
        terminal.wait_for("There is white space around or in the key");
        terminal.wait_for("It is the key \"Zapier\"");
        assert!(!terminal.text().contains(&made.secret.expose()[8..]), "the pasted secret was shown");
        terminal.press("esc");
        terminal.press("W");
        terminal.wait_for("Explain: Zapier");
        terminal.wait_for("Account acme is in good standing.");
    }
}
