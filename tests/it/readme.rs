//! Every command of the README and of the pages behind it works as it stands there, in their order, for somebody who has nothing yet.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::database::{Database, skip};
use crate::support::pages::{page, pages, text};
use crate::support::program;
use crate::support::pty::Start;

/// A block: what stands after the language, and its lines.
struct Block {
    note: String,
    lines: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The blocks of a language.
fn blocks_of(language: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut inside, mut wanted) = (false, false);
    for line in text().lines() {
        match line.strip_prefix("```") {
            Some(_) if inside => (inside, wanted) = (false, false),
            Some(info) => {
                let (found, note) = info.split_once(' ').unwrap_or((info, ""));
                (inside, wanted) = (true, found == language);
                if wanted {
                    blocks.push(Block { note: note.trim().to_owned(), lines: Vec::new() });
                }
            }
            None if wanted => blocks.last_mut().unwrap().lines.push(line.to_owned()),
            None => {}
        }
    }
    blocks
}

/// The blocks of commands.
fn blocks() -> Vec<Block> {
    let blocks = blocks_of("sh");
    assert!(blocks.len() > 5, "the pages have lost their commands");
    blocks
}

/// Runs a block as one script, with `keyrack` on the PATH; every command must succeed.
fn run(home: &Path, block: &Block, path: &str, env: &[(&str, String)], replace: &[(&str, String)]) {
    let mut script = block.lines.join("\n");
    for (from, to) in replace {
        script = script.replace(from, to);
    }
    let output = Command::new("bash")
        .args(["-e", "-u", "-o", "pipefail", "-c", &script])
        .env_clear()
        .envs(program::environment(home))
        .env("PATH", path)
        .envs(env.iter().map(|(name, value)| (*name, value.as_str())))
        .current_dir(home)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "this does not work as the page has it ({}):\n{script}\n\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A folder with the program in it, to stand first on the PATH.
fn path_with_program(home: &Path) -> String {
    let bin = home.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    symlink(program::PROGRAM, bin.join("keyrack")).unwrap();
    let servers = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let servers: String =
        servers.map(|version| format!(":{}", version.path().join("bin").display())).collect();
    format!("{}:/usr/local/bin:/usr/bin:/bin{servers}", bin.display())
}

#[test]
fn the_commands_work_in_their_order_on_a_new_machine() {
    let home = tempfile::tempdir().unwrap();
    let path = path_with_program(home.path());
    let mut ran = 0;
    for block in blocks().iter().filter(|block| block.note.is_empty()) {
        if block.lines.iter().any(|line| line.starts_with("cargo") || line.starts_with("tests/")) {
            continue;
        }
        run(home.path(), block, &path, &[], &[]);
        ran += 1;
    }
    assert!(ran >= 4);
}

#[test]
fn a_team_on_postgresql_starts_as_the_page_says() {
    let test = "a_team_on_postgresql_starts_as_the_page_says";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let Some(db) = runtime.block_on(Database::postgres()) else {
        return skip(test, "PostgreSQL is not installed");
    };
    let home = tempfile::tempdir().unwrap();
    let path = path_with_program(home.path());
    let sockets = db.sockets().unwrap().display().to_string();
    // A name of our own for the database and the logins: other tests share the server.
    let name = format!("readme_{}", std::process::id());
    let replace = [
        ("db.example.com/keyrack", format!("localhost/{name}?host={sockets}")),
        ("--host db.example.com", format!("--host {sockets}")),
        ("--owner ada keyrack", format!("--owner ada_{name} {name}")),
        ("--username ada keyrack", format!("--username ada_{name} {name}")),
        ("ROLE ada", format!("ROLE ada_{name}")),
        ("ROLE bob", format!("ROLE bob_{name}")),
        ("ROLE sweeper", format!("ROLE sweeper_{name}")),
        ("set sweeper", format!("set sweeper_{name}")),
        ("set bob", format!("set bob_{name}")),
        ("//ada@", format!("//ada_{name}@")),
        ("//bob@", format!("//bob_{name}@")),
    ];
    let blocks = blocks();
    let blocks: Vec<_> = blocks.iter().filter(|block| block.note == "postgres").collect();
    assert_eq!(blocks.len(), 3);
    // What one block exports, the next one has.
    let address = format!("postgres://ada_{name}@localhost/{name}?host={sockets}");
    run(home.path(), blocks[0], &path, &[], &replace);
    run(home.path(), blocks[1], &path, &[("KEYRACK_DB", address.clone())], &replace);
    run(home.path(), blocks[2], &path, &[("KEYRACK_DB", address)], &replace);
    // What the sweeper was given is enough to sweep.
    let sweeper = format!("postgres://sweeper_{name}@localhost/{name}?host={sockets}");
    let swept = program::run(home.path(), ["--db", &sweeper, "reminders", "sweep"]);
    assert!(swept.status.success(), "{}", String::from_utf8_lossy(&swept.stderr));
}

#[test]
fn the_first_command_opens_the_console_and_q_leaves_it() {
    let starts: Vec<_> = blocks()
        .into_iter()
        .flat_map(|block| block.lines)
        .filter(|line| line.starts_with("cargo run --release"))
        .collect();
    assert_eq!(starts, ["cargo run --release"]);
    assert!(text().contains("`cargo run --release -- --demo`"));
    let home = tempfile::tempdir().unwrap();
    for args in [vec![], vec!["--demo".to_owned()]] {
        let demo = !args.is_empty();
        let mut terminal = Start::new(home.path()).args(args).spawn();
        terminal.wait("a screen", |screen| screen.alternate_screen() && screen.contents().len() > 100);
        if demo {
            terminal.wait_for("active");
            terminal.press("q");
        } else {
            terminal.press("ctrl-c");
        }
        terminal.wait_for_exit(Duration::from_secs(10));
        assert_eq!(terminal.left_behind(), Vec::<String>::new());
    }
}

#[test]
fn the_second_command_is_there_and_well_formed() {
    let scripts = ["tests/run", ".ci/run", "tests/support/cluster"];
    for script in scripts {
        let path = root().join(script);
        assert!(path.metadata().unwrap().permissions().mode() & 0o111 != 0, "{script} can't be run");
        assert!(Command::new("bash").arg("-n").arg(&path).status().unwrap().success(), "{script}");
    }
    assert!(blocks().iter().any(|block| block.lines == ["tests/run"]));
}

/// The headings of a page, as links name them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let plain = |c: char| c.is_alphanumeric() || c == ' ' || c == '-';
    let name = |line: &str| {
        let words: String = line.trim_start_matches('#').trim().chars().filter(|c| plain(*c)).collect();
        words.to_lowercase().replace(' ', "-")
    };
    headings.map(name).collect()
}

#[test]
fn every_file_and_heading_that_a_page_points_to_is_there() {
    for (path, text) in pages() {
        for target in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if target.starts_with("http") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let there = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let there = root().join(there);
            assert!(there.exists(), "{} points to {target}", path.display());
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&there).unwrap();
                assert!(anchors(&text).contains(&anchor.to_owned()), "{} points to {target}", path.display());
            }
        }
    }
}

#[test]
fn the_readme_is_short_and_every_page_stands_in_the_summary_and_begins_with_its_title() {
    let pages = pages();
    assert!(pages[0].1.len() <= 8_000, "{} bytes", pages[0].1.len());
    let mut found = Vec::new();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.extension().and_then(|ending| ending.to_str()) {
                None => folders.push(entry),
                Some("md") if !entry.ends_with("SUMMARY.md") => {
                    found.push(entry.strip_prefix(root()).unwrap().to_owned());
                }
                Some(_) => {}
            }
        }
    }
    found.sort();
    let mut told: Vec<_> = pages[1..].iter().map(|(path, _)| path.clone()).collect();
    told.sort();
    assert_eq!(told, found);
    for (path, text) in &pages {
        let titles = text.lines().filter(|line| line.starts_with("# ")).count();
        assert!(text.starts_with("# ") && titles >= 1, "{}", path.display());
    }
}

#[test]
fn the_settings_on_the_page_are_the_settings_of_the_program() {
    let told = text();
    for name in keyrack::config::settings::CONSOLE.rows.iter().map(|row| row.name) {
        assert!(told.contains(&format!("`{name}`")), "no page tells of the setting {name}");
    }
    let home = tempfile::tempdir().unwrap();
    let facts = program::json(home.path(), ["info", "--json"]);
    let names: Vec<&str> =
        facts.as_array().unwrap().iter().filter_map(|fact| fact["name"].as_str()).collect();
    for table in ["mail", "gate"] {
        let own = names.iter().filter_map(|name| name.strip_prefix(table)?.strip_prefix('.'));
        assert!(own.clone().count() > 10);
        for name in own {
            assert!(told.contains(&format!("`{name}`")), "no page tells of the setting {name} of [{table}]");
        }
    }
    // And the example is taken as it stands.
    let home = tempfile::tempdir().unwrap();
    let settings = page("settings.md");
    let example = settings.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = home.path().join(".config/keyrack");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), example).unwrap();
    let info = program::stdout(home.path(), ["info"]);
    assert!(info.contains("light") && info.contains("config.toml"), "{info}");
    let mail = blocks_of("toml").into_iter().find(|block| block.note == "mail").unwrap();
    std::fs::write(folder.join("config.toml"), mail.lines.join("\n")).unwrap();
    let info = program::stdout(home.path(), ["info"]);
    assert!(info.contains("smtp.example.com") && !info.contains("mail.mistake"), "{info}");
    let gate = blocks_of("toml").into_iter().find(|block| block.note == "gate").unwrap();
    std::fs::write(folder.join("config.toml"), gate.lines.join("\n")).unwrap();
    let info = program::stdout(home.path(), ["info"]);
    assert!(info.contains("api.voxpria.com=voxpria") && !info.contains("gate.mistake"), "{info}");
}

#[test]
fn the_units_on_the_page_are_units_that_systemd_takes() {
    let folder = tempfile::tempdir().unwrap();
    let units = blocks_of("ini");
    let names: Vec<&str> = units.iter().map(|unit| unit.note.as_str()).collect();
    let wanted = [
        "keyrack-events.service",
        "keyrack-reminders.service",
        "keyrack-reminders.timer",
        "keyrack-gate.service",
    ];
    assert_eq!(names, wanted);
    for unit in &units {
        let file = std::fs::read_to_string(root().join("dist/systemd").join(&unit.note)).unwrap();
        assert_eq!(file.trim_end(), unit.lines.join("\n"), "dist/systemd/{}", unit.note);
        let program =
            unit.lines.iter().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/keyrack "));
        if let Some(arguments) = program {
            // The arguments are the program's own: with a question for help it answers with success.
            let mut arguments: Vec<&str> = arguments.split(' ').collect();
            arguments.push("--help");
            program::stdout(folder.path(), arguments);
        }
        for line in unit.lines.iter().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let section = line.starts_with('[') && line.ends_with(']');
            assert!(section || line.split_once('=').is_some(), "{}: {line}", unit.note);
        }
        let text = unit.lines.join("\n").replace("/usr/local/bin/keyrack", program::PROGRAM);
        std::fs::write(folder.path().join(&unit.note), text).unwrap();
    }
    let sweep = std::fs::read_to_string(root().join("dist/systemd/keyrack-sweep.service")).unwrap();
    let arguments =
        sweep.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/keyrack ")).unwrap();
    program::stdout(folder.path(), arguments.split(' ').chain(["--help"]));
    let sweep = sweep.replace("/usr/local/bin/keyrack", program::PROGRAM);
    std::fs::write(folder.path().join("keyrack-sweep.service"), sweep).unwrap();
    let verify = Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--recursive-errors=no"])
        .args(units.iter().map(|unit| folder.path().join(&unit.note)))
        .output();
    // Where there is no systemd, nobody starts units either.
    let Ok(output) = verify else { return };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[test]
fn the_addresses_on_the_page_are_taken() {
    let block = blocks_of("text").into_iter().find(|block| block.note == "addresses").unwrap();
    let also = block.lines.iter().flat_map(|line| line.split('`').skip(1).step_by(2));
    let firsts = block.lines.iter().filter_map(|line| line.split_whitespace().next());
    for address in also.chain(firsts) {
        keyrack::store::Location::parse(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    }
    let told = keyrack::store::Location::parse("postgres://a/k?service=keys").unwrap_err().to_string();
    assert!(told.contains("service"), "{told}");
}

#[test]
fn the_line_for_cron_is_a_command_of_the_program() {
    let line = blocks_of("cron").remove(0).lines.remove(0);
    let command = line.split_once("keyrack ").unwrap().1;
    let home = tempfile::tempdir().unwrap();
    assert_eq!(line.split_whitespace().take(5).filter(|field| *field == "*").count(), 4);
    program::stdout(home.path(), ["migrate"]);
    // With nothing due it is silent, so that cron sends no mail.
    let output = program::run(home.path(), command.split(' '));
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
}
