use super::*;

#[test]
fn migrations_text_tells_triggers_and_functions() {
    let things = text::things(migrate::POSTGRES.iter().map(|one| one.sql.as_str()));
    for name in ["trigger keys_guard on keys", "trigger audit_grow on audit", "trigger alerts_stay on alerts"]
    {
        assert!(things.contains_key(name), "{name}: {things:?}");
    }
    let body = &things["function keyrack_deliveries_guard("];
    assert!(body.contains("NEW.changed_at >= OLD.changed_at"), "the newest definition counts: {body}");
}

#[tokio::test]
async fn what_differs_of_a_schema_is_told_by_name() {
    let memory = SqliteConnectOptions::new().in_memory(true);
    let mut conn = SqliteConnection::connect_with(&memory).await.unwrap();
    migrate::anew(&migrate::SQLITE).run_direct(None, &mut conn, false).await.unwrap();
    let sound = sqlite_things(&mut conn).await.unwrap();
    assert_eq!(differences(std::slice::from_ref(&sound), &sound, &[]), []);
    for (sql, kind, name) in [
        ("DROP TRIGGER keys_stay", Kind::Trigger, "trigger keys_stay on keys"),
        ("DROP INDEX keys_name", Kind::Schema, "index keys_name on keys"),
        ("ALTER TABLE keys ADD COLUMN backdoor TEXT", Kind::Schema, "table keys"),
        (
            "CREATE TRIGGER back AFTER INSERT ON keys BEGIN SELECT 1; END",
            Kind::Trigger,
            "trigger back on keys",
        ),
    ] {
        sqlx::raw_sql("SAVEPOINT one").execute(&mut conn).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
        let found = differences(std::slice::from_ref(&sound), &sqlite_things(&mut conn).await.unwrap(), &[]);
        sqlx::raw_sql("ROLLBACK TO one").execute(&mut conn).await.unwrap();
        let told: Vec<_> = found.iter().map(|one| (one.kind, one.subject.as_str())).collect();
        assert_eq!(told, [(kind, name)], "{sql}");
    }
}
