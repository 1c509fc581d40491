use std::collections::HashMap;

use chrono::Duration;

use super::*;
use crate::domain::examples::noon;

fn key(n: u128, account: &str, used: Option<Duration>, from: &str) -> Key {
    let at = used.map(|ago| noon() - ago);
    Key {
        id: KeyId::from_u128(n),
        account: account.into(),
        name: format!("key {n}").into(),
        last_used_at: at,
        last_used_from: at.map(|_| from.into()),
        last_used_endpoint: at.map(|_| "GET /projects".into()),
        ..Key::example().made(noon() - Duration::days(30))
    }
}

#[test]
fn what_works_is_counted_by_use_account_network_and_endpoint() {
    let over = Key { revoked_at: Some(noon()), ..key(9, "acme", Some(Duration::zero()), "192.0.2.1") };
    let keys = [
        key(1, "acme", Some(Duration::minutes(15)), "203.0.113.9"),
        key(2, "acme", Some(Duration::minutes(16)), "203.0.113.77"),
        key(3, "globex", Some(Duration::hours(24)), "2001:db8:1:2::1"),
        key(4, "globex", Some(Duration::days(3)), "somewhere"),
        key(5, "globex", None, ""),
        over,
    ];
    let requests = HashMap::from([(keys[0].id, 1_204), (keys[1].id, 1), (keys[5].id, 99_999)]);
    let reach = Reach::of(&keys, &requests, noon());
    assert_eq!(reach.working(), 5);
    assert_eq!(reach.uses, Uses { just_now: 1, today: 2, earlier: 1, unseen: 1 });
    let lines: Vec<String> =
        reach.lines(BUSIEST).into_iter().map(|(name, words)| format!("{name}: {words}")).collect();
    assert_eq!(
        lines,
        [
            "Keys: 5 active, 1 revoked",
            "In use: 1 in the last 15 minutes, 2 in the last 24 hours, 1 earlier, 1 with no use recorded",
            "Accounts: globex 3, acme 2",
            "Networks: 203.0.113.0/24 2, 2001:db8:1::/48 1, somewhere 1",
            "Endpoints: GET /projects 4",
            "Busiest: key 1 (acme): 1,204 in 24 hours",
            ": key 2 (acme): 1 in 24 hours",
        ]
    );
}

#[test]
fn a_long_list_names_the_first_and_counts_the_rest() {
    let keys: Vec<Key> = (1..=21u128).map(|n| key(n, &format!("account-{}", n % 7), None, "")).collect();
    let reach = Reach::of(&keys, &HashMap::new(), noon());
    let accounts = reach.lines(BUSIEST).into_iter().find(|(name, _)| *name == "Accounts").unwrap().1;
    assert_eq!(accounts, "account-0 3, account-1 3, account-2 3, account-3 3, 3 others 9");
}

#[test]
fn where_nothing_works_there_is_nothing_to_tell_of_use() {
    let dead = Key { revoked_at: Some(noon()), ..Key::example() };
    let lines = Reach::of([&dead], &HashMap::from([(dead.id, 7)]), noon()).lines(BUSIEST);
    assert_eq!(lines, [("Keys", "1 revoked".to_owned()), ("In use", "none of them works".to_owned())]);
}
