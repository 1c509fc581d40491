//! The reminder service under a supervisor, and sweeps that are cut off.

use std::collections::BTreeMap;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::support::database::Database;
use crate::support::people::age;
use crate::support::postbox::Postbox;
use crate::support::program::{ended, signal};
use crate::support::script::{Script, succeeded, text, texts};
use rustix::process::Signal;

const DAY: i64 = 86_400;
const PATIENCE: Duration = Duration::from_secs(30);

/// So many accounts, each with a key that ends in 20 days and was made long ago.
async fn due(db: &Database, accounts: usize) -> Script<'_> {
    let keyrack = Script::on(db);
    keyrack.ok(&["issuer", "add", "voicegram"]);
    for n in 0..accounts {
        let (slug, mail) = (format!("a{n}"), format!("it@a{n}.example"));
        keyrack.ok(&[
            "account",
            "create",
            "--issuer",
            "voicegram",
            "--slug",
            &slug,
            "--name",
            &slug,
            "--admin",
            &mail,
        ]);
        let key = keyrack.json(&["key", "create", "--account", &slug, "--name", "k", "--expires", "20d"]);
        keyrack.ok(&["key", "acknowledge", text(&key, "id")]);
    }
    age(db, 60 * DAY).await;
    keyrack
}

fn start(keyrack: &Script<'_>, postbox: &Postbox, args: &[&str], more: &[(&str, String)]) -> Child {
    keyrack
        .command(args)
        .envs(postbox.environment())
        .envs(more.iter().map(|(name, value)| (*name, value.as_str())))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What a supervisor hears.
struct Supervisor {
    socket: UnixDatagram,
    path: String,
}

impl Supervisor {
    fn new(db: &Database) -> Self {
        let path = db.dir().join("notify").display().to_string();
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, path }
    }

    /// Reads messages until one holds this; answers all of them.
    fn wait_for(&self, words: &str) -> Vec<String> {
        let mut heard = Vec::new();
        let mut bytes = [0; 4096];
        while !heard.iter().any(|message: &String| message.contains(words)) {
            let length = self
                .socket
                .recv(&mut bytes)
                .unwrap_or_else(|error| panic!("{words:?} ({error}) in {heard:?}"));
            heard.push(String::from_utf8(bytes[..length].to_vec()).unwrap());
        }
        heard
    }
}

/// How often each recipient got a letter.
fn counted(postbox: &Postbox) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for letter in postbox.letters() {
        *counted.entry(letter.to).or_default() += 1;
    }
    counted
}

/// Lets every claim of a killed sweep run out now, instead of minutes later.
async fn let_claims_lapse(db: &Database) {
    let sql = if db.is_postgres() {
        "UPDATE deliveries SET claimed_until = now() - interval '1 s' WHERE claimed_until IS NOT NULL"
    } else {
        "UPDATE deliveries SET claimed_until = 1 WHERE claimed_until IS NOT NULL"
    };
    db.execute(sql).await;
}

on_both! {
    async fn the_service_tells_that_it_is_ready_and_alive_and_ends_cleanly(db) {
        let keyrack = due(&db, 2).await;
        let postbox = Postbox::open();
        let supervisor = Supervisor::new(&db);
        let variables = [("NOTIFY_SOCKET", supervisor.path.clone()), ("WATCHDOG_USEC", "400000".into())];
        let mut service = start(&keyrack, &postbox, &["reminders", "watch", "--every", "1h"], &variables);
        let ready = supervisor.wait_for("READY=1");
        assert!(ready.last().unwrap().contains("STATUS=sweeping every 1h"), "{ready:?}");
        let swept = supervisor.wait_for("sent 2 letters with 2 reminders");
        assert!(swept.last().unwrap().contains("next sweep is due by 20"), "{swept:?}");
        postbox.wait_for(2);
        // At rest it goes on saying that it is alive.
        supervisor.wait_for("WATCHDOG=1");
        supervisor.wait_for("WATCHDOG=1");
        signal(&service, Signal::TERM);
        supervisor.wait_for("STOPPING=1");
        assert_eq!(ended(&mut service).code(), Some(0));
        let (stdout, stderr) = texts(&service.wait_with_output().unwrap());
        assert_eq!(stdout, "");
        assert!(stderr.contains("INFO") && stderr.contains("the reminder service ends"), "{stderr}");
        let sweeps = keyrack.json(&["reminders", "sweeps"]);
        assert_eq!((text(&sweeps[0], "door"), text(&sweeps[0], "progress")), ("watch", "ended"));
    }

    async fn the_service_stops_between_two_letters_and_the_next_sweep_carries_on(db) {
        let keyrack = due(&db, 6).await;
        let postbox = Postbox::open();
        postbox.slow(Duration::from_millis(400));
        let supervisor = Supervisor::new(&db);
        let variables = [("NOTIFY_SOCKET", supervisor.path.clone()), ("WATCHDOG_USEC", "400000".into())];
        let mut service = start(&keyrack, &postbox, &["reminders", "watch"], &variables);
        postbox.wait_for(2);
        supervisor.wait_for("WATCHDOG=1");
        signal(&service, Signal::INT);
        assert_eq!(ended(&mut service).code(), Some(0));
        let stopped = postbox.letters().len();
        assert!(stopped < 6, "it went on to the end");
        let sweeps = keyrack.json(&["reminders", "sweeps"]);
        assert_eq!(text(&sweeps[0], "progress"), "stopped");
        // Nothing is left in hand: the next sweep sends the rest at once.
        postbox.slow(Duration::ZERO);
        succeeded(&["sweep"], &keyrack.command(&["reminders", "sweep"]).envs(postbox.environment()).output().unwrap());
        let counted = counted(&postbox);
        assert!(counted.len() == 6 && counted.values().all(|times| *times == 1), "{counted:?}");
    }

    async fn ctrl_c_ends_a_sweep_between_two_letters_with_130(db) {
        let keyrack = due(&db, 6).await;
        let postbox = Postbox::open();
        postbox.slow(Duration::from_millis(400));
        let mut sweep = start(&keyrack, &postbox, &["reminders", "sweep", "--json"], &[]);
        postbox.wait_for(2);
        signal(&sweep, Signal::INT);
        assert_eq!(ended(&mut sweep).code(), Some(130));
        let (stdout, stderr) = texts(&sweep.wait_with_output().unwrap());
        let told: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(told["letters"].as_array().unwrap().len(), postbox.letters().len(), "{stdout}{stderr}");
        assert_eq!(text(&told["sweep"], "progress"), "stopped");
        assert!(stderr.contains("stopping after the letters under way"), "{stderr}");
        succeeded(&["sweep"], &keyrack.command(&["reminders", "sweep"]).envs(postbox.environment()).output().unwrap());
        let counted = counted(&postbox);
        assert!(counted.len() == 6 && counted.values().all(|times| *times == 1), "{counted:?}");
    }

    async fn a_sweep_that_its_supervisor_stops_ends_with_success(db) {
        let keyrack = due(&db, 6).await;
        let postbox = Postbox::open();
        postbox.slow(Duration::from_millis(400));
        let mut sweep = start(&keyrack, &postbox, &["reminders", "sweep"], &[]);
        postbox.wait_for(2);
        signal(&sweep, Signal::TERM);
        assert_eq!(ended(&mut sweep).code(), Some(0));
        assert!(postbox.letters().len() < 6, "it went on to the end");
        assert_eq!(text(&keyrack.json(&["reminders", "sweeps"])[0], "progress"), "stopped");
        // Told twice, it does not take the time to obey.
        postbox.slow(Duration::from_secs(5));
        let heard = postbox.heard();
        let mut sweep = start(&keyrack, &postbox, &["reminders", "sweep"], &[]);
        postbox.wait_to_hear(heard + 1);
        signal(&sweep, Signal::TERM);
        std::thread::sleep(Duration::from_millis(500));
        signal(&sweep, Signal::TERM);
        assert_eq!(ended(&mut sweep).code(), Some(143));
        // A letter that failed before is a failure all the same.
        postbox.slow(Duration::ZERO);
        let_claims_lapse(&db).await;
        for n in 0..6 {
            postbox.refuse(&format!("it@a{n}.example"), "550 5.1.1 no such mailbox");
        }
        let failed = keyrack.command(&["reminders", "sweep"]).envs(postbox.environment()).output().unwrap();
        assert_eq!(failed.status.code(), Some(6), "{failed:?}");
    }

    async fn a_service_that_is_killed_in_the_middle_loses_nothing(db) {
        let keyrack = due(&db, 6).await;
        let postbox = Postbox::open();
        postbox.slow(Duration::from_millis(300));
        let mut service = start(&keyrack, &postbox, &["reminders", "watch"], &[]);
        postbox.wait_for(3);
        service.kill().unwrap();
        service.wait().unwrap();
        postbox.slow(Duration::ZERO);
        let_claims_lapse(&db).await;
        let output = keyrack.command(&["reminders", "sweep", "--json"]).envs(postbox.environment()).output().unwrap();
        let (stdout, stderr) = texts(&output);
        assert!(matches!(output.status.code(), Some(0 | 6)), "{stdout}{stderr}");
        let counted = counted(&postbox);
        assert_eq!(counted.len(), 6, "somebody was forgotten: {counted:?}");
        // A letter that was under way may come twice, and then it is recognisable as the same.
        let mut of_ids: BTreeMap<String, String> = BTreeMap::new();
        for letter in postbox.letters() {
            let id = letter.header("Message-ID").unwrap().to_owned();
            assert_eq!(of_ids.entry(letter.to.clone()).or_insert_with(|| id.clone()), &id, "{counted:?}");
        }
        assert!(counted.values().filter(|times| **times > 1).count() <= 3, "{counted:?}");
    }

    async fn a_database_or_a_mail_server_that_is_away_ends_no_service(db) {
        let keyrack = due(&db, 1).await;
        let postbox = Postbox::open();
        let supervisor = Supervisor::new(&db);
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let variables = [("NOTIFY_SOCKET", supervisor.path.clone()), ("KEYRACK_MAIL_PORT", gone.to_string())];
        let mut service = start(&keyrack, &postbox, &["reminders", "watch"], &variables);
        supervisor.wait_for("no connection to 127.0.0.1");
        assert_eq!(service.try_wait().unwrap(), None);
        signal(&service, Signal::TERM);
        assert_eq!(ended(&mut service).code(), Some(0));
        let (_, stderr) = texts(&service.wait_with_output().unwrap());
        assert!(stderr.contains("WARN") && stderr.contains("no connection"), "{stderr}");

        let mut nowhere = crate::support::program::keyrack(
            db.dir(), ["--db", "postgres://ada@127.0.0.1:1/none?sslmode=disable", "reminders", "watch"],
        );
        nowhere.envs(postbox.environment()).env("NOTIFY_SOCKET", &supervisor.path).stderr(Stdio::piped());
        let mut service = nowhere.spawn().unwrap();
        supervisor.wait_for("READY=1");
        supervisor.wait_for("no sweep: ");
        assert_eq!(service.try_wait().unwrap(), None);
        signal(&service, Signal::TERM);
        assert_eq!(ended(&mut service).code(), Some(0));
        let (_, stderr) = texts(&service.wait_with_output().unwrap());
        assert!(stderr.contains("ERROR") && stderr.contains("no sweep"), "{stderr}");
    }
}
