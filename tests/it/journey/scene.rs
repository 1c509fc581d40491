//! Revoked means refused, seen from end to end: the console, two gates, a real nginx, a key of each preset.

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::database::{Database, skip};
use crate::support::gate::Gate;
use crate::support::http::{Answer, free_port, send};
use crate::support::pages;
use crate::support::program;
use crate::support::pty::{PATIENCE, Start, Terminal};
use crate::support::servers::{self, Api, Server};

/// The four presets: an account of the demo under each, the header that its documents show, and a request that fits its
/// routes.
const PRESETS: [(&str, &str, &str, &str); 4] = [
    ("voicegram", "stark-insurance", "Authorization: Bearer ", "/api/v1/me"),
    ("voxpria", "globex-logistics", "Authorization: Bearer ", "/api/v1/calls"),
    ("vozagent", "acme-motors", "Authorization: Bearer ", "/contacts"),
    ("voiceinfra", "umbra-dental", "X-API-Key: ", "/v1/agents"),
];

const LIMITS: [&str; 5] =
    ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit-policy", "ratelimit"];

/// What VoiceInfra's documents show, byte for byte.
const REFUSED: &str = r#"{"error":{"code":"unauthorized","message":"Invalid or missing API key."}}"#;

/// A key that the program made, in a file.
struct Made {
    secret: String,
    header: &'static str,
    path: &'static str,
}

impl Made {
    fn new(db: &Database, preset: (&'static str, &'static str, &'static str, &'static str)) -> Self {
        let (slug, account, header, path) = preset;
        let (address, name, file) = (db.address(), format!("Scene {slug}"), format!("{slug}.key"));
        let mut args = vec!["--db", &address, "key", "create", "--name", &name, "--account", account];
        args.extend(["--out", &file]);
        if slug == "voxpria" {
            args.extend(["--scope", "calls:read"]);
        }
        program::stdout(db.dir(), args);
        let secret = std::fs::read_to_string(db.dir().join(file)).unwrap().trim_end().to_owned();
        Self { secret, header, path }
    }

    fn ask(&self, nginx: SocketAddr) -> Answer {
        let (name, scheme) = self.header.split_once(": ").unwrap();
        send(nginx, "GET", self.path, &[(name, &format!("{scheme}{}", self.secret))], "")
    }
}

/// Checks the headers about limits: the least of the budgets, what is left of it, and all budgets in the words of the IETF.
#[track_caller]
fn promises(answer: &Answer, limit: i64, remaining: i64, policy: &str, left: &str) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.number("x-ratelimit-limit"), limit, "{answer:?}");
    assert_eq!(answer.number("x-ratelimit-remaining"), remaining, "{answer:?}");
    let reset = answer.number("x-ratelimit-reset") - chrono::DateTime::timestamp(&now());
    assert!((0..=61).contains(&reset), "in {reset} s: {answer:?}");
    assert_eq!(answer.header("ratelimit-policy"), Some(policy));
    // The seconds until it is whole again differ from one run to the next.
    let told = answer.header("ratelimit").unwrap();
    let told: Vec<&str> = told.split(", ").map(|one| one.rsplit_once(";t=").unwrap().0).collect();
    assert_eq!(told.join(", "), left);
}

fn now() -> keyrack::domain::Instant {
    keyrack::clock::Clock::System.now()
}

/// The milliseconds that the screen tells behind these words.
#[track_caller]
fn milliseconds(terminal: &Terminal, words: &str) -> u64 {
    let line = terminal.line_with(words).unwrap_or_else(|| panic!("no {words:?}:\n{}", terminal.text()));
    line.split(words).nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

on_both! {
    async fn vg_17_a_key_that_is_revoked_in_the_console_gets_the_documents_refusal_through_nginx_and_explain_says_why(db) {
        let address = db.address();
        program::stdout(db.dir(), ["--quiet", "--db", &address, "demo"]);
        let [voicegram, voxpria, vozagent, voiceinfra] = PRESETS.map(|preset| Made::new(&db, preset));
        let one = Gate::start(&db, &["--name", "gate-1"]);
        let two = Gate::start(&db, &["--name", "gate-2"]);
        assert!(one.log().contains(&format!("database={address}")), "{}", one.log());
        let api = Api::start();
        let Some(nginx) = Server::nginx(db.dir(), &one.address.into(), api.address) else {
            return skip("the scene", "nginx is not installed (apt-get install nginx)");
        };

        // Each preset's own promises.
        let answer = voicegram.ask(nginx.address);
        promises(&answer, 60, 59, "\"endpoint-60\";q=60;w=60", "\"endpoint-60\";r=59");
        let budgets = "\"key-60\";q=100;w=60, \"key-3600\";q=1000;w=3600";
        promises(&voxpria.ask(nginx.address), 100, 99, budgets, "\"key-60\";r=99, \"key-3600\";r=999");
        let other = Made { header: "X-API-Key: ", ..voxpria };
        promises(&other.ask(nginx.address), 100, 98, budgets, "\"key-60\";r=98, \"key-3600\";r=998");
        for made in [&vozagent, &voiceinfra] {
            let answer = made.ask(nginx.address);
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(LIMITS.iter().all(|name| answer.header(name).is_none()), "no limit: {answer:?}");
        }
        assert_eq!(api.count(), 5);

        // One is revoked at the console's table.
        let home = tempfile::tempdir().unwrap();
        let mut console = Start::new(home.path()).on(&address).size(80, 24).spawn();
        console.wait_for("● live");
        console.press("/");
        console.type_text("scene voiceinfra");
        console.press("enter");
        console.wait("that key alone", |screen| {
            let text = screen.contents();
            text.contains("Scene voiceinfra") && !text.contains("Scene vozagent")
        });
        console.press("d");
        console.wait_for("Revoke API key Scene voiceinfra?");
        console.answer("y");
        console.wait_for("Refused everywhere: all 2 gates confirmed");
        for gate in ["✓ gate-1 confirmed after", "✓ gate-2 confirmed after"] {
            let after = milliseconds(&console, gate);
            assert!(after < 1_000, "{gate} {after} ms");
        }

        // The next request, at either gate.
        let answer = voiceinfra.ask(nginx.address);
        assert_eq!((answer.status, answer.body.as_str()), (401, REFUSED));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let answer = two.auth("GET", voiceinfra.path, &[("X-API-Key", &voiceinfra.secret)]);
        assert_eq!((answer.status, answer.body.as_str()), (401, REFUSED));
        assert_eq!(api.count(), 5, "what is refused does not reach the API");
        // VI-07: the others go on working.
        assert_eq!(vozagent.ask(nginx.address).status, 200);

        // Why, when, by whom.
        let found = program::json(db.dir(), ["--db", &address, "key", "list", "--json", "--filter", "Scene status:revoked"]);
        let [key] = found.as_array().unwrap().as_slice() else { panic!("{found}") };
        let at = chrono::DateTime::parse_from_rfc3339(key["revoked_at"].as_str().unwrap()).unwrap();
        let expected = format!(
            "The key was revoked on {} by {}.",
            at.to_utc().format("%Y-%m-%d at %H:%M:%S UTC"),
            key["revoked_by"].as_str().unwrap()
        );
        let sent = voiceinfra.secret.as_bytes();
        let explained = program::run_with_input(db.dir(), ["--db", &address, "explain"], sent);
        let said = String::from_utf8(explained.stdout).unwrap();
        assert!(said.contains(&expected), "{expected}\n{said}");
        assert_eq!(explained.status.code(), Some(6));
        assert!(!said.contains(&voiceinfra.secret));
    }
}

/// A person's shell, which gets the page's blocks one after the other.
struct Shell {
    child: Child,
    out: PathBuf,
    blocks: usize,
}

impl Shell {
    fn start(dir: &Path, temp: &Path) -> Self {
        let out = dir.join("out");
        let file = std::fs::File::create(&out).unwrap();
        let bin = dir.join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(program::PROGRAM, bin.join("keyrack")).unwrap();
        let child = Command::new("bash")
            .env_clear()
            .envs(program::environment(dir))
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin", bin.display()))
            .env("TMPDIR", temp)
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            // A group of its own, so that what it started can be ended with it.
            .process_group(0)
            .spawn()
            .unwrap();
        Self { child, out, blocks: 0 }
    }

    /// Runs a block; answers what was said meanwhile.
    #[track_caller]
    fn run(&mut self, block: &str) -> String {
        self.blocks += 1;
        let (before, mark) = (self.said().len(), format!("the end of block {}: ", self.blocks));
        let script = format!("{block}\necho \"{mark}$?\"\n");
        self.child.stdin.as_mut().unwrap().write_all(script.as_bytes()).unwrap();
        let begun = Instant::now();
        while !self.said().contains(&mark) {
            assert!(begun.elapsed() < PATIENCE * 2, "it does not end:\n{block}\n\n{}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.said()[before..].to_owned()
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.child.wait();
    }
}

/// The page's blocks of this scene, with ports of our own in the place of its.
fn blocks(ports: &[(String, String)]) -> Vec<String> {
    let page = pages::page("gate/overview.md");
    let blocks = page.split("```sh scene\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks
        .map(|block| ports.iter().fold(block.to_owned(), |text, (from, to)| text.replace(from, to)))
        .collect()
}

#[test]
fn the_scene_of_the_readme_beside_the_demo_goes_as_the_page_says() {
    if servers::program("nginx").is_none() || servers::program("curl").is_none() {
        return skip(
            "the scene of the README",
            "nginx or curl is not installed (apt-get install nginx curl)",
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let temp = dir.path().join("tmp");
    let recipes = dir.path().join("tests/recipes");
    std::fs::create_dir(&temp).unwrap();
    std::fs::create_dir_all(&recipes).unwrap();
    let ports = ["8100", "8101", "8080", "9000"];
    let ports = ports.map(|port| (format!(":{port}"), format!(":{}", free_port())));
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recipes");
    for name in ["nginx.conf", "scene.conf"] {
        let text = std::fs::read_to_string(own.join(name)).unwrap();
        let text = ports.iter().fold(text, |text, (from, to)| text.replace(from, to));
        std::fs::write(recipes.join(name), text).unwrap();
    }
    let blocks = blocks(&ports);
    assert_eq!(blocks.len(), 3);

    let start = Start::new(dir.path()).args(["--demo"]).env("TMPDIR", &temp.display().to_string());
    let mut console = start.size(80, 24).spawn();
    console.wait_for("● live");
    let mut shell = Shell::start(dir.path(), &temp);
    let said = shell.run(&blocks[0]);
    assert_eq!(said.matches("HTTP/1.1 200 OK").count(), 4, "{said}");
    for (slug, account, _, _) in PRESETS {
        assert!(said.contains(&format!("{{\"account\":\"{account}\",\"issuer\":\"{slug}\"")), "{said}");
    }
    assert!(said.contains("RateLimit-Policy: \"endpoint-60\";q=60;w=60"), "{said}");
    assert!(said.contains("RateLimit-Policy: \"key-60\";q=100;w=60, \"key-3600\";q=1000;w=3600"), "{said}");
    assert_eq!(said.matches("X-RateLimit-Limit: ").count(), 2, "{said}");

    let secret = std::fs::read_to_string(dir.path().join("voiceinfra.key")).unwrap();
    console.press("x");
    console.wait_for("Paste the exposed key");
    console.paste(&secret);
    console.wait_for("Exposed key: Scene");
    console.answer("y");
    console.wait_for("Refused everywhere: all 2 gates confirmed");
    for (_, port) in &ports[..2] {
        assert!(milliseconds(&console, &format!("✓ 127.0.0.1{port} confirmed after")) < 1_000);
    }

    let said = shell.run(&blocks[1]);
    assert!(said.contains("HTTP/1.1 401 Unauthorized"), "{said}");
    assert!(said.lines().any(|line| line == REFUSED), "{said}");
    assert!(said.contains("The key was revoked on ") && said.contains("the end of block 2: 6"), "{said}");
    let said = shell.run(&blocks[2]);
    assert!(said.contains("the end of block 3: 0"), "{said}");
    assert!(!shell.said().contains(secret.trim_end()), "a secret was said");
    console.press("enter");
    console.press("q");
    console.wait_for_exit(PATIENCE);
    assert_eq!(
        std::fs::read_dir(&temp)
            .unwrap()
            .filter(|entry| {
                entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("keyrack-demo-")
            })
            .count(),
        0
    );
}
