//! Our SQL, read for what servers lack that speak PostgreSQL's protocol (YugabyteDB, CockroachDB), or that a pooler takes away.
//! `docs/servers.md` says what each of them means there.

use std::collections::BTreeMap;

use crate::{Source, none, root, sources_below};

/// Each with the words that show it, and the places that have it: so often, and no more.
struct Lacking {
    what: &'static str,
    words: &'static [&'static str],
    known: &'static [(&'static str, usize)],
}

const LACKING: &[Lacking] = &[
    Lacking {
        what: "session locks",
        words: &["pg_advisory_lock(", "pg_advisory_unlock", "pg_try_advisory_lock("],
        known: &[],
    },
    Lacking {
        what: "transaction locks",
        words: &["pg_advisory_xact_lock(", "pg_try_advisory_xact_lock("],
        known: &[
            ("src/store/migrate.rs", 1),
            ("src/store/moving.rs", 1),
            ("src/store/outbox/claim.rs", 1),
            ("src/store/rights.rs", 1),
        ],
    },
    Lacking {
        what: "notifications",
        words: &["pg_notify(", "NOTIFY ", "PgListener::connect", ".listen("],
        known: &[
            ("migrations/postgres/0001_keys_accounts_issuers_audit.sql", 1),
            ("migrations/postgres/0004_gate.sql", 1),
            ("migrations/postgres/0010_who_may.sql", 1),
            ("migrations/postgres/0011_three_tables.sql", 1),
            ("migrations/postgres/0014_held.sql", 1),
            ("migrations/postgres/0024_imported.sql", 1),
            ("migrations/postgres/0034_lanes.sql", 1),
            ("src/store/live.rs", 2),
        ],
    },
    Lacking {
        what: "statement triggers",
        words: &["FOR EACH STATEMENT"],
        known: &[
            ("migrations/postgres/0001_keys_accounts_issuers_audit.sql", 2),
            ("migrations/postgres/0003_reminders.sql", 3),
            ("migrations/postgres/0004_gate.sql", 1),
            ("migrations/postgres/0010_who_may.sql", 22),
            ("migrations/postgres/0011_three_tables.sql", 7),
            ("migrations/postgres/0012_many_at_once.sql", 1),
            ("migrations/postgres/0014_held.sql", 3),
            ("migrations/postgres/0020_expiry_required.sql", 2),
            ("migrations/postgres/0021_planned.sql", 1),
            ("migrations/postgres/0025_events.sql", 1),
            ("migrations/postgres/0028_four_eyes.sql", 6),
            ("migrations/postgres/0034_lanes.sql", 4),
        ],
    },
    Lacking {
        what: "transition tables",
        words: &["REFERENCING NEW", "REFERENCING OLD"],
        known: &[
            ("migrations/postgres/0010_who_may.sql", 12),
            ("migrations/postgres/0011_three_tables.sql", 3),
            ("migrations/postgres/0012_many_at_once.sql", 1),
            ("migrations/postgres/0020_expiry_required.sql", 2),
            ("migrations/postgres/0028_four_eyes.sql", 2),
            ("migrations/postgres/0034_lanes.sql", 3),
        ],
    },
    Lacking {
        what: "constraint triggers",
        words: &["CONSTRAINT TRIGGER"],
        known: &[("migrations/postgres/0010_who_may.sql", 1)],
    },
    Lacking {
        what: "column rights",
        words: &[
            "GRANT SELECT (",
            "GRANT INSERT (",
            "GRANT UPDATE (",
            ", SELECT (",
            ", INSERT (",
            ", UPDATE (",
        ],
        known: &[
            ("migrations/postgres/0002_roles.sql", 3),
            ("migrations/postgres/0004_gate.sql", 5),
            ("migrations/postgres/0010_who_may.sql", 10),
            ("migrations/postgres/0011_three_tables.sql", 5),
            ("migrations/postgres/0013_after_the_end.sql", 1),
            ("migrations/postgres/0014_held.sql", 2),
            ("migrations/postgres/0017_edited.sql", 2),
            ("migrations/postgres/0021_planned.sql", 1),
            ("migrations/postgres/0025_events.sql", 2),
            ("migrations/postgres/0028_four_eyes.sql", 1),
            ("src/store/rights.rs", 2),
        ],
    },
    Lacking {
        what: "table locks",
        words: &["LOCK TABLE"],
        known: &[
            ("migrations/postgres/0011_three_tables.sql", 1),
            ("migrations/postgres/0034_lanes.sql", 5),
            ("src/store/issuers.rs", 1),
            ("src/store/operators.rs", 1),
        ],
    },
    Lacking {
        what: "transaction numbers",
        words: &["pg_current_xact_id", "xmin", "txid_current"],
        known: &[
            ("migrations/postgres/0010_who_may.sql", 3),
            ("migrations/postgres/0012_many_at_once.sql", 2),
            ("migrations/postgres/0031_plans_kept.sql", 2),
            ("migrations/postgres/0034_lanes.sql", 6),
        ],
    },
    Lacking {
        what: "cidr",
        words: &["cidr"],
        known: &[
            ("migrations/postgres/0001_keys_accounts_issuers_audit.sql", 1),
            ("migrations/postgres/0011_three_tables.sql", 1),
            ("src/store/load/arrays.rs", 1),
        ],
    },
    Lacking {
        what: "sessions of others",
        words: &["pg_stat_activity", "pg_locks", "pg_terminate_backend"],
        known: &[("migrations/postgres/0010_who_may.sql", 4)],
    },
    Lacking {
        what: "trigram indexes",
        words: &["pg_trgm", "gin_trgm_ops"],
        known: &[
            ("migrations/postgres/0001_keys_accounts_issuers_audit.sql", 2),
            ("src/store/migrate/place.rs", 1),
        ],
    },
];

/// The SQL of the program and of PostgreSQL's migrations.
fn sql() -> Vec<Source> {
    let mut all = sources_below("src/store");
    for folder in ["migrations/postgres", "src/store/schema"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "sql") {
                let text = std::fs::read_to_string(&path).unwrap();
                all.push(Source {
                    lines: text.lines().map(str::to_owned).collect(),
                    path: path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(),
                });
            }
        }
    }
    all.retain(|source| !source.is_test());
    all
}

fn counted(sources: &[Source], words: &[&str]) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for source in sources {
        let is_sql = source.path.ends_with(".sql");
        let lines = source.code().filter(|(_, line)| !(is_sql && line.trim_start().starts_with("--")));
        let count = lines.filter(|(_, line)| words.iter().any(|word| line.contains(word))).count();
        if count > 0 {
            found.insert(source.path.clone(), count);
        }
    }
    found
}

#[test]
fn what_other_servers_lack_is_used_in_no_further_place() {
    let sources = sql();
    assert!(sources.len() > 60, "only {} files of SQL were found", sources.len());
    let mut faults = Vec::new();
    for Lacking { what, words, known } in LACKING {
        let found = counted(&sources, words);
        for (path, count) in &found {
            let allowed = known.iter().find(|(known, _)| known == path).map_or(0, |(_, count)| *count);
            if *count > allowed {
                faults.push(format!(
                    "{path}: {what}, in {count} lines and not {allowed}. Do without, or say in docs/servers.md what it means and list it here"
                ));
            }
        }
        // A list that names more than there is would let something in.
        for (path, count) in *known {
            if found.get(*path).copied().unwrap_or_default() < *count {
                faults.push(format!("{path}: {what} is listed here for {count} lines, and there are fewer"));
            }
        }
    }
    none(&faults);
}

#[test]
fn every_kind_that_is_looked_for_is_told_of_in_the_page() {
    let page = std::fs::read_to_string(root().join("docs/servers.md")).unwrap();
    let missing = LACKING.iter().filter(|one| !page.contains(one.what));
    none(&missing.map(|one| format!("docs/servers.md says nothing of {}", one.what)).collect::<Vec<_>>());
}
