//! `keyrack operator leave`.

use crate::support::script::{Script, text, texts};

on_both! {
    async fn kr_13_a_colleague_leaves_by_one_command(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        keyrack.ok(&["operator", "set", "bob", "operator"]);
        for (name, owner) in [("one", "bob"), ("two", "bob"), ("three", "Ada")] {
            keyrack.ok(&["key", "create", "--account", "acme", "--name", name, "--owner", owner, "--out", &format!("{name}.key")]);
        }
        assert!(keyrack.refused(2, &["operator", "leave", "bob", "--give-to", "Grace"]).contains("--yes"));
        let dry = keyrack.json(&["operator", "leave", "bob", "--give-to", "Grace", "--dry-run"]);
        assert_eq!((&dry["removed"], &dry["given"], &dry["kept"]), (&false.into(), &2.into(), &0.into()));
        assert_eq!(keyrack.keys("owner:bob").len(), 2);
        let done = keyrack.json(&["operator", "leave", "bob", "--give-to", "Grace", "--yes"]);
        assert_eq!((&done["removed"], &done["given"]), (&true.into(), &2.into()));
        assert_eq!((text(&done, "name"), text(&done, "role"), text(&done, "given_to")), ("bob", "operator", "Grace"));
        let keys = done["keys"].as_array().unwrap();
        assert_eq!((keys.len(), text(&keys[0], "fate"), &keys[0]["owned"]), (2, "give", &true.into()));
        assert_eq!(keyrack.keys("owner:grace").len(), 2);
        keyrack.ok(&["audit", "verify"]);
        assert!(keyrack.refused(3, &["operator", "leave", "bob", "--yes"]).contains("bob"));
    }

    async fn kr_13_without_a_receiver_the_keys_stay(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        keyrack.ok(&["operator", "set", "bob", "viewer"]);
        keyrack.ok(&["key", "create", "--account", "acme", "--name", "one", "--owner", "bob", "--out", "one.key"]);
        let output = keyrack.run(&["operator", "leave", "bob", "--yes"]);
        let (stdout, stderr) = texts(&output);
        assert!(output.status.success() && stdout.contains("keep") && stderr.contains("bob was viewer and has no role any more. 1 key kept."), "{stdout}{stderr}");
        assert_eq!(keyrack.keys("owner:bob").len(), 1);
        // Later they can be given all the same.
        let done = keyrack.json(&["operator", "leave", "bob", "--give-to", "Grace", "--yes"]);
        assert_eq!((&done["removed"], &done["given"]), (&false.into(), &1.into()));
        keyrack.ok(&["audit", "verify"]);
    }
}
