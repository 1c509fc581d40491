//! Somebody sits on a lock of PostgreSQL's while a console opens: who that is, is said, and the keys work.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::database::{Database, run_on_postgres};
use crate::support::people::{make_kept, office, preset};
use crate::support::pty::Start;

/// A session of its own that holds these tables.
fn hold(db: &Database, tables: &str) -> Child {
    let mut holder = Command::new("psql")
        .args(["-qAt", "-h", db.sockets().unwrap().to_str().unwrap(), "-U", "postgres", "-d", &db.name()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let begin = format!("BEGIN; LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE; SELECT 1;\n");
    holder.stdin.as_mut().unwrap().write_all(begin.as_bytes()).unwrap();
    BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
    holder
}

fn let_go(mut holder: Child) {
    holder.kill().unwrap();
    holder.wait().unwrap();
}

#[test]
fn a_console_that_opens_behind_a_lock_says_who_holds_it() {
    run_on_postgres("a_console_that_opens_behind_a_lock_says_who_holds_it", async |db| {
        let service = office(&db, preset("voicegram")).await;
        make_kept(&service, "acme", "hub").await;
        service.close().await;
        for tables in
            ["keys, key_auth, key_use", "issuers, accounts, operators", "_sqlx_migrations, audit, audit_head"]
        {
            let holder = hold(&db, tables);
            let mut terminal = Start::new(db.dir()).on(&db.address()).size(80, 24).spawn();
            terminal.wait_for("Waiting for process");
            assert!(terminal.text().contains("of postgres"), "{tables}: {}", terminal.text());
            terminal.press("?");
            terminal.wait_for("Keys");
            terminal.press("esc");
            let_go(holder);
            terminal.wait_for("● active");
            terminal.press("q");
            assert!(terminal.wait_for_exit(Duration::from_secs(3)).success(), "{tables}");
            let holder = hold(&db, tables);
            let mut terminal = Start::new(db.dir()).on(&db.address()).size(80, 24).spawn();
            terminal.wait_for("Reading");
            terminal.press("q");
            assert!(terminal.wait_for_exit(Duration::from_secs(3)).success(), "{tables}");
            let_go(holder);
        }
    });
}
