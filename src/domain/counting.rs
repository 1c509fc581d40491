//! Where several gates count requests together: one Redis or Valkey, or a Redis Cluster. A password stands elsewhere.

use std::fmt;
use std::str::FromStr;

/// The port of a node that is named without one.
const PORT: u16 = 6379;
/// How the addresses of a cluster begin.
const CLUSTER: &str = "redis-cluster://";

/// A place to count at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountingPlace {
    /// One server, by an address of its own form.
    Server(String),
    /// A cluster, by some of its nodes: they know the others.
    Cluster { user: Option<String>, nodes: Vec<Node> },
}

/// A node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// A name or an address, without brackets.
    pub host: String,
    pub port: u16,
}

/// Why an address was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountingPlaceError {
    #[error("{0:?} isn't a node of a Redis Cluster: write redis-cluster://host:port,host:port")]
    Node(String),
    #[error("the node {0} is named twice: keep one")]
    Twice(Node),
    #[error(
        "remove {0:?}: a Redis Cluster has no numbered databases and takes no parameters. Write redis-cluster://host:port,host:port"
    )]
    Behind(String),
    #[error("gates don't speak TLS to a Redis: use a private network or a tunnel, and {0}")]
    Tls(&'static str),
}

impl CountingPlace {
    /// The nodes that name it, or the one server, with this between them.
    pub fn named(&self, between: &str) -> String {
        match self {
            Self::Server(address) => address.clone(),
            Self::Cluster { nodes, .. } => {
                let nodes: Vec<String> = nodes.iter().map(ToString::to_string).collect();
                nodes.join(between)
            }
        }
    }
}

impl FromStr for CountingPlace {
    type Err = CountingPlaceError;

    /// What is no cluster is one server, whose address is checked where it is used.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.get(..CLUSTER.len().min(text.len())).unwrap_or_default().to_ascii_lowercase();
        if lower.starts_with("rediss-cluster:") {
            return Err(CountingPlaceError::Tls(CLUSTER));
        }
        if lower.starts_with("rediss:") || lower.starts_with("valkeys:") {
            return Err(CountingPlaceError::Tls("redis://"));
        }
        if lower != CLUSTER {
            return Ok(Self::Server(text.to_owned()));
        }
        let rest = &text[CLUSTER.len()..];
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()).filter(|user| !user.is_empty()), rest),
            None => (None, rest),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (list, behind) = rest.split_at(end);
        if !matches!(behind, "" | "/" | "/0") {
            return Err(CountingPlaceError::Behind(short(behind)));
        }
        let mut nodes: Vec<Node> = Vec::new();
        for one in list.split(',') {
            let node: Node = one.trim().parse()?;
            if nodes.contains(&node) {
                return Err(CountingPlaceError::Twice(node));
            }
            nodes.push(node);
        }
        Ok(Self::Cluster { user, nodes })
    }
}

impl FromStr for Node {
    type Err = CountingPlaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || CountingPlaceError::Node(short(text));
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, behind) = rest.split_once(']').ok_or_else(wrong)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?;
                (host, behind)
            }
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_host = !host.is_empty() && (text.starts_with('[') || host.bytes().all(plain));
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => Some(PORT),
            None => None,
            Some(port) => port.parse().ok().filter(|port| *port > 0),
        };
        match port.filter(|_| is_host) {
            Some(port) => Ok(Self { host: host.to_ascii_lowercase(), port }),
            None => Err(wrong()),
        }
    }
}

/// What may be shown of an address that was refused.
fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (&self.host, self.port);
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl fmt::Display for CountingPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(address) => f.write_str(address),
            Self::Cluster { user, .. } => {
                f.write_str(CLUSTER)?;
                if let Some(user) = user {
                    write!(f, "{user}@")?;
                }
                f.write_str(&self.named(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CountingPlace, CountingPlaceError> {
        text.parse()
    }

    #[test]
    fn a_cluster_is_named_by_some_of_its_nodes() {
        for (text, shown) in [
            ("redis-cluster://a.example:7000,B.example", "redis-cluster://a.example:7000,b.example:6379"),
            ("redis-cluster://gate@10.0.0.1:7000/", "redis-cluster://gate@10.0.0.1:7000"),
            ("Redis-Cluster://[::1]:7000, [fe80::1]/0", "redis-cluster://[::1]:7000,[fe80::1]:6379"),
        ] {
            let place = read(text).unwrap();
            assert!(matches!(place, CountingPlace::Cluster { .. }));
            assert_eq!(place.to_string(), shown);
            assert_eq!(read(shown).unwrap(), place);
        }
        for text in ["redis://limits.example:6379/0", "redis+unix:///run/redis.sock", "http://x", ""] {
            assert_eq!(read(text), Ok(CountingPlace::Server(text.into())), "checked where it is used");
        }
    }

    #[test]
    fn what_is_no_cluster_is_refused_in_words() {
        for (text, word) in [
            ("redis-cluster://", "isn't a node"),
            ("redis-cluster://a:7000,", "isn't a node"),
            ("redis-cluster://a:0", "\"a:0\""),
            ("redis-cluster://a:70000", "\"a:70000\""),
            ("redis-cluster://a:7000:8", "isn't a node"),
            ("redis-cluster://::1", "isn't a node"),
            ("redis-cluster://[a]:7000", "isn't a node"),
            ("redis-cluster://[::1]7000", "isn't a node"),
            ("redis-cluster://a b", "isn't a node"),
            ("redis-cluster://a,redis-cluster://b", "remove \"//b\""),
            ("redis-cluster://a:7000,A:7000", "the node a:7000 is named twice"),
            ("redis-cluster://a/3", "no numbered databases"),
            ("redis-cluster://a?protocol=resp3", "no parameters"),
            ("rediss-cluster://a", "speak TLS"),
            ("rediss://a", "speak TLS"),
        ] {
            let said = read(text).unwrap_err().to_string();
            assert!(said.contains(word), "{text}: {said}");
        }
    }
}
