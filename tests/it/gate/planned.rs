//! KR-18: a gate lets a planned key pass from its instant on and up to its planned revocation, and nobody writes anything then.

use std::time::Duration;

use chrono::TimeDelta;
use keyrack::domain::edit::Edit;
use keyrack::domain::plan::{NewInstant, Plan};
use keyrack::service::{CreateKey, new_operation};

use crate::support::gate::{Gate, bearer};
use crate::support::people::{keep, office, preset, scoped};

on_both! {
    async fn kr_18_a_planned_key_passes_only_between_its_instants(db) {
        let office = office(&db, preset("voxpria")).await;
        let gate = Gate::start(&db, &[]);
        let usual = keep(&office, scoped("acme", "calls:read")).await;
        let now = office.now().await.unwrap();
        let [starts, ends] = [4, 8].map(|seconds| now + TimeDelta::seconds(seconds));
        let plan = Plan { not_before: Some(starts), revoke_at: Some(ends) };
        let made = keep(&office, CreateKey { plan, ..scoped("acme", "calls:read") }).await;
        let ask = |secret: &keyrack::domain::secret::PlainKey| {
            let key = bearer(secret);
            let headers =
                [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/api/v1/calls"), ("X-Forwarded-For", "203.0.113.7"), ("Authorization", &key)];
            gate.get("/auth", &headers)
        };
        let early = ask(&made.secret);
        let unknown = {
            let mut wrong = made.secret.expose().to_owned();
            let last = wrong.pop().unwrap();
            wrong.push(if last == '0' { '1' } else { '0' });
            let key = format!("Bearer {wrong}");
            gate.get("/auth", &[("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/api/v1/calls"), ("Authorization", &key)])
        };
        assert_eq!((early.status, &early.body), (401, &unknown.body), "who sends it learns nothing");
        assert_eq!(ask(&usual.secret).status, 200);
        let head = db.number("SELECT seq FROM audit_head").await;
        let until = async |at: chrono::DateTime<chrono::Utc>| {
            let wait = at - office.now().await.unwrap() + TimeDelta::milliseconds(200);
            tokio::time::sleep(wait.to_std().unwrap_or_default()).await;
        };
        until(starts).await;
        assert_eq!(ask(&made.secret).status, 200);
        until(ends).await;
        let late = ask(&made.secret);
        assert_eq!((late.status, &late.body), (401, &early.body));
        assert_eq!(db.number("SELECT seq FROM audit_head").await, head, "nobody wrote anything");
        // A plan that is moved reaches the gate like any edit.
        let soon = office.now().await.unwrap() + TimeDelta::seconds(2);
        let plan = Edit { revoke_at: Some(NewInstant::To(Some(soon))), ..Edit::default() };
        office.edit_keys(new_operation(), &[usual.key.id], plan, None).await.unwrap();
        let receipt = office.receipt(&[usual.key.id], Duration::from_secs(5)).await.unwrap();
        assert!(receipt.is_complete(), "{receipt:?}");
        assert_eq!(ask(&usual.secret).status, 200);
        let cancel = Edit { revoke_at: Some(NewInstant::To(None)), ..Edit::default() };
        office.edit_keys(new_operation(), &[usual.key.id], cancel, None).await.unwrap();
        until(soon).await;
        assert_eq!(ask(&usual.secret).status, 200, "it was cancelled in time");
        let log = gate.log();
        assert!(log.contains("planned"), "{log}");
        gate.stop();
    }
}
