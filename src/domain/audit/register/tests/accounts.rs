use super::*;

type Edit = fn(&mut StoredAccount);

/// The register with one of its accounts changed past the program.
fn changed(place: usize, change: impl FnOnce(&mut StoredAccount)) -> Register {
    let mut register = register();
    change(&mut register.accounts[place]);
    register
}

#[test]
fn an_account_that_no_row_created_is_found() {
    let mut register = register();
    let ghost = StoredAccount { slug: "ghost".into(), name: "Ghost".into(), ..register.accounts[0].clone() };
    register.accounts.push(ghost);
    let line = "account.unexplained ghost: no row records its creation / \"Ghost\", of voicegram, good";
    assert_eq!(told(&register), [line]);
    // A later row about it explains nothing.
    register.rows.push(row(Action::AccountReinstate, "ghost", json!({})));
    assert_eq!(told(&register), [line]);
}

#[test]
fn an_account_that_was_created_and_is_gone_is_found() {
    let mut register = register();
    register.accounts.clear();
    register.rows.push(row(Action::AccountCreate, "terse", json!({})));
    assert_eq!(
        told(&register),
        [
            "account.unexplained acme: created as \"Acme & Sons\" / not there",
            "account.unexplained globex: created as \"Globex\" / not there",
            "account.unexplained terse: created / not there",
        ]
    );
}

#[test]
fn an_account_that_differs_in_anything_is_found() {
    let edits: [(Edit, &str); 7] = [
        (|one| one.issuer = "voxpria".into(), "issuer voicegram / issuer voxpria"),
        (|one| one.name = "Acme".into(), "name Acme & Sons / name Acme"),
        (|one| one.admins = "[]".into(), r#"admins ["ada@acme.example"] / admins []"#),
        (|one| one.admins = "no JSON".into(), r#"admins ["ada@acme.example"] / admins null"#),
        (|one| one.plan = Some("Enterprise".into()), "plan Pro / plan Enterprise"),
        (|one| one.plan = None, "plan Pro / plan none"),
        (|one| one.standing = "suspended".into(), "standing good / standing suspended"),
    ];
    for (edit, words) in edits {
        assert_eq!(told(&changed(0, edit)), [format!("account.unexplained acme: {words}")]);
    }
    let unsuspended = changed(1, |one| one.standing = "good".into());
    assert_eq!(told(&unsuspended), ["account.unexplained globex: standing suspended / standing good"]);
    let promoted = changed(1, |one| one.plan = Some("Pro".into()));
    assert_eq!(told(&promoted), ["account.unexplained globex: plan none / plan Pro"]);
    let both = changed(0, |one| (one.plan, one.standing) = (None, "suspended".into()));
    assert_eq!(told(&both).len(), 2);
}

#[test]
fn a_change_is_expected_in_the_table_and_the_rest_stays() {
    let everything = json!({ "issuer": "voxpria", "name": "A", "admins": ["b@acme.example"], "plan": null });
    let mut register = register();
    register.rows.push(row(Action::AccountChange, "acme", json!({ "to": everything })));
    assert_eq!(
        told(&register),
        [
            "account.unexplained acme: issuer voxpria / issuer voicegram",
            "account.unexplained acme: name A / name Acme & Sons",
            r#"account.unexplained acme: admins ["b@acme.example"] / admins ["ada@acme.example"]"#,
            "account.unexplained acme: plan none / plan Pro",
        ]
    );
    register.accounts[0] = StoredAccount {
        issuer: "voxpria".into(),
        name: "A".into(),
        admins: r#"["b@acme.example"]"#.into(),
        plan: None,
        ..register.accounts[0].clone()
    };
    assert_eq!(told(&register), [""; 0]);
    register.rows.push(row(Action::AccountChange, "acme", json!({ "to": {} })));
    register.rows.push(row(Action::AccountChange, "acme", json!({})));
    assert_eq!(told(&register), [""; 0]);
}

#[test]
fn an_accounts_name_is_one_in_whatever_way_it_is_composed() {
    let mut register = changed(0, |one| one.name = "Cafe\u{301}".into());
    register.rows.push(row(Action::AccountChange, "acme", json!({ "to": { "name": "Caf\u{e9}" } })));
    assert_eq!(told(&register), [""; 0]);
}

/// Accounts of a demo that loaded so many, of which the first was made just before.
fn demo(loaded: u64, there: i64) -> Register {
    let account = |n| StoredAccount {
        slug: format!("demo-{n}"),
        admins: "[]".into(),
        standing: "good".into(),
        created_at: DAY - n,
        ..StoredAccount::default()
    };
    let rows = vec![row(Action::DemoLoad, "accounts", json!({ "accounts": loaded }))];
    Register { rows, accounts: (0..there).map(account).collect(), ..Register::default() }
}

#[test]
fn accounts_of_a_demo_need_no_rows_but_are_no_more_than_it_loaded() {
    assert_eq!(told(&demo(2, 2)), [""; 0]);
    // It left out what was there already.
    assert_eq!(told(&demo(3, 2)), [""; 0]);
    assert_eq!(told(&demo(2, 3)), ["key.demo accounts: a demo loaded 2 accounts / 3 are there"]);
    assert_eq!(told(&demo(2, 4)), ["key.demo accounts: a demo loaded 2 accounts / 4 are there"]);
}

#[test]
fn an_account_that_is_younger_than_the_demo_is_none_of_its() {
    let mut register = demo(2, 2);
    register.accounts[0].created_at = DAY + 1;
    let line = "account.unexplained demo-0: no row records its creation / \"\", of , good";
    assert_eq!(told(&register), [line]);
}

#[test]
fn what_rows_tell_of_an_account_of_a_demo_is_compared() {
    let mut register = demo(2, 2);
    register.rows.push(row(Action::AccountSuspend, "demo-1", json!({})));
    assert_eq!(told(&register), ["account.unexplained demo-1: standing suspended / standing good"]);
    register.accounts[1].standing = "suspended".into();
    assert_eq!(told(&register), [""; 0]);
}

#[test]
fn an_account_created_after_a_demo_is_not_counted_as_one_of_it() {
    let mut both = register();
    both.rows.extend(demo(1, 0).rows);
    assert_eq!(told(&both), [""; 0]);
}
