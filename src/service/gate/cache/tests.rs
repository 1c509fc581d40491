use super::*;
use crate::domain::account::Standing;
use crate::domain::text::SafeText;

fn account(slug: &str, name: &str) -> Account {
    Account {
        slug: slug.into(),
        issuer: "voxpria".into(),
        name: SafeText::new(name),
        admins: vec![SafeText::new("it@acme.example")],
        plan: None,
        standing: Standing::Good,
        created_at: crate::domain::Instant::UNIX_EPOCH,
        odd: SafeText::default(),
    }
}

#[test]
fn keys_of_an_account_share_what_was_read_of_it_as_long_as_that_is_the_same() {
    let cache = Cache::new(8);
    let one = cache.one_of_all(account("acme", "Acme"));
    assert!(Arc::ptr_eq(&one, &cache.one_of_all(account("acme", "Acme"))));
    let renamed = cache.one_of_all(account("acme", "Acme Foods"));
    assert_eq!((one.name.as_str(), renamed.name.as_str()), ("Acme", "Acme Foods"));
    assert!(Arc::ptr_eq(&renamed, &cache.one_of_all(account("acme", "Acme Foods"))));
}

#[test]
fn accounts_whose_keys_were_forgotten_take_no_room() {
    let cache = Cache::new(8);
    let kept = cache.one_of_all(account("kept", "Kept"));
    for n in 0..10_000 {
        cache.one_of_all(account(&format!("account-{n}"), "Gone"));
    }
    assert!(cache.accounts.lock().capacity() < 100);
    assert!(Arc::ptr_eq(&kept, &cache.one_of_all(account("kept", "Kept"))));
}

/// With what it refers to, and its places in the tables, one takes some 1,300 bytes; it took 2,500.
#[test]
fn a_key_that_is_remembered_is_small() {
    let size = size_of::<Known>();
    assert!(size <= 1_000, "{size}");
}
