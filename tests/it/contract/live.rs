//! News of changes says what was touched, so that a console asks again only for that.

use std::time::Duration;

use crate::support::people::{make_kept, office, preset};
use keyrack::domain::operator::Role;
use keyrack::domain::subjects::Subjects;
use keyrack::service::new_operation;
use keyrack::store::{LiveEvent, LiveEvents};

/// Everything that is told until it includes what is `wanted`.
async fn told(events: &mut LiveEvents, wanted: Subjects) -> Subjects {
    let mut told = Subjects::NONE;
    let wait = async {
        while !told.meet(wanted) {
            match events.next().await {
                Some(LiveEvent::Changed(touched)) => told = told | touched,
                other => panic!("{other:?}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
    told
}

on_both! {
    async fn each_change_tells_what_it_touched_and_nothing_else(db) {
        let service = office(&db, preset("voxpria")).await;
        let watching = db.open().await;
        let mut events = watching.watch();
        // The first look finds how things stand; what comes after it is news.
        tokio::time::sleep(Duration::from_secs(1)).await;
        service.set_operator(new_operation(), "bob", Role::Viewer).await.unwrap();
        let touched = told(&mut events, Subjects::OPERATORS).await;
        assert_eq!(touched, Subjects::OPERATORS | Subjects::AUDIT);
        make_kept(&service, "acme", "hub").await;
        let touched = told(&mut events, Subjects::KEYS).await;
        assert!(!touched.meet(Subjects::OPERATORS | Subjects::ISSUERS | Subjects::ALERTS), "{touched:?}");
    }
}
