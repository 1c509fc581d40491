use super::address::AddressError;
use super::*;
use crate::domain::budget::Budget;
use crate::domain::limit::Bucket;

#[test]
fn an_address_holds_no_password_and_never_shows_one() {
    let refused = Address::parse("redis://:hunter2@localhost:6379", None).unwrap_err();
    assert!(matches!(refused, AddressError::Password) && !refused.to_string().contains("hunter2"));
    let refused = Address::parse("http://user:hunter2@localhost", None).unwrap_err();
    assert!(matches!(refused, AddressError::Form(_)) && !refused.to_string().contains("hunter2"));
    let address = Address::parse("redis://localhost:6380/3", Some("hunter2")).unwrap();
    assert_eq!(format!("{address:?}"), "localhost:6380");
    let Address::Server(info) = address else { panic!("one server") };
    assert_eq!((info.redis_settings().password(), info.redis_settings().db()), (Some("hunter2"), 3));
    let cluster = Address::parse("redis-cluster://gate@a:7000,b", Some("hunter2")).unwrap();
    assert_eq!(format!("{cluster:?}"), "redis-cluster://gate@a:7000,b:6379");
    assert_eq!(cluster.name(), "a:7000, b:6379");
    for wrong in ["redis-cluster://", "rediss://a", "redis-cluster://:hunter2@"] {
        let refused = Address::parse(wrong, None).unwrap_err();
        assert!(matches!(refused, AddressError::Form(_)) && !refused.to_string().contains("hunter2"));
    }
}

#[test]
fn an_answer_of_another_length_is_none() {
    let budget = Budget { seconds: 60, requests: 5 };
    let charges = [Charge { bucket: Bucket::Account("acme".into()), budgets: vec![budget] }];
    let (quota, now) = read(&charges, &[100, 1, 2, 160]).unwrap();
    let quota = quota.unwrap();
    assert_eq!((quota.allowed, quota.tightest().remaining, now), (true, 3, 100));
    for numbers in [&[][..], &[100], &[100, 1], &[100, 1, 2]] {
        assert!(read(&charges, numbers).is_none());
    }
}
