//! The ground that the other tests stand on, tested by itself.

use crate::support::program;

on_both! {
    async fn a_database_is_empty_and_can_be_spoken_to_past_the_program(db) {
        assert_eq!(db.number("SELECT CAST(41 AS bigint) + 1").await, 42);
        db.execute("CREATE TABLE t (a text); INSERT INTO t VALUES ('x'), ('y')").await;
        assert_eq!(db.texts("SELECT a FROM t ORDER BY a").await, ["x", "y"]);
        assert!(db.try_execute("INSERT INTO nowhere VALUES (1)").await.is_err());
    }

    async fn two_databases_know_nothing_of_each_other(db) {
        db.execute("CREATE TABLE t (a text)").await;
        if db.is_postgres() {
            let other = crate::support::database::Database::postgres().await.unwrap();
            other.execute("CREATE TABLE t (a text)").await;
            assert_ne!(db.name(), other.name());
        }
    }

    async fn triggers_are_back_after_a_statement_past_them(db) {
        let (body, fire) = if db.is_postgres() {
            (
                "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;",
                "CREATE TRIGGER keep BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION no()",
            )
        } else {
            ("", "CREATE TRIGGER keep BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'no'); END")
        };
        db.execute(&format!("CREATE TABLE t (a text); INSERT INTO t VALUES ('x'), ('y'); {body} {fire}")).await;
        assert!(db.try_execute("DELETE FROM t").await.is_err());
        db.execute_past_triggers("t", "DELETE FROM t WHERE a = 'x'").await;
        assert_eq!(db.texts("SELECT a FROM t").await, ["y"]);
        assert!(db.try_execute("DELETE FROM t").await.is_err());
    }
}

#[test]
fn the_program_gets_a_home_of_its_own() {
    let home = tempfile::tempdir().unwrap();
    let names: Vec<_> = program::environment(home.path());
    assert!(
        names.iter().any(|(name, value)| *name == "HOME" && value.as_str() == home.path().to_str().unwrap())
    );
}
