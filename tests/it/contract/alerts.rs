//! Alerts: raised once, kept for their time.

use crate::support::people::{make_kept, office, preset};
use keyrack::domain::usage::{Alert, Source, What};
use keyrack::service::{AlertRequest, new_operation};
use keyrack::store::Store;

on_both! {
    async fn alerts_are_kept_as_long_as_counts_of_use_and_then_deleted_acknowledged_or_not(db) {
        let service = office(&db, preset("voxpria")).await;
        db.role("gatekeeper").await;
        if db.is_postgres() {
            db.grant("keyrack_gate", "gatekeeper").await;
        }
        let now = service.now().await.unwrap();
        let store = Store::open(&db.location_as("gatekeeper")).await.unwrap();
        for (address_of, days) in
            [("203.0.113.7", 40), ("203.0.113.8", 36), ("203.0.113.9", 34), ("203.0.113.10", 0)]
        {
            let source = Source::caller(address_of.parse().unwrap());
            let what = What::FailedAuthentications { source, attempts: 20, seconds: 300 };
            let at = now - chrono::Duration::days(days);
            assert!(store.raise_alert("east", &Alert { at, what }).await.unwrap());
        }
        let open = AlertRequest { open: true, limit: 50, ..AlertRequest::default() };
        let oldest = service.alerts(&open).await.unwrap().pop().unwrap();
        service.acknowledge_alerts(new_operation(), &[oldest.id]).await.unwrap();
        assert_eq!(store.prune_alerts(now - chrono::Duration::days(35)).await.unwrap(), 2);
        let left = service.alerts(&open).await.unwrap();
        assert!(left.len() == 2 && left[1].sentence().contains("203.0.113.9"), "{left:?}");
        assert!(db.try_execute("DELETE FROM alerts").await.is_err(), "what tells of the last day stays");
    }


    async fn an_alert_is_raised_again_when_an_hour_has_passed_or_when_it_is_graver(db) {
        let service = office(&db, preset("voxpria")).await;
        let key = make_kept(&service, "acme", "nightly").await.key.id;
        let (now, store) = (service.now().await.unwrap(), Store::open(&db.location()).await.unwrap());
        let raise = async |minutes: i64, what: What| {
            let at = now + chrono::Duration::minutes(minutes);
            store.raise_alert("east", &Alert { at, what }).await.unwrap()
        };
        let spike = |requests| What::Spike { key, requests, usual: 10, busiest: 100 };
        let (network, address) = ("203.0.113.0/24".parse().unwrap(), "203.0.113.7".parse().unwrap());
        assert!(raise(0, spike(500)).await);
        assert!(!raise(59, spike(600)).await);
        assert!(raise(1, spike(1_000)).await, "ten times the busiest is graver");
        assert!(!raise(2, spike(600)).await, "a graver one was raised a minute ago");
        assert!(raise(0, What::NewNetwork { key, network, address, expected: false }).await);
        assert!(raise(61, spike(1_000)).await);
    }
}
