use super::*;

#[test]
fn a_password_in_the_address_is_refused_wherever_it_stands() {
    for url in [
        "postgres://ada:hunter2@db/keys",
        "postgresql://ada:hunter2@db",
        "postgres://db/keys?password=hunter2",
        "postgres://ada@db/keys?sslmode=require&PASSWORD=hunter2",
        "postgres://ada:@db/keys",
    ] {
        let error = Location::parse(url).unwrap_err().to_string();
        assert!(error.contains("PGPASSFILE"), "{url}: {error}");
        assert!(!error.contains("hunter2"), "{url}: {error}");
    }
}

#[test]
fn addresses_without_a_password_are_accepted() {
    for url in [
        "postgres://ada@db:5432/keys",
        "postgres:///keys?host=/run/postgresql&user=ada",
        "postgres://[::1]:5432/k",
    ] {
        assert_eq!(Location::parse(url).unwrap(), Location::Postgres(url.into()));
    }
    assert_eq!(Location::parse("keys.db").unwrap(), Location::Sqlite("keys.db".into()));
    assert_eq!(Location::parse("sqlite:///tmp/keys.db").unwrap(), Location::Sqlite("/tmp/keys.db".into()));
}

#[test]
fn an_unknown_scheme_is_refused_with_what_is_known() {
    assert!(Location::parse("mysql://db/keys").unwrap_err().to_string().contains("postgres://"));
    assert!(Location::parse("").is_err());
    assert!(Location::parse(":memory:").is_err());
}

#[test]
fn tls_is_verified_in_full_except_on_this_machine() {
    let mode = |url: &str| Location::postgres_options(url).unwrap()[0].get_ssl_mode();
    assert!(matches!(mode("postgres://ada@db.example/keys"), PgSslMode::VerifyFull));
    assert!(matches!(mode("postgres://ada@127.0.0.1/keys"), PgSslMode::Prefer));
    assert!(matches!(mode("postgres:///keys?host=/run/postgresql&user=ada"), PgSslMode::Prefer));
    assert!(matches!(mode("postgres://ada@db.example/keys?sslmode=require"), PgSslMode::Require));
}

#[test]
fn a_socket_is_written_as_postgresqls_own_programs_write_it() {
    let url = "postgres://ada@/keys?host=/run/postgresql";
    assert_eq!(Location::parse(url).unwrap(), Location::Postgres(url.into()));
    let options = Location::postgres_options(url).unwrap().remove(0);
    assert_eq!(options.get_username(), "ada");
    assert_eq!(options.get_database(), Some("keys"));
    assert_eq!(
        options.get_socket().map(|path| path.display().to_string()).as_deref(),
        Some("/run/postgresql")
    );
}

#[test]
fn what_is_meant_for_another_program_is_refused_in_words() {
    for (text, told) in [
        ("host=db dbname=keys user=ada", "postgres://ada@db/keys"),
        ("host=/run/postgresql dbname='keys'", "postgres:///keys?host=/run/postgresql"),
        ("dbname = keys  host = ::1 port = 5433", "postgres://[::1]:5433/keys"),
        ("service=keys", "postgres://"),
        ("postgres:keys", "two slashes"),
        ("jdbc:postgresql://127.0.0.1/empty", "write postgresql://127.0.0.1/empty"),
        ("ada@localhost/keyrack", "postgres://ada@localhost/keyrack"),
        ("$HOME/keys.db", "not replaced by a shell"),
        ("${KEYS}/keys.db", "not replaced by a shell"),
        ("sqlite:///tmp/k.db?mode=ro", "path alone"),
        ("file:///tmp/k%20.db", "path alone"),
        ("~grace/keys.db", "another person"),
        ("http://db/keys", "postgres://"),
        ("k\u{0}.db", "control"),
        ("  ", "empty"),
    ] {
        let error = Location::parse(text).unwrap_err().to_string();
        assert!(error.contains(told), "{text}: {error}");
    }
    let error = Location::parse("host=db dbname=keys password=hunter2").unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_path_is_taken_as_a_shell_would_have_it() {
    let home = std::env::home_dir().unwrap();
    for (text, path) in [
        ("~/keys.db", home.join("keys.db")),
        ("file:~/keys.db", home.join("keys.db")),
        ("file:///tmp/keys.db", "/tmp/keys.db".into()),
        ("file://localhost/tmp/keys.db", "/tmp/keys.db".into()),
        ("sqlite:keys.db", "keys.db".into()),
        ("./a=b.db", "./a=b.db".into()),
        ("a:b.db", "a:b.db".into()),
    ] {
        assert_eq!(Location::parse(text).unwrap(), Location::Sqlite(path), "{text}");
    }
    assert_eq!(
        Location::parse("POSTGRES://db/keys").unwrap(),
        Location::Postgres("postgres://db/keys".into())
    );
}

#[test]
fn each_host_of_a_list_has_its_options() {
    let hosts = |url: &str| {
        let options = Location::postgres_options(url).unwrap();
        options.iter().map(|one| format!("{} {}", one.get_host(), one.get_port())).collect::<Vec<_>>()
    };
    assert_eq!(hosts("postgres://ada@[::1]:5433/k"), ["::1 5433"]);
    assert_eq!(hosts("postgres://[2001:db8::7]/k?sslmode=require"), ["2001:db8::7 5432"]);
    assert_eq!(
        hosts("postgres://ada@east:5433,west,[::1]:5434/k?target_session_attrs=read-write"),
        ["east 5433", "west 5432", "::1 5434"]
    );
    assert_eq!(hosts("postgres:///k?user=ada&host=east,west"), ["east 5432", "west 5432"]);
    assert_eq!(Location::wanted("postgres://a,b/k?target_session_attrs=primary").unwrap(), Wanted::Primary);
    assert_eq!(Location::wanted("postgres://a,b/k").unwrap(), Wanted::Unsaid);
    for (word, primary, standby) in [
        ("any", Fit::Best, Fit::Best),
        ("read-write", Fit::Best, Fit::No),
        ("primary", Fit::Best, Fit::No),
        ("read-only", Fit::No, Fit::Best),
        ("standby", Fit::No, Fit::Best),
        ("prefer-standby", Fit::WouldDo, Fit::Best),
    ] {
        let wanted = Location::wanted(&format!("postgres://a,b/k?target_session_attrs={word}")).unwrap();
        assert_eq!((wanted.judge(false, false), wanted.judge(true, true)), (primary, standby), "{word}");
    }
    assert!(Location::parse("postgres://a/k?target_session_attrs=best").is_err());
    assert!(Location::parse("postgres://a/k?connect_timeout=5&sslmode=require").is_ok());
    for unknown in ["service=keys", "passfile=/x", "sslmod=require", "Host=b"] {
        let error = Location::parse(&format!("postgres://a/k?{unknown}")).unwrap_err().to_string();
        assert!(error.contains(unknown.split('=').next().unwrap()), "{error}");
    }
    assert!(Location::parse("postgres://a:x,b/k").is_err());
}
