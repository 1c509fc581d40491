//! How many connections strangers may have: whoever opens them all and says nothing shall not keep everybody else out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use parking_lot::Mutex;

use super::origin::{Listed, Peer};
use crate::domain::network::reaches;

/// One address, of IPv6 one /64, has at most a quarter of all connections; a whole /48 or /32 at most half of them; but these
/// many in any case, as many as a client with a pool of its own needs.
const LEAST: usize = 64;

/// The open connections of all who are no trusted proxy.
#[derive(Debug)]
pub struct Crowd {
    connections: usize,
    /// Trusted proxies speak for many: they are not counted, and what strangers may not have is theirs.
    trusted: Listed,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    reaches: HashMap<IpNet, usize>,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub struct Seat(Option<(Arc<Crowd>, IpAddr)>);

impl Crowd {
    /// For a gate that has at most this many connections in all.
    pub fn new(connections: usize, trusted: Listed) -> Arc<Self> {
        Arc::new(Self { connections, trusted, counts: Mutex::default() })
    }

    /// A place for a connection of this address, if there is one.
    pub fn enter(self: &Arc<Self>, peer: impl Into<Peer>) -> Option<Seat> {
        let peer = peer.into();
        if self.trusted.holds(peer) {
            return Some(Seat(None));
        }
        let peer = peer.address();
        let mut counts = self.counts.lock();
        let taken = |reach: &IpNet| counts.reaches.get(reach).copied().unwrap_or_default();
        let parts = [self.connections / 4, self.connections / 2, self.connections / 2];
        let crowded =
            parts.into_iter().zip(reaches(peer)).any(|(part, reach)| taken(&reach) >= part.max(LEAST));
        if crowded || counts.all >= self.strangers() {
            return None;
        }
        counts.all += 1;
        for reach in reaches(peer) {
            *counts.reaches.entry(reach).or_default() += 1;
        }
        Some(Seat(Some((Arc::clone(self), peer))))
    }

    /// How many connections all strangers have together: a quarter of all is kept for the trusted proxies.
    fn strangers(&self) -> usize {
        (self.connections - self.connections.div_ceil(4)).max(1)
    }
}

impl Seat {
    /// Whether it is a trusted proxy's.
    pub fn is_trusted(&self) -> bool {
        self.0.is_none()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some((crowd, peer)) = self.0.take() else { return };
        let mut counts = crowd.counts.lock();
        counts.all -= 1;
        for reach in reaches(peer) {
            if let Some(count) = counts.reaches.get_mut(&reach) {
                *count -= 1;
                if *count == 0 {
                    counts.reaches.remove(&reach);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::network::Networks;

    fn crowd(connections: usize) -> Arc<Crowd> {
        Crowd::new(connections, Listed::new(Networks::parse("10.0.0.0/8").unwrap()))
    }

    fn all(crowd: &Arc<Crowd>, addresses: impl Iterator<Item = String>) -> Vec<Seat> {
        addresses.map_while(|address| crowd.enter(address.parse::<IpAddr>().unwrap())).collect()
    }

    #[test]
    fn one_address_has_a_part_of_all_connections_and_a_trusted_proxy_the_rest() {
        let crowd = crowd(400);
        let enter = |address: &str| crowd.enter(address.parse::<IpAddr>().unwrap());
        let mut held = all(&crowd, (0..200).map(|_| "203.0.113.7".into()));
        assert_eq!(held.len(), 100);
        assert!(enter("203.0.113.8").is_some(), "others come in");
        held.pop();
        held.push(enter("203.0.113.7").unwrap());
        assert!(enter("203.0.113.7").is_none());
        let proxy = all(&crowd, (0..400).map(|_| "10.0.0.1".into()));
        assert!(proxy.len() == 400 && proxy.iter().all(Seat::is_trusted));
        drop((held, proxy));
        assert!(crowd.counts.lock().reaches.is_empty() && crowd.counts.lock().all == 0);
    }

    #[test]
    fn a_site_and_a_provider_have_bounds_and_all_strangers_together_too() {
        let crowd = crowd(400);
        let one = all(&crowd, (0..200).map(|n| format!("2001:db8:1:2::{n:x}")));
        assert_eq!(one.len(), 100, "a /64");
        let site = all(&crowd, (0x100..0x200).map(|n| format!("2001:db8:1:{n:x}::1")));
        assert_eq!(site.len(), 100, "a /48 has half");
        assert!(crowd.enter("2001:db8:7::1".parse::<IpAddr>().unwrap()).is_none(), "and a /32 too");
        let others = all(&crowd, (0..400).map(|n| format!("203.0.{}.{}", n / 100, n % 100)));
        assert_eq!(others.len(), 100, "strangers have three quarters");
        assert!(crowd.enter("10.0.0.1".parse::<IpAddr>().unwrap()).is_some_and(|seat| seat.is_trusted()));
    }

    #[test]
    fn few_connections_are_divided_as_well() {
        assert_eq!(all(&crowd(100), (0..200).map(|_| "203.0.113.7".into())).len(), 64);
        assert_eq!(all(&crowd(8), (0..200).map(|_| "203.0.113.7".into())).len(), 6);
        assert_eq!(all(&crowd(1), (0..200).map(|_| "203.0.113.7".into())).len(), 1);
    }
}
