//! A page around a key, and how many keys come before a place.

use super::{page, page_ids};
use keyrack::domain::key::KeyId;
use keyrack::domain::query::{Cursor, Query, Sort};
use keyrack::service::{Count, From, Rank, Service};

async fn rank(service: &Service, query: &Query, sort: Sort, place: &Cursor) -> Count {
    service.rank(&Rank { query: query.clone(), sort, place: place.clone() }).await.unwrap()
}

/// The rows around a key, whether the filter fits it or not, and how many come before them.
pub(super) async fn around(
    service: &Service,
    query: &Query,
    sort: Sort,
    wanted: &[KeyId],
    middle: usize,
    what: &str,
) {
    let read = page(service, query, sort, From::Around(wanted[middle]), 21).await;
    assert_eq!(page_ids(&read), wanted[middle - 7..middle + 14], "{what}, around");
    assert_eq!((read.at, read.more_before, read.more_after), (7, true, true), "{what}, around");
    let first = &read.rows[0].cursor;
    let before = u64::try_from(middle - 7).unwrap();
    assert_eq!(rank(service, query, sort, first).await, Count::Exactly(before), "{what}, rank");
    let whole = page(service, query, sort, From::Start, 10_000).await;
    for (key, at) in [(wanted[0], 0), (wanted[wanted.len() - 1], wanted.len() - 1)] {
        let read = page(service, query, sort, From::Around(key), 21).await;
        assert_eq!(read.rows[read.at].key.id, key, "{what}, around an end");
        assert_eq!((read.more_before, read.more_after), (at > 7, at + 14 < wanted.len()), "{what}");
        assert_eq!(
            rank(service, query, sort, &whole.rows[at].cursor).await,
            Count::Exactly(at as u64),
            "{what}"
        );
    }
    let nobody = page(service, query, sort, From::Around(KeyId::nil()), 20).await;
    assert_eq!(page_ids(&nobody), wanted[..20], "{what}, around nothing");
}
