//! What the settings tell gates: whether one can be started with them, where it listens, and where requests are counted.

use super::Finding;
use crate::config::settings::GateTable;
use crate::domain::counting::CountingPlace;
use crate::domain::listening::{Believed, ListenPlace};

/// Nothing where the settings don't speak of a gate.
pub(super) fn examine(table: &GateTable) -> Vec<Finding> {
    if let Err(mistake) = table.check() {
        let cure = "fix it below [gate]: no gate starts until then; keys can still be revoked";
        return vec![Finding::problem("gate", mistake.to_string(), cure)];
    }
    if !table.is_told() {
        return Vec::new();
    }
    let mut findings = vec![Finding::ok("gate", "its settings can be read")];
    findings.extend(counting(table));
    findings.extend(places(table));
    findings
}

fn counting(table: &GateTable) -> Option<Finding> {
    let place = table.limits.value.as_ref()?;
    Some(match place {
        CountingPlace::Server(address) => {
            Finding::ok("limits", format!("gates count requests together at {address}"))
        }
        CountingPlace::Cluster { nodes, .. } if nodes.len() == 1 => Finding::warning(
            "limits",
            format!(
                "the Redis Cluster is named only by {}: while that node is down, a gate that starts can't find the others",
                nodes[0]
            ),
            "name two or three of its nodes, as redis-cluster://a:6379,b:6379",
        ),
        CountingPlace::Cluster { .. } => Finding::ok(
            "limits",
            format!("gates count requests together in a Redis Cluster, found by {}", place.named(", ")),
        ),
    })
}

fn places(table: &GateTable) -> Vec<Finding> {
    let (listen, grpc) = (&table.listen.value, &table.listen_grpc.value);
    let mut findings = Vec::new();
    for place in listen.iter().chain(grpc).chain(&table.admin_listen.value) {
        let folder = place.socket().and_then(|path| path.parent());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            findings.push(Finding::warning(
                "gate",
                format!("a gate can't listen at {place} here: its folder isn't there"),
                "make the folder, or let systemd do it: RuntimeDirectory=keyrack in the gate's unit",
            ));
        }
    }
    let believed = &table.trusted_proxy.value;
    let (is_socket, sockets) =
        (|place: &&ListenPlace| place.socket().is_some(), believed.contains(&Believed::Sockets));
    if let Some(place) = listen.iter().chain(grpc).find(is_socket).filter(|_| !sockets) {
        findings.push(Finding::warning(
            "gate",
            format!("proxies that connect by {place} are not trusted: /auth refuses them"),
            "add \"unix\" to `trusted-proxy`",
        ));
    }
    let networks = believed.iter().any(|one| matches!(one, Believed::Network(_)));
    if let Some(place) = grpc.iter().find(|place| place.socket().is_none()).filter(|_| !networks) {
        findings.push(Finding::warning(
            "gate",
            format!("nobody can ask by gRPC at {place}: no network of proxies is trusted"),
            "name Envoy's network with `trusted-proxy`",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_proxy_can_use_is_told() {
        let mut table = GateTable::default();
        table.listen.value = vec!["unix:/nonexistent/gate.sock".parse().unwrap()];
        table.listen_grpc.value = vec!["127.0.0.1:8103".parse().unwrap()];
        let found: Vec<String> = places(&table).into_iter().map(|finding| finding.found).collect();
        assert!(found[0].contains("its folder isn't there"), "{found:?}");
        assert!(found[1].contains("are not trusted"), "{found:?}");
        assert!(found[2].contains("no network of proxies is trusted"), "{found:?}");
        table.listen.value = vec!["unix:/tmp/gate.sock".parse().unwrap()];
        table.trusted_proxy.value = vec!["unix".parse().unwrap(), "127.0.0.1".parse().unwrap()];
        assert!(places(&table).is_empty());
    }

    #[test]
    fn where_requests_are_counted_is_told() {
        let mut table = GateTable::default();
        let mut of = |text: &str| {
            table.limits.value = Some(text.parse().unwrap());
            counting(&table).unwrap()
        };
        assert!(of("redis://a/0").found.ends_with("at redis://a/0"));
        assert!(
            of("redis-cluster://a,b:7000").found.ends_with("in a Redis Cluster, found by a:6379, b:7000")
        );
        assert!(of("redis-cluster://a").cure.contains("two or three"));
    }
}
