//! How a change is kept, and the way to PostgreSQL: what it goes through, and as whom.

use super::Finding;
use crate::service::{Facts, Location};

/// Whether what was confirmed stays, whatever happens to the machine.
pub(super) fn durable(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(why) = facts.weakness {
        findings.push(Finding::problem(
            "durability",
            format!("a change may be lost after it was confirmed: {why}"),
            "turn on fsync, full_page_writes and synchronous_commit in PostgreSQL's settings and reload them",
        ));
    }
    if let Some(why) = &facts.standbys {
        findings.push(Finding::warning(
            "standbys",
            format!("a change may be lost with the server after it was confirmed: {why}"),
            "name a synchronous standby in synchronous_standby_names (Patroni: synchronous_mode: true), and leave synchronous_commit on",
        ));
    }
    if facts.weakness.is_none() {
        findings.push(Finding::ok("durability", "a change is on disk before it is confirmed"));
    }
    findings
}

/// What the connection goes through.
pub(super) fn connection(facts: &Facts, location: &Location) -> Vec<Finding> {
    let mut findings = vec![if facts.channel.starts_with("encrypted") || is_local(location) {
        Finding::ok("connection", facts.channel.clone())
    } else {
        Finding::problem(
            "connection",
            "not encrypted",
            "set sslmode=verify-full in the address, and turn on ssl at the server",
        )
    }];
    if facts.pooled {
        findings.push(Finding::ok(
            "pooler",
            "each transaction gets another connection: nothing is kept from one to the next, and news is asked for, not listened to",
        ));
    }
    if let Some((acts_as, named)) = &facts.acts_as {
        findings.push(Finding::warning(
            "pooler",
            format!("{named} of the address acts as {acts_as}: a pooler logs in as that, and all who come through it are one in the audit"),
            "let the pooler log in as each client (PgBouncer: auth_file or auth_query, and no user= in the database's line)",
        ));
    }
    findings
}

/// Whether the server is on this machine, where nobody listens on the line.
fn is_local(location: &Location) -> bool {
    let address = location.to_string();
    let host = address.split("://").nth(1).unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    address.contains("host=/")
        || address.contains("host=%2F")
        || host.to_ascii_lowercase().starts_with("%2f")
        || host.is_empty()
        || host
            .split(',')
            .all(|host| ["localhost", "127.", "[::1]", "/", "?"].iter().any(|local| host.starts_with(local)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_this_machine_is_told_from_one_elsewhere() {
        for local in [
            "postgres://ada@localhost/k",
            "postgres://127.0.0.1:5432/k",
            "postgres:///k?host=/run/pg",
            "postgres://ada@%2Frun%2Fpg/k",
        ] {
            assert!(is_local(&Location::Postgres(local.into())), "{local}");
        }
        for remote in ["postgres://ada@db.example/k", "postgres://10.0.0.1/k"] {
            assert!(!is_local(&Location::Postgres(remote.into())), "{remote}");
        }
    }
}
