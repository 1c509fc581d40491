//! Times as people type them: one grammar, whichever door takes them.

use serde_json::Value;

use crate::support::program;
use crate::support::script::{Script, text, texts};

/// A zone by its rule, because a machine need not know its name.
const LOS_ANGELES: (&str, &str) = ("TZ", "PST8PDT,M3.2.0,M11.1.0");

/// Every place on the command line that takes a span, with the span in it.
fn doors(id: &str, span: &str) -> Vec<Vec<String>> {
    let doors = [
        &["key", "create", "--account", "acme", "--name", "x", "--dry-run", "--expires", "{}"][..],
        &["key", "usage", id, "--since", "{}"],
        &["key", "list", "--filter", "expires:<{}"],
        &["key", "list", "--filter", "created:>{}"],
        &["key", "list", "--filter", "used:<{}"],
        &["key", "list", "--filter", "idle:{}"],
    ];
    doors.iter().map(|args| args.iter().map(|arg| arg.replace("{}", span)).collect()).collect()
}

on_both! {
    async fn a_span_means_the_same_at_every_door(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let made = keyrack.create("acme", "deploy");
        let id = text(&made, "id");
        for span in ["30m", "24h", "90d", "12w", "3mo", "12mo", "1y", "1d12h", "24H", "30D", "12W", "1Y"] {
            for args in doors(id, span) {
                keyrack.ok(&args.iter().map(String::as_str).collect::<Vec<_>>());
            }
        }
        let served = [
            &["reminders", "watch", "--every", "{}"][..],
            &["gate", "--listen", "127.0.0.1:0", "--lease", "{}"],
            &["gate", "--listen", "127.0.0.1:0", "--keep-usage", "{}"],
        ];
        for (span, words) in [
            ("3M", "3M could mean minutes or months: write 3m for minutes or 3mo for months"),
            ("90", "90 has no unit"),
            ("3q", "isn't a unit of time"),
            ("5000y", "at most 1000 years"),
        ] {
            let served = served.iter().map(|args| args.iter().map(|arg| arg.replace("{}", span)).collect());
            for args in doors(id, span).into_iter().chain(served) {
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                let refused = keyrack.refused(2, &args);
                assert!(refused.contains(words), "{args:?}: {refused}");
            }
            let mut info = keyrack.command(&["info"]);
            let info = texts(&info.env("KEYRACK_GATE_LEASE", span).output().unwrap()).0;
            assert!(info.contains("KEYRACK_GATE_LEASE") && info.contains(words), "{info}");
        }
        for args in [&["key", "rotate", id, "--overlap", "3M"][..], &["key", "limit", id, "100/3M"]] {
            assert!(keyrack.refused(2, args).contains("3M could mean minutes or months"), "{args:?}");
        }
        keyrack.ok(&["key", "limit", id, "100/1W", "9/2H"]);
        assert_eq!(keyrack.keys("").len(), 1);
    }

    async fn a_day_is_the_one_of_the_zone_that_is_shown(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let ends = |expires: &str, environment: &[(&str, &str)]| {
            let args = ["key", "create", "--account", "acme", "--name", "x", "--json", "--expires", expires];
            let output = keyrack.command(&args).envs(environment.iter().copied()).output().unwrap();
            let made: Value = serde_json::from_str(&texts(&output).0).unwrap_or_else(|_| panic!("{:?}", texts(&output)));
            text(&made, "expires_at").to_owned()
        };
        assert_eq!(ends("2999-01-31", &[]), "2999-01-31T23:59:59Z");
        assert_eq!(ends("2999-01-31", &[LOS_ANGELES]), "2999-02-01T07:59:59Z");
        assert_eq!(ends("2999-01-31", &[LOS_ANGELES, ("KEYRACK_UTC", "true")]), "2999-01-31T23:59:59Z");
        assert_eq!(ends("2999-06-30 12:00", &[LOS_ANGELES]), "2999-06-30T19:00:00Z");
        assert_eq!(ends("2999-06-30 12:00Z", &[LOS_ANGELES]), "2999-06-30T12:00:00Z");
        let late = ["key", "create", "--account", "acme", "--name", "x", "--expires", "2020-01-01"];
        let told = texts(&keyrack.command(&late).envs([LOS_ANGELES]).output().unwrap()).1;
        assert!(told.contains("2020-01-01 23:59 -08:00 is not in the future"), "{told}");
        let tomorrow = ends("tomorrow", &[LOS_ANGELES]);
        assert!(["T07:59:59Z", "T06:59:59Z"].iter().any(|end| tomorrow.ends_with(end)), "{tomorrow}");
        let found = |filter: &str| {
            let args = ["key", "list", "--json", "--filter", filter];
            let output = keyrack.command(&args).envs([LOS_ANGELES]).output().unwrap();
            let found: Value = serde_json::from_str(&texts(&output).0).unwrap();
            found.as_array().unwrap().len()
        };
        assert_eq!(found("expires:>=2999-02-01 expires:<2999-06-01"), 0);
        assert_eq!(found("expires:>=2999-01-31 expires:<=2999-01-31"), 3);
        assert_eq!(found("expires:>=2999-01-31 expires:<=\"2999-01-31 17:00\""), 2);
        keyrack.ok(&["key", "usage", text(&keyrack.keys("")[0], "id"), "--since", "yesterday"]);
    }

    async fn a_table_tells_times_rounded_down_and_a_wide_one_exactly_in_the_zone(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        keyrack.ok(&["key", "create", "--account", "acme", "--name", "one", "--expires", "90d"]);
        assert!(keyrack.ok(&["key", "list"]).contains(" in 89d "));
        keyrack.ok(&["key", "create", "--account", "acme", "--name", "two", "--expires", "2999-01-31 12:00"]);
        let wide = |environment: &[(&str, &str)]| {
            let mut command = keyrack.command(&["key", "list", "--filter", "two", "--output", "wide"]);
            texts(&command.envs(environment.iter().copied()).output().unwrap()).0
        };
        assert!(wide(&[("KEYRACK_UTC", "true")]).contains("2999-01-31 12:00:00 UTC"));
        let there = wide(&[LOS_ANGELES]);
        assert!(there.contains("2999-01-31 04:00:00 -08:00"), "{there}");
    }
}

#[test]
fn settings_take_the_grammar_too() {
    let home = tempfile::tempdir().unwrap();
    for (span, shown) in
        [("6 weeks", "42d"), ("1y", "366d"), ("12mo", "366d"), ("36h", "36h"), ("12W", "84d")]
    {
        let mut info = program::keyrack(home.path(), ["info", "--json"]);
        let output = info.env("KEYRACK_GATE_KEEP_USAGE", span).output().unwrap();
        let info = texts(&output).0;
        assert!(info.contains(&format!("\"{shown}\"")), "{span}: {info}");
    }
}
