//! What an API is told of a key with more scopes than any proxy's buffers are made for.

use std::collections::BTreeSet;

use super::*;
use keyrack::domain::issuer::ScopeRule;

/// A key with hundreds of scopes passes, and what the API is told of them fits every proxy's buffers.
async fn a_key_with_300_scopes_passes(db: &Database) {
    let mut policy = preset("voxpria");
    let names: Vec<String> = (0..300).map(|n| format!("calls:campaign-{n:03}")).collect();
    let rule = policy.scopes[0].clone();
    policy.scopes.extend(names.iter().map(|name| ScopeRule { name: name.clone(), ..rule.clone() }));
    let office = office(db, policy).await;
    let all = keep(&office, scoped("acme", &format!("calls:read {}", names.join(" ")))).await;
    let few = keep(&office, scoped("acme", &format!("calls:read {}", names[..50].join(" ")))).await;
    for proxy in [&NGINX, &CADDY, &HAPROXY] {
        let Some(site) = Site::build(db, proxy) else { continue };
        for (created, told) in
            [(&all, "count=301".to_owned()), (&few, format!("calls:read {}", names[..50].join(" ")))]
        {
            let answer =
                site.send("GET", "/api/v1/calls", &[("Authorization", &bearer(&created.secret))], "");
            assert_eq!(answer.status, 200, "{}: {answer:?}", proxy.name);
            let head = answer.json()["head"].as_str().unwrap().to_ascii_lowercase();
            let told: BTreeSet<&str> = told.split(' ').collect();
            let line = head.lines().find_map(|line| line.strip_prefix("x-keyrack-scopes: ")).unwrap();
            assert_eq!(line.split(' ').collect::<BTreeSet<_>>(), told, "{}", proxy.name);
        }
    }
}

on_both! {
    async fn behind_any_proxy_a_key_with_300_scopes_passes(db) {
        a_key_with_300_scopes_passes(&db).await;
    }
}
