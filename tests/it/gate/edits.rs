//! KR-10: a gate applies an edit at once, of every kind.

use keyrack::domain::edit::{Edit, NewEnd};
use keyrack::domain::expiry::Expiry;
use keyrack::domain::network::Networks;
use keyrack::domain::scope::Scopes;
use keyrack::service::{CreateKey, new_operation};

use crate::support::gate::{Gate, bearer};
use crate::support::people::{keep, office, preset, scoped};

on_both! {
    async fn kr_10_a_gate_applies_scopes_networks_and_ends_at_once(db) {
        let office = office(&db, preset("voxpria")).await;
        let wanted = CreateKey { expiry: Expiry::Days(30), ..scoped("acme", "calls:read") };
        let created = keep(&office, wanted).await;
        let gate = Gate::start(&db, &[]);
        let ask = || {
            let key = bearer(&created.secret);
            let headers =
                [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/api/v1/calls"), ("X-Forwarded-For", "203.0.113.7"), ("Authorization", &key)];
            gate.get("/auth", &headers).status
        };
        assert_eq!(ask(), 200);
        let soon = office.now().await.unwrap() + chrono::Duration::seconds(2);
        for (edit, status) in [
            (Edit { remove_scopes: Scopes::parse("calls:read"), ..Edit::default() }, 403),
            (Edit { add_scopes: Scopes::parse("calls:read"), ..Edit::default() }, 200),
            (Edit { allow: Networks::parse("198.51.100.0/24").unwrap(), ..Edit::default() }, 401),
            (Edit { allow: Networks::parse("203.0.113.0/24").unwrap(), ..Edit::default() }, 200),
            (Edit { disallow: Networks::parse("203.0.113.0/24").unwrap(), ..Edit::default() }, 401),
            (Edit { anywhere: true, ..Edit::default() }, 200),
            (Edit { name: Some("another".into()), ..Edit::default() }, 200),
            (Edit { expires: Some(NewEnd::To(Expiry::At(soon))), ..Edit::default() }, 200),
            (Edit { expires: Some(NewEnd::To(Expiry::Days(90))), ..Edit::default() }, 200),
        ] {
            office.edit_keys(new_operation(), &[created.key.id], edit.clone(), None).await.unwrap();
            assert_eq!(ask(), status, "{edit:?}");
        }
        tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
        assert_eq!(ask(), 200, "the nearer end was taken back in time");
        let receipt = office.receipt(&[created.key.id], std::time::Duration::from_secs(5)).await.unwrap();
        assert!(receipt.is_complete() && receipt.gates.len() == 1, "{receipt:?}");
        gate.stop();
    }
}
