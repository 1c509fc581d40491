//! Allow-lists: the networks that a key may be used from (VP-07).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use super::spaced::write_spaced;

/// An allow-list. Empty means any address.
///
/// Every member is canonical: host bits are zero, and an IPv4 address written inside IPv6 (`::ffff:a.b.c.d`)
/// is IPv4, so that no rule can be slipped past by spelling (H18).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Networks(Vec<IpNet>);

/// Why an entry of an allow-list was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    #[error("{0:?} isn't a valid address or network: write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32")]
    Form(String),
    /// It holds all of IPv4 in the spelling of IPv6, and more. No caller has such an address: those of IPv4 are IPv4.
    #[error(
        "{0:?} would match no IPv4 address: write 203.0.113.0/24 for some, 0.0.0.0/0 for all, ::/0 for any address"
    )]
    Mapped(String),
}

impl Networks {
    /// Collects canonical networks, sorted and without repetition.
    pub fn new(nets: impl IntoIterator<Item = IpNet>) -> Self {
        let mut nets: Vec<IpNet> = nets.into_iter().map(canonical).collect();
        nets.sort();
        nets.dedup();
        Self(nets)
    }

    /// Reads a list separated by commas or white space. The error names the first bad entry.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        text.split(|c: char| c == ',' || c.is_whitespace())
            .filter(|entry| !entry.is_empty())
            .map(parse_network)
            .collect::<Result<Vec<_>, _>>()
            .map(Self::new)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn as_slice(&self) -> &[IpNet] {
        &self.0
    }

    /// Whether a caller at `address` may pass: any, if the list is empty. `::/0` holds IPv4 too, as `::` does for servers.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = canonical_address(address);
        let everything = |net: &IpNet| matches!(net, IpNet::V6(v6) if v6.prefix_len() == 0);
        self.0.is_empty() || self.0.iter().any(|net| net.contains(&address) || everything(net))
    }
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_spaced(f, &self.0)
    }
}

/// Reads one address (which stands for itself alone) or one network in CIDR form.
pub fn parse_network(text: &str) -> Result<IpNet, NetworkError> {
    let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    match net.map(canonical).map_err(|_| NetworkError::Form(text.to_owned()))? {
        IpNet::V6(v6) if v6.prefix_len() > 0 && v6.contains(&Ipv4Addr::UNSPECIFIED.to_ipv6_mapped()) => {
            Err(NetworkError::Mapped(text.to_owned()))
        }
        net => Ok(net),
    }
}

/// `::ffff:a.b.c.d` as `a.b.c.d`; every other address as it is.
pub fn canonical_address(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The address that one caller is told apart by: of IPv6 its /64, in which a provider's customer can choose at will.
pub fn caller_of(address: IpAddr) -> IpAddr {
    reaches(address).next().map_or(address, |reach| reach.addr())
}

/// The networks that one caller may have addresses in, the narrowest first: of IPv6 its /64, a site's /48, a provider's
/// /32; of IPv4 the address by itself.
pub fn reaches(address: IpAddr) -> impl Iterator<Item = IpNet> {
    let address = canonical_address(address);
    let widths: &[u8] = if address.is_ipv4() { &[32] } else { &[64, 48, 32] };
    widths.iter().filter_map(move |width| IpNet::new(address, *width).ok()).map(|net| net.trunc())
}

fn canonical(net: IpNet) -> IpNet {
    match net.trunc() {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => mapped_v4(v6).map_or(IpNet::V6(v6), IpNet::V4),
        other => other,
    }
}

fn mapped_v4(net: Ipv6Net) -> Option<Ipv4Net> {
    let v4 = Ipv6Addr::to_ipv4_mapped(&net.addr())?;
    Ipv4Net::new(v4, net.prefix_len() - 96).ok()
}

#[cfg(test)]
mod tests;
