//! The files that a log-in to PostgreSQL rests on, and why they were not read: sqlx passes over some of that in silence.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Location;

/// Something that a log-in would rest on and does not, or should not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neglected {
    pub why: String,
    /// What helps, beginning with a verb.
    pub cure: String,
    pub kind: Kind,
}

/// What a log-in lacks by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Password,
    Certificate,
    Service,
}

impl Neglected {
    /// Whether it harms though one got in.
    pub fn harms(&self) -> bool {
        self.kind == Kind::Certificate
    }
}

impl fmt::Display for Neglected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.why, self.cure)
    }
}

impl Location {
    /// What the environment and the address name and what is not read, or by too many.
    pub fn neglected(&self) -> Vec<Neglected> {
        let Self::Postgres(url) = self else { return Vec::new() };
        neglected(url, |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
    }
}

fn neglected(url: &str, environment: impl Fn(&str) -> Option<PathBuf>) -> Vec<Neglected> {
    let mut all = Vec::new();
    let named = environment("PGPASSFILE");
    let usual = environment("HOME").map(|home| home.join(".pgpass"));
    for (file, by) in [(named, Some("PGPASSFILE")), (usual, None)] {
        all.extend(file.and_then(|file| unread(&file, by, Kind::Password)));
    }
    for (names, variable) in [
        (["sslrootcert", "ssl-root-cert", "ssl-ca"], "PGSSLROOTCERT"),
        (["sslcert", "ssl-cert", "ssl-cert"], "PGSSLCERT"),
        (["sslkey", "ssl-key", "ssl-key"], "PGSSLKEY"),
    ] {
        let said = url.split(['?', '&']).skip(1).filter_map(|pair| pair.split_once('='));
        let said = said
            .filter(|(name, _)| names.contains(name))
            .last()
            .map(|(name, file)| (PathBuf::from(file), name));
        let file = said.or_else(|| environment(variable).map(|file| (file, variable)));
        // The environment may hold the certificate itself.
        all.extend(
            file.filter(|(file, _)| !file.as_os_str().as_encoded_bytes().starts_with(b"-----")).and_then(
                |(file, by)| {
                    let unread = unread(&file, Some(by), Kind::Certificate);
                    // Certificates are public; the key is not.
                    unread.filter(|_| variable == "PGSSLKEY" || std::fs::File::open(&file).is_err())
                },
            ),
        );
    }
    if environment("PGSERVICE").is_some() {
        all.push(Neglected {
            why: "PGSERVICE is set, and keyrack reads no service files".into(),
            cure: "write host, user and database into the address".into(),
            kind: Kind::Service,
        });
    }
    all
}

/// Why a file is not read, or should not be. `by` named it; where nobody did, it need not be there.
fn unread(file: &Path, by: Option<&str>, kind: Kind) -> Option<Neglected> {
    let named = by.map(|by| format!(" ({by})")).unwrap_or_default();
    let shown = file.display();
    let told =
        |why: String, cure: String| Some(Neglected { why: format!("{shown}{named} {why}"), cure, kind });
    let metadata = match std::fs::File::open(file).and_then(|file| file.metadata()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            by?;
            return told("is not there".into(), "fix its name".into());
        }
        Err(error) => {
            return told(
                format!("can't be read ({error})"),
                "make it readable only for the user who runs keyrack".into(),
            );
        }
        Ok(metadata) => metadata,
    };
    let mode = metadata.mode() & 0o777;
    if !metadata.is_file() {
        return told("isn't a file".into(), "name a file".into());
    }
    // As PostgreSQL's own programs do, a key may be read by a group if it is root's.
    let others = if kind == Kind::Certificate && metadata.uid() == 0 { 0o037 } else { 0o077 };
    if mode & others == 0 {
        return None;
    }
    let why = match kind {
        Kind::Password => format!("was not read, because others may read it (mode {mode:04o})"),
        _ => format!("may be read by others (mode {mode:04o})"),
    };
    told(why, format!("run `chmod 600 {shown}`"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_that_are_open_to_others_missing_or_not_for_us_are_told() {
        let home = tempfile::tempdir().unwrap();
        let make = |name: &str, mode| {
            let path = home.path().join(name);
            std::fs::write(&path, "x").unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            path.display().to_string()
        };
        let told = |url: &str, set: &[(&str, &str)]| {
            let environment = |name: &str| {
                let set = set.iter().find(|(one, _)| *one == name).map(|(_, value)| PathBuf::from(value));
                set.or_else(|| (name == "HOME").then(|| home.path().to_owned()))
            };
            neglected(url, environment).iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(told("postgres://a/k", &[]), "");
        make(".pgpass", 0o640);
        let (shut, open) = (make("shut", 0o600), make("open", 0o644));
        let usual = told("postgres://a/k", &[]);
        assert!(usual.contains(".pgpass was not read") && usual.contains("chmod 600"), "{usual}");
        make(".pgpass", 0o600);
        for (url, name, value, expected) in [
            (
                "postgres://a/k",
                "PGPASSFILE",
                open.as_str(),
                "was not read, because others may read it (mode 0644)",
            ),
            ("postgres://a/k", "PGPASSFILE", shut.as_str(), ""),
            ("postgres://a/k", "PGPASSFILE", "/no/such", "/no/such (PGPASSFILE) is not there"),
            ("postgres://a/k", "PGPASSFILE", "/tmp", "isn't a file"),
            ("postgres://a/k", "PGSSLKEY", open.as_str(), "(PGSSLKEY) may be read by others"),
            ("postgres://a/k", "PGSSLCERT", open.as_str(), ""),
            (
                "postgres://a/k?sslcert=/no/such",
                "PGSSLCERT",
                open.as_str(),
                "/no/such (sslcert) is not there",
            ),
            ("postgres://a/k?sslrootcert=/no/such", "X", "", "/no/such (sslrootcert) is not there"),
            ("postgres://a/k", "PGSERVICE", "keys", "PGSERVICE is set"),
        ] {
            let found = told(url, &[(name, value)]);
            assert!(
                found.contains(expected) && found.is_empty() == expected.is_empty(),
                "{name}={value}: {found}"
            );
        }
    }
}
