use super::*;

const PACE: Pace = Pace { burst: 5, every: Duration::from_secs(1) };

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn key(n: u8) -> HashedKey {
    HashedKey([n; 32])
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn after_its_burst_an_address_waits_and_gets_one_try_a_second() {
    let brake = Brake::new(PACE);
    let one = address("203.0.113.7");
    for _ in 0..5 {
        assert_eq!(brake.wait(one, key(1), at(100)), None);
        brake.failed(one, at(100));
    }
    assert_eq!(brake.wait(one, key(1), at(100)), None, "the sixth is looked up yet");
    brake.failed(one, at(100));
    assert_eq!(brake.wait(one, key(1), at(100)), Some(1));
    assert_eq!(brake.wait(one, key(1), at(101)), None);
    assert_eq!(brake.wait(address("203.0.113.8"), key(1), at(100)), None, "another address");
}

#[test]
fn a_good_key_resets_nothing_and_passes_by_itself() {
    let brake = Brake::new(PACE);
    let one = address("203.0.113.7");
    for _ in 0..20 {
        brake.failed(one, at(0));
        brake.passed(key(9));
    }
    assert!(brake.wait(one, key(1), at(0)).is_some());
    assert_eq!(brake.wait(one, key(9), at(0)), None, "a customer behind the same address");
    brake.forget(key(9));
    assert!(brake.wait(one, key(9), at(0)).is_some());
}

#[test]
fn a_long_flood_is_forgotten_in_the_time_that_the_burst_takes_to_earn() {
    let brake = Brake::new(PACE);
    let one = address("203.0.113.7");
    for _ in 0..1_000_000 {
        brake.failed(one, at(0));
    }
    let wait = brake.wait(one, key(1), at(0)).unwrap();
    assert!((1..=6).contains(&wait), "{wait}");
}

#[test]
fn one_network_is_one_caller_however_it_spells_its_addresses() {
    let brake = Brake::new(PACE);
    for n in 0..10 {
        brake.failed(address(&format!("2001:db8:0:1::{n:x}")), at(0));
        brake.failed(address("::ffff:198.51.100.1"), at(0));
    }
    assert!(brake.wait(address("2001:db8:0:1:ffff::1"), key(1), at(0)).is_some());
    assert!(brake.wait(address("198.51.100.1"), key(1), at(0)).is_some());
    assert_eq!(brake.wait(address("2001:db8:0:2::1"), key(1), at(0)), None);
}

#[test]
fn without_a_burst_there_is_no_brake() {
    let brake = Brake::new(Pace { burst: 0, ..PACE });
    let one = address("203.0.113.7");
    for _ in 0..100 {
        brake.failed(one, at(0));
    }
    assert_eq!(brake.wait(one, key(1), at(0)), None);
}
