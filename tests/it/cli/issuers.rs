//! Policies from the command line.

use crate::support::script::{Script, failed, succeeded, text};

on_both! {
    async fn an_exported_policy_carries_its_version_and_a_newer_one_is_a_conflict(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let exported = keyrack.ok(&["issuer", "show", "voxpria"]);
        assert!(exported.starts_with("version = 1\n"), "{exported}");
        let apply = ["issuer", "apply", "-"];
        let theirs = exported.replace("name = \"VoxPria\"", "name = \"Theirs\"");
        succeeded(&apply, &keyrack.run_with_input(&apply, &theirs));
        let mine = exported.replace("name = \"VoxPria\"", "name = \"Mine\"");
        for more in [&["--dry-run"][..], &[]] {
            let output = keyrack.run_with_input(&[&apply[..], more].concat(), &mine);
            assert!(failed(5, &apply, &output).contains("version = 2"));
        }
        let shown = keyrack.json(&["issuer", "show", "voxpria"]);
        assert_eq!((text(&shown["policy"], "name"), &shown["version"]), ("Theirs", &2.into()));
    }

    async fn a_policy_that_is_too_long_is_refused_whole(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let exported = keyrack.ok(&["issuer", "show", "voxpria"]);
        let apply = ["issuer", "apply", "-"];
        let long = format!("{exported}\n# {}\n", "x".repeat(1024 * 1024));
        assert!(failed(2, &apply, &keyrack.run_with_input(&apply, &long)).contains("is too long for a policy: at most 1 MiB"));
    }

    async fn a_policy_that_hits_living_keys_is_asked_about_with_their_number(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        keyrack.create("acme", "one");
        let changed = keyrack.ok(&["issuer", "show", "voxpria"]).replace("prefix = \"vx_\"", "prefix = \"other_\"");
        let apply = ["issuer", "apply", "-"];
        let dry = keyrack.run_with_input(&["issuer", "apply", "-", "--dry-run"], &changed);
        let told = String::from_utf8(dry.stderr).unwrap();
        assert!(dry.status.success() && told.contains("1 key: the prefix vx_ is gone"), "{told}");
        assert!(failed(2, &apply, &keyrack.run_with_input(&apply, &changed)).contains("--yes"));
        succeeded(&apply, &keyrack.run_with_input(&["issuer", "apply", "-", "--yes"], &changed));
        // Gates refuse it from now on, and a script is not told that it is active.
        let listed = keyrack.json(&["key", "list", "--filter", "status:refused"]);
        let id = text(&listed[0], "id");
        for told in [&listed[0], &keyrack.json(&["key", "show", id]), &keyrack.json(&["key", "acknowledge", id])] {
            assert_eq!(text(told, "status"), "refused", "{told}");
        }
        assert!(keyrack.ok(&["key", "list", "-o", "csv"]).contains(",refused,"));
        assert_eq!(keyrack.json(&["key", "list", "--filter", "status:active"]), serde_json::json!([]));
    }
}
