use super::*;

fn sqlite(code: &str) -> Error {
    of_sqlite(code, "why".into())
}

fn postgres(code: &str) -> Error {
    of_postgres(code, None, "why".into())
}

#[test]
fn a_full_or_broken_disk_is_no_rule_that_refuses() {
    // FULL, IOERR, IOERR_WRITE, IOERR_FSYNC; disk full, too little memory, an I/O error.
    for error in
        ["13", "10", "778", "1034"].map(sqlite).into_iter().chain(["53100", "53200", "58030"].map(postgres))
    {
        assert!(matches!(error, Error::Disk(_)) && !error.is_transient(), "{error:?}");
    }
    assert!(matches!(sqlite("11"), Error::Corrupt(_)));
    assert!(matches!(postgres("XX001"), Error::Corrupt(_)));
}

#[test]
fn a_database_that_can_only_be_read_says_so() {
    // PERM, READONLY, READONLY_DBMOVED; read_only_sql_transaction.
    for error in ["3", "8", "1032"].map(sqlite).into_iter().chain([postgres("25006")]) {
        assert!(matches!(error, Error::ReadOnly(_)), "{error:?}");
    }
}

#[test]
fn what_passes_by_itself_is_tried_again() {
    for error in ["5", "261", "517", "773", "6", "262", "518"].map(sqlite) {
        assert!(error.is_transient(), "{error:?}");
    }
    for error in ["40001", "40P01", "55P03", "57P01", "25P03", "08006", "53300"].map(postgres) {
        assert!(error.is_transient(), "{error:?}");
    }
    let quicker = |constraint| of_postgres("23505", Some(constraint), "why".into());
    assert!(quicker("accounts_pkey").is_transient());
    assert!(!quicker("audit_pkey").is_transient());
}
