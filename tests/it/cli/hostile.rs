//! The command line against files that are no database, filters without end, and rows that were written past it.

use crate::support::program;
use crate::support::script::{Script, failed};
use keyrack::domain::text::is_safe;

on_both! {
    async fn a_filter_without_end_is_refused_at_once(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let long = "a".repeat(100_000);
        let many = "status:active ".repeat(130);
        let values = format!("account:{}", ["a"; 300].join(","));
        for filter in [&long, &many.repeat(2), &values] {
            let told = keyrack.refused(2, &["key", "list", "--filter", filter]);
            assert!(told.contains("at most"), "{}", &told[..200]);
        }
        keyrack.ok(&["key", "list", "--filter", &many]);
        keyrack.refused(2, &["audit", "list", "--filter", &long]);
        keyrack.refused(3, &["key", "find", &long]);
    }

    async fn an_escape_inside_the_audits_json_is_cleaned_in_every_form(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let sql = r#"UPDATE audit SET detail = '{"a\u202e":["\u001b[31m\u2066"],"b":{"c":"\u200b"}}'"#;
        db.execute_past_triggers("audit", sql).await;
        for form in ["table", "wide", "json", "ndjson", "csv"] {
            let told = keyrack.ok(&["audit", "list", "--output", form]);
            assert!(told.chars().all(|c| c == '\n' || is_safe(c)), "{form}: {told:?}");
            // What reads JSON would turn an escape into what it stands for.
            assert!(!form.ends_with("json") || !told.contains("\\u"), "{form}: {told}");
        }
    }
}

#[test]
fn what_is_no_database_is_told_in_words_with_the_code_that_fits() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(path("folder")).unwrap();
    std::fs::write(path("words.txt"), "these are words, many of them, and no database ".repeat(40)).unwrap();
    for (code, name, words) in [
        (7, "folder", "unable to open"),
        (1, "words.txt", "no SQLite database"),
        (7, "words.txt/x.db", "can't be reached"),
    ] {
        let db = path(name);
        let args = ["key", "list", "--db", &db];
        let told = failed(code, &args, &program::run(home.path(), args));
        assert!(told.contains(words) && told.lines().count() == 1, "{told}");
    }
    assert!(!home.path().join("folder.migrating").exists());
}
