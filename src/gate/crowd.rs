//! How many connections one address may have: whoever opens them all and says nothing shall not keep everybody else out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::origin::Listed;
use crate::domain::network::caller_of;

/// One address has at most this part of all connections, …
const PART: usize = 4;
/// … but so many in any case: few are as many as one client with a pool of its own needs.
const LEAST: usize = 64;

/// The open connections by address; of IPv6 by /64, which one caller can choose addresses from.
#[derive(Debug)]
pub struct Crowd {
    most: usize,
    /// Trusted proxies speak for many and are not counted.
    trusted: Listed,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub struct Seat(Option<(Arc<Crowd>, IpAddr)>);

impl Crowd {
    /// For a gate that has at most this many connections in all.
    pub fn new(connections: usize, trusted: Listed) -> Arc<Self> {
        Arc::new(Self { most: (connections / PART).max(LEAST), trusted, counts: Mutex::default() })
    }

    /// A place for a connection of this address, if there is one.
    pub fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Seat> {
        if self.trusted.holds(peer) {
            return Some(Seat(None));
        }
        let caller = caller_of(peer);
        let mut counts = self.counts();
        let count = counts.entry(caller).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Seat(Some((Arc::clone(self), caller))))
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.counts.lock()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some((crowd, caller)) = self.0.take() else { return };
        let mut counts = crowd.counts();
        if let Some(count) = counts.get_mut(&caller) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::network::Networks;

    #[test]
    fn one_address_has_a_part_of_all_connections_and_a_trusted_proxy_all() {
        let crowd = Crowd::new(400, Listed::new(Networks::parse("10.0.0.0/8").unwrap()));
        let enter = |address: &str| crowd.enter(address.parse().unwrap());
        let mut held: Vec<_> = (0..100).map(|_| enter("203.0.113.7").unwrap()).collect();
        assert!(enter("203.0.113.7").is_none());
        assert!(enter("203.0.113.8").is_some(), "others come in");
        held.pop();
        held.push(enter("203.0.113.7").unwrap());
        assert!(enter("203.0.113.7").is_none());
        let six: Vec<_> = (0..100).map(|n| enter(&format!("2001:db8:1:2::{n:x}")).unwrap()).collect();
        assert!(enter("2001:db8:1:2:3::1").is_none() && enter("2001:db8:1:3::1").is_some());
        let proxy: Vec<_> = (0..400).map(|_| enter("10.0.0.1").unwrap()).collect();
        drop((held, six, proxy));
        assert!(crowd.counts().is_empty());
        assert_eq!(Crowd::new(8, Listed::new(Networks::parse("10.0.0.0/8").unwrap())).most, 64);
    }
}
