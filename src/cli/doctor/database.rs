//! The database: reachable, up to date, private, durable, of one time with this machine, its audit unbroken.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chrono::Duration;

use super::super::failure::Failure;
use super::super::info::NOT_YET;
use super::super::session::Session;
use super::super::session::history::CURE;
use super::Finding;
use super::contents::{audit, by_lease, peppers, rows, sound};
use super::server::{connection, durable};
use crate::domain::operator::Role;
use crate::domain::steady;
use crate::domain::text::thousands;
use crate::service::{self, Facts, Lack, Location, Service, UNWRITTEN};

/// A clock that is off by more than this makes relative times wrong for the eye.
const SKEW: Duration = Duration::seconds(5);
/// A clock that is off by more than this makes expiries wrong.
const FAR: Duration = Duration::minutes(5);

pub async fn examine(session: &Session) -> Vec<Finding> {
    let location = match session.location() {
        Ok(location) => location,
        Err(failure) => return vec![unreachable(&failure)],
    };
    if let Location::Sqlite(path) = &location
        && !session.is_named()
        && !path.exists()
    {
        return vec![Finding::ok("database", format!("{}: {NOT_YET}", path.display()))];
    }
    let service = match session.service().await {
        Ok(service) => service,
        Err(failure) => return vec![unreachable(&failure)],
    };
    let mut findings = neglected(&location);
    findings.extend(service.clock_trouble().map(|trouble| Finding::problem("clock", trouble, steady::CURE)));
    match service.facts().await {
        Ok(facts) => findings.extend(judge(&facts, &location, session.clock.now())),
        Err(error) => return vec![unreachable(&error.into())],
    }
    if let Location::Sqlite(path) = &location {
        findings.push(folder(path));
        findings.push(sound(service).await);
    }
    findings.push(role(service).await);
    findings.extend(no_admin(service, &location).await);
    if let Location::Postgres(_) = location {
        findings.extend(rights(service).await);
        findings.extend(locks(service).await);
    }
    findings.extend(service.gates().await.unwrap_or_default().iter().filter_map(by_lease));
    findings.extend(rows(service).await);
    findings.extend(peppers(service).await);
    findings.extend(audit(service).await);
    findings.extend(history(service, session).await);
    findings
}

fn unreachable(failure: &Failure) -> Finding {
    Finding::problem(
        "database",
        failure.to_string(),
        "see `keyrack info` for where it is looked for, or name it with --db",
    )
}

/// Files of passwords and keys that are not read, or by too many.
fn neglected(location: &Location) -> Vec<Finding> {
    let told = |one: service::Neglected| match one.harms() {
        true => Finding::problem("login", one.why, one.cure),
        false => Finding::warning("login", one.why, one.cure),
    };
    location.neglected().into_iter().map(told).collect()
}

fn judge(facts: &Facts, location: &Location, now: crate::domain::Instant) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("database", format!("{} at {location}", facts.server))];
    let (schema, newest) = facts.schema;
    findings.push(if schema > newest {
        Finding::warning(
            "schema",
            format!("version {schema}, newer than the {newest} of this keyrack: read-only here"),
            "upgrade keyrack",
        )
    } else if schema == newest {
        Finding::ok("schema", format!("version {schema}"))
    } else {
        Finding::warning(
            "schema",
            format!("version {schema}, older than the {newest} of this keyrack: features that need the newer one are refused"),
            "run `keyrack migrate` once no older keyrack uses this database: older ones can't use it afterwards",
        )
    });
    findings.extend(durable(facts));
    findings.extend(facts.hindered.as_ref().map(|why| {
        Finding::problem(
            "disk",
            format!("the database can only be read: {why}"),
            "see whether the disk is full (`df`) or broken (`dmesg`), and make room on it",
        )
    }));
    let skew = (facts.now - now).abs();
    let skewed = format!("the database's clock is {} s away from this machine's", skew.num_seconds());
    findings.push(if skew > FAR {
        Finding::problem("clock", skewed, "set both machines' clocks by NTP")
    } else if skew > SKEW {
        Finding::warning("clock", skewed, "set both machines' clocks by NTP")
    } else {
        Finding::ok("clock", "the database and this machine agree on the time")
    });
    match location {
        Location::Sqlite(path) => {
            findings.push(if facts.channel == UNWRITTEN && facts.hindered.is_none() {
                Finding::ok("journal", "the file is read-only here, so no journal is written")
            } else if facts.channel.eq_ignore_ascii_case("wal") || facts.hindered.is_some() {
                Finding::ok("journal", "write-ahead log")
            } else {
                Finding::warning(
                    "journal",
                    format!("{} instead of a write-ahead log", facts.channel),
                    "a gate can't run on it: end every program that has the file open and run `keyrack migrate`; on a \
                     network file system there can be none, so keep the file on a local disk",
                )
            });
            findings.extend(facts.mode.map(|mode| file(path, mode)));
        }
        Location::Postgres(_) => {
            findings.extend(connection(facts, location));
        }
    }
    findings
}

fn file(path: &Path, mode: u32) -> Finding {
    if mode & 0o077 == 0 {
        Finding::ok("file", format!("mode {mode:04o}"))
    } else {
        Finding::problem(
            "file",
            format!("mode {mode:04o}: others on this machine may read or write it"),
            format!("chmod 600 {}", path.display()),
        )
    }
}

fn folder(path: &Path) -> Finding {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match std::fs::metadata(folder) {
        Ok(metadata)
            if metadata.permissions().mode() & 0o022 != 0 && metadata.permissions().mode() & 0o1000 == 0 =>
        {
            Finding::problem(
                "folder",
                format!("others may replace files in {}", folder.display()),
                format!("chmod go-w {}", folder.display()),
            )
        }
        Ok(_) => Finding::ok("folder", format!("{} can be changed by its owner only", folder.display())),
        Err(error) => {
            Finding::warning("folder", format!("{}: {error}", folder.display()), "look at its permissions")
        }
    }
}

async fn role(service: &Service) -> Finding {
    match service.whoami().await {
        Ok(me) if me.read_only && me.role.is_some_and(|role| role > Role::Viewer) => Finding::warning(
            "role",
            format!("{} can't change anything here: the database can only be read", me.identity.name),
            "for changes, name the server that takes them (or look at the rights of the file, its folder and its disk)",
        ),
        Ok(me) => match me.role {
            Some(Role::Viewer) => Finding::ok(
                "role",
                format!("{} is a viewer: may read everything and change nothing", me.identity.name),
            ),
            Some(role) => Finding::ok("role", format!("{} is {}", me.identity.name, role.as_str())),
            None => Finding::problem(
                "role",
                format!("{} has no role on this database", me.identity.name),
                format!("ask an admin to run `keyrack operator set {} viewer`", me.identity.name),
            ),
        },
        Err(error) => Finding::problem("role", error.to_string(), "look at the database's log"),
    }
}

/// Nobody can give roles: only who owns the database can mend that.
async fn no_admin(service: &Service, location: &Location) -> Option<Finding> {
    // Who may not read the operators is told so already.
    if service.has_admin().await.unwrap_or(true) {
        return None;
    }
    let whose = match location {
        Location::Sqlite(_) => "have the file's owner",
        Location::Postgres(_) => "have a superuser of the server",
    };
    let cure = format!(
        "{whose} set somebody's role to `admin` in the table operators, outside Keyrack; `keyrack audit verify` will report it"
    );
    Some(Finding::problem("admins", "there is no admin: nobody can give roles or change policies", cure))
}

/// Ends a session that holds what others wait for.
pub(super) async fn end_lock(session: &Session, pid: i32) -> super::Result {
    if session.service().await?.end_session(pid).await? {
        super::super::say(&format!("ended the session of process {pid}"));
        return Ok(());
    }
    Err(Failure::check(format!(
        "process {pid} holds nothing that a change waits for, or has ended. See `keyrack doctor`"
    )))
}

/// Who holds what a change needs, and who has the group of earlier versions.
async fn locks(service: &Service) -> Vec<Finding> {
    let mut findings: Vec<Finding> = service
        .holders()
        .await
        .unwrap_or_default()
        .iter()
        .map(|holder| {
            Finding::warning(
                "locks",
                holder.to_string(),
                format!(
                    "if changes wait for it, an admin ends it: `keyrack doctor --end-lock {}`",
                    holder.pid
                ),
            )
        })
        .collect();
    for (login, gates) in service.shared_logins().await.unwrap_or_default() {
        findings.push(Finding::warning(
            "gates",
            format!("several gates log in as {login}: {gates}. Each of them can confirm revocations for the others"),
            "give each gate a login of its own in the group keyrack_gate",
        ));
    }
    let consoles = service.consoles().await.unwrap_or_default();
    if !consoles.is_empty() {
        let names: Vec<&str> = consoles.iter().map(|(name, _)| name.as_str()).collect();
        let cures: Vec<&str> = consoles.iter().map(|(_, cure)| cure.as_str()).collect();
        findings.push(Finding::warning(
            "groups",
            format!("keyrack_console, the group of earlier versions, still contains {}; it gives nobody more rights than their role", names.join(", ")),
            format!("to give each the group of their role, run `{}`", cures.join("; ")),
        ));
    }
    findings
}

/// What the group roles lack, and the login itself.
async fn rights(service: &Service) -> Vec<Finding> {
    let trouble = |error: service::Error| {
        vec![Finding::problem("rights", error.to_string(), "look at the database's log")]
    };
    let lacks = match service.lacks().await {
        Ok(lacks) => lacks,
        Err(error) => return trouble(error),
    };
    let (lacking, missing): (Vec<&Lack>, Vec<&Lack>) = lacks.iter().partition(|lack| lack.exists);
    let mut findings: Vec<Finding> = lacking
        .into_iter()
        .map(|lack| {
            let statements = lack.cure.join("; ");
            Finding::problem(
                "rights",
                lack.to_string(),
                format!("have the tables' owner run `keyrack migrate`, or a DBA `{statements}`"),
            )
        })
        .collect();
    if !missing.is_empty() {
        let roles: Vec<&str> = missing.iter().map(|lack| lack.role.as_str()).collect();
        findings.push(Finding::warning(
            "rights",
            format!("missing roles: {}; logins can't get their rights", roles.join(", ")),
            format!(
                "have a DBA run `{}`, then run `keyrack migrate` as the tables' owner",
                super::super::migrate::made(&missing)
            ),
        ));
    }
    if let Some(role) = service.whoami().await.ok().and_then(|me| me.role) {
        match service.lacks_of_login(role).await {
            Ok(lack) => findings.extend(lack.map(|(lack, grant)| {
                Finding::problem(
                    "rights",
                    lack.to_string(),
                    format!("have an admin run `{grant}` on the database"),
                )
            })),
            Err(error) => return trouble(error),
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok("rights", "each group role has what it needs"));
    }
    findings
}

/// Whether all is there that this machine has seen of it.
async fn history(service: &Service, session: &Session) -> Vec<Finding> {
    let history = match service.history().await {
        Ok(history) => history,
        Err(error) => {
            return vec![Finding::warning("history", error.to_string(), "look at the database's log")];
        }
    };
    let mut findings: Vec<Finding> = Vec::new();
    if let Some(alarm) = history.alarm(session.zone()) {
        findings.push(Finding::problem("history", alarm, CURE));
    }
    for word in history.asides(session.zone()) {
        findings.push(Finding::warning(
            "history",
            word,
            "see `keyrack info` for where the database is looked for",
        ));
    }
    if let Some(why) = history.fault {
        let cure = "move it away, or give it back to its owner with mode 0600: until then not all that a database lost \
                    when it went back can be told";
        findings.push(Finding::warning("memory", why, cure));
    } else if let Some((seq, at, file)) = history.kept {
        let words = format!(
            "change {} was the newest at {}; kept in {file}",
            thousands(seq.unsigned_abs()),
            session.zone().to_the_minute(at)
        );
        findings.push(Finding::ok("memory", words));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_others_can_read_is_a_problem_with_its_cure() {
        let finding = file(Path::new("/srv/keyrack.db"), 0o640);
        assert_eq!(finding.level, super::super::Level::Problem);
        assert_eq!(finding.cure, "chmod 600 /srv/keyrack.db");
        assert_eq!(file(Path::new("x"), 0o600).level, super::super::Level::Ok);
    }
}
