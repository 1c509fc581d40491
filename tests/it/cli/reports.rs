//! KR-17: what happened since a date, what expires next, and a spreadsheet of any filter.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::script::{Script, text, texts};

fn make(keyrack: &Script<'_>, account: &str, name: &str, more: &[&str]) -> String {
    let args = [&["key", "create", "--account", account, "--name", name], more].concat();
    text(&keyrack.json(&args), "id").to_owned()
}

/// A scene in which something of everything has happened; answers the ids of three keys: kept, revoked, soon to expire.
fn scene(keyrack: &Script<'_>) -> [String; 3] {
    let kept = make(keyrack, "acme", "kept", &[]);
    let gone = make(keyrack, "acme", "=1+2|<b>gone</b>", &[]);
    let soon = make(keyrack, "globex", "soon; or, later", &["--expires", "20d", "--owner", "Zoe"]);
    keyrack.ok(&["key", "revoke", &gone, "--reason", "seen by @all", "--yes"]);
    keyrack.ok(&["key", "pause", &soon, "--for", "1h", "--yes"]);
    let file = format!("{kept}.secret");
    keyrack.ok(&["key", "rotate", &kept, "--out", &file]);
    [kept, gone, soon]
}

/// The rows of a CSV, by their headings.
fn rows(csv: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

/// The lines of a calendar, those that were folded put together.
fn unfolded(calendar: &str) -> Vec<String> {
    assert!(
        calendar.ends_with("\r\n") && !calendar.replace("\r\n", "").contains(['\r', '\n']),
        "{calendar:?}"
    );
    assert!(calendar.split("\r\n").all(|line| line.len() <= 75), "{calendar}");
    calendar.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
}

fn values<'l>(lines: &'l [String], name: &str) -> Vec<&'l str> {
    lines.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':')).collect()
}

on_both! {
    async fn kr_17_imported_keys_are_among_the_created(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        make(&keyrack, "acme", "made here", &[]);
        let policy = keyrack.ok(&["issuer", "show", "voxpria"]);
        let former = "[format]\nformer = [{ prefix = \"sk_\", length = 40, hash = \"sha256\" }]\n";
        let file = db.dir().join("policy.toml");
        std::fs::write(&file, policy.replacen("[format]\n", former, 1)).unwrap();
        keyrack.ok(&["issuer", "apply", file.to_str().unwrap(), "--yes"]);
        let table = db.dir().join("moved.csv");
        std::fs::write(&table, format!("name,hash\nfrom there,{}\n", "ab".repeat(32))).unwrap();
        keyrack.ok(&["import", "sha256", table.to_str().unwrap(), "--account", "acme"]);
        let report = keyrack.json(&["report", "--since", "1h"]);
        assert_eq!(report["created"]["count"], 2, "{report}");
        let names: Vec<&str> = report["created"]["first"].as_array().unwrap().iter().map(|one| text(one, "name")).collect();
        assert_eq!(names, ["from there", "made here"]);
        assert_eq!(report["accounts"]["first"][0]["created"], 2);
    }

    async fn kr_17_a_report_tells_what_happened_in_every_form(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let [kept, gone, soon] = scene(&keyrack);
        let report = keyrack.json(&["report", "--since", "1h"]);
        let count = |part: &str| report[part]["count"].as_u64().unwrap();
        assert_eq!(["created", "rotated", "revoked", "paused", "alerts"].map(count), [3, 1, 1, 1, 0], "{report}");
        let revoked = &report["revoked"]["first"][0];
        assert_eq!((text(revoked, "key"), text(revoked, "reason")), (gone.as_str(), "seen by @all"));
        // The key that was rotated ends with its overlap, and another expires by itself.
        let expiring: Vec<&str> = report["expiring"]["first"].as_array().unwrap().iter().map(|one| text(one, "key")).collect();
        assert_eq!(expiring, [kept.as_str(), soon.as_str()]);
        let account = |name: &str| {
            report["accounts"]["first"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone()
        };
        assert_eq!((&account("acme")["created"], &account("acme")["revoked"]), (&2.into(), &1.into()));
        assert_eq!((&account("globex")["created"], &account("globex")["paused"]), (&1.into(), &1.into()));
        assert_eq!(report["operators"]["first"][0]["created"], 3);
        assert!(report["hygiene"].as_array().unwrap().iter().any(|card| card["card"] == "no-owner" && card["count"] == 2), "{report}");

        let page = keyrack.ok(&["report", "--since", "1h", "-o", "md"]);
        for words in [
            "# Keyrack report", "3 keys created, 1 key rotated, 1 key revoked, 1 key paused, 0 keys expired",
            "## Revoked", "| seen by &#64;all |", "=1+2\\|&lt;b&gt;gone&lt;/b&gt;", "## By operator", "## To tidy",
        ] {
            assert!(page.contains(words), "{words}:\n{page}");
        }
        assert_eq!(keyrack.ok(&["report", "--since", "1h"]).lines().next(), Some("# Keyrack report"));
        for table in page.split("\n\n") {
            let cells = table.lines().filter(|line| line.starts_with('|'));
            let cells: Vec<usize> = cells.map(|line| line.replace("\\|", "").matches('|').count()).collect();
            assert!(cells.windows(2).all(|pair| pair[0] == pair[1]), "{table}");
        }
        let html = keyrack.ok(&["report", "--since", "1h", "-o", "html"]);
        assert!(html.starts_with("<!doctype html>") && html.contains("prefers-color-scheme: dark"), "{html}");
        assert!(!html.contains("<b>") && html.contains("=1+2|&lt;b&gt;gone&lt;/b&gt;"), "{html}");
        assert!(!html.contains("<script") && !html.contains("src=") && !html.contains("href="), "whole in itself: {html}");
        let csv = keyrack.ok(&["report", "--since", "1h", "-o", "csv"]);
        let rows = rows(&csv);
        let of = |part: &str, what: &str| rows.iter().find(|row| row["part"] == part && row["what"] == what).unwrap();
        assert_eq!(of("summary", "created")["count"], "3");
        assert_eq!(of("revoked", "'=1+2|<b>gone</b>")["details"], "seen by @all");
        assert_eq!(of("revoked", "'=1+2|<b>gone</b>")["key"], gone);
    }

    async fn kr_17_a_report_is_about_its_time_and_no_other(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        scene(&keyrack);
        let old = keyrack.json(&["report", "--since", "2020-01-01", "--until", "2020-02-01"]);
        assert_eq!((&old["created"]["count"], &old["revoked"]["count"], &old["changes"]), (&0.into(), &0.into(), &Value::Array(Vec::new())));
        assert_eq!(old["until"], "2020-02-01T00:00:00Z");
        assert!(keyrack.refused(2, &["report", "--since", "2020-02-01", "--until", "2020-01-01"]).contains("must begin in the past, before it ends"));
        keyrack.refused(2, &["report", "--since", "soonish"]);
        keyrack.refused(2, &["account", "list", "-o", "html"]);
    }

    async fn kr_17_the_lists_of_a_report_end_and_say_so(db) {
        let keyrack = Script::on(&db);
        keyrack.ok(&["demo", "--keys", "2500", "--seed", "5"]);
        let report = keyrack.json(&["report", "--since", "2000-01-01"]);
        let (count, first) = (report["revoked"]["count"].as_u64().unwrap(), &report["revoked"]["first"]);
        assert_eq!(first.as_array().unwrap().len(), 100);
        assert_eq!(keyrack.keys("revoked:>2000-01-01").len() as u64, count);
        let page = keyrack.ok(&["report", "--since", "2000-01-01"]);
        assert!(page.contains(&format!("… and {} more.", count - 100)), "{page}");
    }

    async fn kr_17_what_expires_is_a_list_and_a_calendar(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let [kept, gone, soon] = scene(&keyrack);
        let late = make(&keyrack, "acme", "late", &["--expires", "200d"]);
        let ids = |args: &[&str]| -> Vec<String> {
            let keys = keyrack.json(&[&["expiring"], args].concat());
            keys.as_array().unwrap().iter().map(|key| text(key, "id").to_owned()).collect()
        };
        assert_eq!(ids(&[]), [kept.clone(), soon.clone()]);
        assert_eq!(ids(&["--within", "1y"]), [kept.clone(), soon.clone(), late.clone()]);
        assert_eq!(ids(&["--filter", "account:globex"]), [soon.as_str()]);
        assert_eq!(ids(&["--within", "1h"]), Vec::<String>::new());
        let csv = keyrack.ok(&["expiring", "-o", "csv", "--columns", "name"]);
        assert_eq!(csv, "name\nkept\n\"soon; or, later\"\n");
        keyrack.refused(2, &["expiring", "--within", "0d"]);
        keyrack.refused(2, &["expiring", "--ics", "--columns", "id"]);

        let lines = unfolded(&keyrack.ok(&["expiring", "--ics", "--within", "1y"]));
        assert_eq!((lines[0].as_str(), lines.last().unwrap().as_str()), ("BEGIN:VCALENDAR", "END:VCALENDAR"));
        let uids: BTreeSet<&str> = values(&lines, "UID").into_iter().collect();
        let wanted = [&kept, &soon, &late].map(|id| format!("key-{id}@keyrack"));
        assert_eq!(uids, wanted.iter().map(String::as_str).collect());
        assert!(!lines.iter().any(|line| line.contains(gone.as_str())), "what was revoked does not expire");
        assert!(values(&lines, "SUMMARY").contains(&"API key \"soon\\; or\\, later\" of globex expires"), "{lines:?}");
        assert_eq!(values(&lines, "TRIGGER"), ["-P7D"; 3]);
        let key = keyrack.keys(&format!("id:{soon}")).remove(0);
        let at: chrono::DateTime<chrono::Utc> = text(&key, "expires_at").parse().unwrap();
        assert!(values(&lines, "DTSTART").contains(&at.format("%Y%m%dT%H%M%SZ").to_string().as_str()), "{lines:?}");
        // Taken in again, the events are the same ones.
        let again = unfolded(&keyrack.ok(&["expiring", "--ics", "--within", "1y"]));
        assert_eq!(values(&again, "UID"), values(&lines, "UID"));
    }

    async fn kr_17_columns_are_chosen_and_a_spreadsheet_is_told_that_it_is_utf_8(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let [_, gone, _] = scene(&keyrack);
        let list = |args: &[&str]| keyrack.ok(&[&["key", "list", "--filter", "status:revoked"], args].concat());
        assert_eq!(list(&["-o", "csv", "--columns", "name,id"]), format!("name,id\n'=1+2|<b>gone</b>,{gone}\n"));
        assert_eq!(list(&["-o", "csv", "--bom", "--columns", "account"]), "\u{feff}account\nacme\n");
        assert_eq!(list(&["-o", "csv", "--bom", "--columns", "account", "--no-headers"]), "\u{feff}acme\n");
        assert_eq!(list(&["-o", "ndjson", "--columns", "status", "--columns", "account"]), "{\"status\":\"revoked\",\"account\":\"acme\"}\n");
        let table = list(&["--columns", "Created By,successor,account"]);
        assert_eq!(table.lines().next().map(|line| line.split_whitespace().collect::<Vec<_>>()), Some(vec!["BY", "successor", "ACCOUNT"]));
        let none = keyrack.run(&["key", "list", "--filter", "name:nosuch", "-o", "csv", "--bom", "--columns", "id"]);
        assert_eq!(texts(&none).0, "\u{feff}id\n");
        assert!(keyrack.refused(2, &["key", "list", "--columns", "nmae"]).contains("there are id, account"));
        assert!(keyrack.refused(2, &["key", "list", "--columns", "id,id"]).contains("twice"));
        assert!(keyrack.refused(2, &["key", "list", "--bom"]).contains("-o csv"));
    }

    async fn kr_17_times_narrow_keys_and_the_audit_and_names_stand_for_ids(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let [kept, gone, _] = scene(&keyrack);
        let ids: Vec<String> = keyrack.keys("revoked:<1h").iter().map(|key| text(key, "id").to_owned()).collect();
        assert_eq!(ids, [gone.as_str()]);
        assert_eq!(keyrack.keys("revoked:>1h").len() + keyrack.keys("revoked:<2020-01-01").len(), 0);
        assert_eq!(keyrack.keys("-revoked:<1h").len(), 3);
        let rows = |filter: &str| match keyrack.json(&["audit", "list", "--filter", filter]) {
            Value::Array(rows) => rows,
            other => panic!("{other}"),
        };
        let all = rows("").len();
        assert_eq!(rows("at:<1h").len(), all);
        assert_eq!(rows("at:>2020-01-01 at:<2100-01-01").len(), all);
        assert_eq!(rows("at:2020-01-01").len() + rows("at:<2020-01-01").len() + rows("at:>1h").len(), 0);
        assert_eq!(rows("at:<1h action:key.revoke")[0]["key"], gone);
        let acknowledged = rows(&format!("action:key.acknowledge key:{kept}"));
        assert_eq!((&acknowledged[0]["name"], &acknowledged[0]["subject"]), (&"kept".into(), &kept.as_str().into()));
        let table = keyrack.ok(&["audit", "list", "--filter", &format!("key:{kept}")]);
        assert!(table.contains("kept") && !table.contains(&kept), "{table}");
        assert!(keyrack.refused(2, &["audit", "list", "--filter", "at:soon"]).contains("at:"));
        assert!(keyrack.refused(2, &["audit", "list", "--filter", "at:<1h actor:a actor:b"]).contains("twice"));
    }
}
