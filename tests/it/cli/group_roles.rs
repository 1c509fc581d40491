//! PostgreSQL's group roles: logins that may not make them or pass on rights, and what mends it later.

use crate::support::database::cluster::Cluster;
use crate::support::database::{Database, run_on_postgres, skip};
use crate::support::program;
use crate::support::script::{ACCOUNT, failed, succeeded, texts};

const ROLES: [&str; 7] = [
    "keyrack_viewer",
    "keyrack_console",
    "keyrack_operator",
    "keyrack_admin",
    "keyrack_sweeper",
    "keyrack_gate",
    "keyrack_sender",
];

/// Every right of the group roles in this database.
const RIGHTS: &str = "SELECT relname || '.' || coalesce(attname, '') || ' ' || grantee::regrole || ' ' || privilege_type \
    FROM (SELECT c.relname, NULL AS attname, x.* FROM pg_class c, aclexplode(c.relacl) x \
        UNION ALL SELECT c.relname, a.attname, x.* FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid, aclexplode(attacl) x \
        UNION ALL SELECT n.nspname, NULL, x.* FROM pg_namespace n, aclexplode(n.nspacl) x) AS all_of_them \
    WHERE grantee <> 0 AND grantee::regrole::text LIKE 'keyrack%' ORDER BY 1";

/// The program as one login.
struct As<'a>(&'a Database, &'a str);

impl As<'_> {
    fn run(&self, args: &[&str]) -> std::process::Output {
        program::run(self.0.dir(), [args, &["--db", &self.0.address_as(self.1)]].concat())
    }

    /// What it says on both ways out.
    #[track_caller]
    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        succeeded(args, &output) + &texts(&output).1
    }

    /// What its doctor says, however it ends.
    fn doctor(&self) -> String {
        let (found, cures) = texts(&self.run(&["doctor"]));
        found + &cures
    }

    #[track_caller]
    fn refused(&self, code: i32, args: &[&str]) -> String {
        failed(code, args, &self.run(args))
    }
}

/// The statements between two backticks, `keyrack migrate` aside.
fn statements(told: &str) -> Vec<&str> {
    told.split('`').skip(1).step_by(2).filter(|quoted| !quoted.starts_with("keyrack ")).collect()
}

async fn owned_by_dana(cluster: &Cluster) -> Database {
    let db = Database::on(cluster).await;
    db.role("dana").await;
    db.execute(&format!("ALTER DATABASE {} OWNER TO dana", db.name())).await;
    db
}

async fn missing_roles_are_made_later() {
    let Some(cluster) = Cluster::start(&[]) else {
        return skip("group_roles", "PostgreSQL is not installed (apt-get install postgresql)");
    };
    let db = owned_by_dana(&cluster).await;
    let dana = As(&db, "dana");
    let dry = dana.ok(&["migrate", "--dry-run"]);
    assert!(dry.contains("a new database") && dry.contains("dana can't create roles (CREATEROLE)"), "{dry}");
    assert_eq!(db.number("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").await, 0);
    for again in ["migrate", "migrate"] {
        let told = dana.ok(&[again, "--quiet"]);
        assert!(told.contains("dana can't create roles (CREATEROLE)") && told.lines().count() == 1, "{told}");
        for role in ROLES {
            assert!(told.contains(&format!("CREATE ROLE {role} NOLOGIN")), "{told}");
        }
    }
    assert!(db.texts(RIGHTS).await.is_empty());
    dana.ok(&["issuer", "add", "voicegram"]);
    let doctor = dana.doctor();
    assert!(
        doctor.contains("missing roles: ") && doctor.contains("CREATE ROLE keyrack_gate NOLOGIN"),
        "{doctor}"
    );
    // As a schema of an earlier version has it, some of them are there, from another database of the cluster.
    db.execute("CREATE ROLE keyrack_gate NOLOGIN").await;
    let told = dana.ok(&["migrate", "--dry-run"]);
    assert!(
        told.contains("Would grant keyrack_gate the missing rights")
            && !told.contains("CREATE ROLE keyrack_gate"),
        "{told}"
    );
    assert!(db.texts(RIGHTS).await.is_empty());
    let told = dana.ok(&["migrate"]);
    assert!(told.contains("Granted keyrack_gate the"), "{told}");
    let lacking = statements(&told);
    assert_eq!(lacking.len(), 1, "{told}");
    db.execute(lacking[0]).await;
    let doctor = texts(&dana.run(&["doctor"]));
    assert!(
        doctor.0.contains("keyrack_console lacks") && doctor.0.contains("INSERT on issuers, accounts"),
        "{doctor:?}"
    );
    let told = dana.ok(&["migrate"]);
    assert!(
        told.contains(
            "Granted keyrack_viewer, keyrack_console, keyrack_sweeper, keyrack_operator, keyrack_admin, keyrack_sender the"
        ),
        "{told}"
    );
    assert!(dana.doctor().contains("each group role has what it needs"));
    // A member works, and the rights are those that the migrations themselves give where the roles are there before.
    db.execute("CREATE ROLE bob LOGIN IN ROLE keyrack_console").await;
    dana.ok(&["operator", "set", "bob", "operator"]);
    As(&db, "bob").ok(ACCOUNT);
    let other = owned_by_dana(&cluster).await;
    let told = As(&other, "dana").ok(&["migrate"]);
    assert!(!told.contains("warning"), "{told}");
    // Everybody may use the schema public, so that nobody needs to be given that.
    let of_tables = async |db: &Database| -> Vec<String> {
        db.texts(RIGHTS).await.into_iter().filter(|right| !right.starts_with("public.")).collect()
    };
    assert_eq!(of_tables(&db).await, of_tables(&other).await);
    assert!(As(&other, "dana").doctor().contains("each group role has what it needs"));
}

#[test]
fn roles_that_a_login_may_not_make_are_made_and_given_their_rights_later() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(missing_roles_are_made_later());
}

#[test]
fn rights_that_are_lacking_are_named_and_given_by_who_may() {
    run_on_postgres("rights_that_are_lacking_are_named_and_given_by_who_may", async |db| {
        let ada = As(&db, "ada");
        ada.ok(&["issuer", "add", "voicegram"]);
        let whole = db.texts(RIGHTS).await;
        db.role("eve").await;
        db.grant("keyrack_viewer", "eve").await;
        ada.ok(&["operator", "set", "eve", "viewer"]);
        assert!(As(&db, "eve").doctor().contains("each group role has what it needs"));
        // What somebody took away, and what a table that a migration made anew would lack.
        db.execute("REVOKE SELECT, DELETE ON alerts FROM keyrack_gate; REVOKE UPDATE (limits) ON key_auth FROM keyrack_console; REVOKE ALL ON sweeps FROM keyrack_console").await;
        let found = texts(&ada.run(&["doctor"]));
        for words in [
            "keyrack_gate lacks DELETE on alerts; SELECT on alerts",
            "UPDATE (limits) on key_auth",
            "INSERT on sweeps",
        ] {
            assert!(found.0.contains(words), "{words}: {found:?}");
        }
        assert!(found.1.contains("GRANT UPDATE (limits) ON key_auth TO keyrack_console"), "{found:?}");
        // Who may not pass it on says what would.
        let told = As(&db, "eve").ok(&["migrate"]);
        assert!(
            told.contains("eve can't grant it") && told.contains("GRANT SELECT ON alerts TO keyrack_gate"),
            "{told}"
        );
        assert_ne!(db.texts(RIGHTS).await, whole);
        let dry = ada.ok(&["migrate", "--dry-run"]);
        assert!(dry.contains("Would grant keyrack_console, keyrack_gate the missing rights"), "{dry}");
        assert_ne!(db.texts(RIGHTS).await, whole);
        ada.ok(&["migrate"]);
        assert_eq!(db.texts(RIGHTS).await, whole);
        db.execute("REVOKE SELECT ON alerts FROM keyrack_gate").await;
        for statement in statements(&As(&db, "eve").ok(&["migrate"])) {
            db.execute(statement).await;
        }
        assert_eq!(db.texts(RIGHTS).await, whole);
        assert!(ada.ok(&["migrate", "--dry-run"]).contains("Nothing was changed"));
        // The login's own rights, where its role in Keyrack is more than they allow.
        ada.ok(&["operator", "set", "eve", "operator"]);
        let found = texts(&As(&db, "eve").run(&["doctor"]));
        assert!(
            found.0.contains("eve lacks") && found.1.contains("GRANT keyrack_operator TO eve"),
            "{found:?}"
        );
    });
}

#[test]
fn a_schema_of_its_own_gives_the_group_roles_its_use() {
    run_on_postgres("a_schema_of_its_own_gives_the_group_roles_its_use", async |db| {
        db.execute(&format!(
            "CREATE SCHEMA \"API keys\" AUTHORIZATION ada; ALTER DATABASE {} SET search_path = \"API keys\"",
            db.name()
        ))
        .await;
        let ada = As(&db, "ada");
        ada.ok(&["migrate"]);
        let whole = db.texts(RIGHTS).await;
        db.execute("REVOKE USAGE ON SCHEMA \"API keys\" FROM keyrack_gate").await;
        let found = texts(&ada.run(&["doctor"]));
        assert!(found.0.contains("keyrack_gate lacks USAGE on schema \"API keys\""), "{found:?}");
        ada.ok(&["migrate"]);
        assert_eq!(db.texts(RIGHTS).await, whole);
    });
}

#[test]
fn who_may_not_change_the_schema_is_told_what_would_let_them() {
    run_on_postgres("who_may_not_change_the_schema_is_told_what_would_let_them", async |db| {
        db.role("\"Eve K\"").await;
        let eve = As(&db, "Eve%20K");
        for args in [&["migrate"][..], &["migrate", "--dry-run"]] {
            let told = eve.refused(4, args);
            let [statement] = statements(&told)[..] else { panic!("{told}") };
            assert!(statement.ends_with("GRANT USAGE, CREATE ON SCHEMA public TO \"Eve K\""), "{told}");
        }
        let of_ada = Database::postgres().await.unwrap();
        of_ada.migrate_to(5).await;
        let eve_there = As(&of_ada, "Eve%20K");
        of_ada.execute("GRANT SELECT ON _sqlx_migrations TO \"Eve K\"").await;
        for args in [&["migrate"][..], &["migrate", "--dry-run"]] {
            let told = eve_there.refused(4, args);
            assert!(told.contains("ada, who owns its tables"), "{told}");
            assert_eq!(statements(&told), ["GRANT ada TO \"Eve K\""], "{told}");
        }
        for (db, as_told) in [(&db, &eve), (&of_ada, &eve_there)] {
            db.execute(statements(&as_told.refused(4, &["migrate"]))[0]).await;
            as_told.ok(&["migrate"]);
        }
        of_ada.execute("REVOKE ada FROM \"Eve K\"").await;
    });
}
