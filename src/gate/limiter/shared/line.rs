//! The line to the windows that gates share: to one server, or to the nodes of a cluster.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterConfig;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, ResponsePolicy, RoutingInfo};
use redis::{Client, Cmd, FromRedisValue, RedisResult, Value, from_redis_value};

use super::address::Address;

/// A request waits for no longer than this.
pub(super) const PATIENCE: Duration = Duration::from_millis(250);
/// And for one node of a cluster, so that there is time for another: a node that gives no answer shall not hold up those
/// whose windows are elsewhere.
const NODE_PATIENCE: Duration = Duration::from_millis(100);

pub(super) enum Line {
    Server(ConnectionManager),
    Cluster(ClusterConnection),
}

/// Whose slots are which: from one to another, its primary, and how many replicas that has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub slots: std::ops::RangeInclusive<u16>,
    pub primary: String,
    pub replicas: usize,
}

impl Line {
    /// Prepares the line; it is made with the first question, and made anew whenever it breaks.
    pub fn open(address: Address) -> RedisResult<Self> {
        match address {
            Address::Server(info) => {
                let settings = ConnectionManagerConfig::new()
                    .set_connection_timeout(Some(PATIENCE))
                    .set_response_timeout(Some(PATIENCE))
                    .set_number_of_retries(1)
                    .set_min_delay(Duration::from_millis(20))
                    .set_max_delay(PATIENCE);
                ConnectionManager::new_lazy_with_config(Client::open(*info)?, settings).map(Self::Server)
            }
            Address::Cluster { client, .. } => {
                let settings = ClusterConfig::new()
                    .set_connection_timeout(NODE_PATIENCE)
                    .set_response_timeout(NODE_PATIENCE);
                Ok(Self::Cluster(client.get_pending_async_connection_with_config(settings)))
            }
        }
    }

    /// Sends a command to where its keys are.
    pub async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        match self {
            Self::Server(line) => command.query_async(&mut line.clone()).await,
            Self::Cluster(line) => command.query_async(&mut line.clone()).await,
        }
    }

    /// Whether requests can be counted there. A cluster says so by itself, through any node that answers.
    pub async fn is_well(&self) -> RedisResult<bool> {
        match self {
            Self::Server(_) => self.ask::<String>(&redis::cmd("PING")).await.map(|_| true),
            Self::Cluster(line) => {
                let mut command = redis::cmd("CLUSTER");
                command.arg("INFO");
                let first = Some(ResponsePolicy::OneSucceeded);
                let everyone = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, first));
                let told = line.clone().route_command(command, everyone).await?;
                Ok(from_redis_value::<String>(told)?.lines().any(|line| line.trim() == "cluster_state:ok"))
            }
        }
    }

    /// Which node has which slots; nothing of one server.
    pub async fn ranges(&self) -> RedisResult<Vec<Range>> {
        let Self::Cluster(_) = self else { return Ok(Vec::new()) };
        let mut command = redis::cmd("CLUSTER");
        command.arg("SLOTS");
        let told: Vec<Vec<Value>> = self.ask(&command).await?;
        Ok(told.into_iter().filter_map(range).collect())
    }
}

/// A line of `CLUSTER SLOTS`: first slot, last slot, then the primary and its replicas, each with host and port.
fn range(told: Vec<Value>) -> Option<Range> {
    let mut told = told.into_iter();
    // The library makes a u16 of any number.
    let mut number = || u16::try_from(from_redis_value::<i64>(told.next()?).ok()?).ok();
    let slots = number()?..=number()?;
    let mut nodes = told.map_while(|node| match node {
        Value::Array(parts) => {
            let mut parts = parts.into_iter();
            let host: String = from_redis_value(parts.next()?).ok()?;
            let port: i64 = from_redis_value(parts.next()?).ok()?;
            Some(format!("{host}:{port}"))
        }
        _ => None,
    });
    Some(Range { slots, primary: nodes.next()?, replicas: nodes.count() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(host: &str, port: i64) -> Value {
        Value::Array(vec![
            Value::BulkString(host.into()),
            Value::Int(port),
            Value::BulkString(b"id".to_vec()),
        ])
    }

    #[test]
    fn a_cluster_tells_who_has_which_slots() {
        let told = |more: Vec<Value>| range([vec![Value::Int(0), Value::Int(5_460)], more].concat());
        let whole = told(vec![node("10.0.0.1", 7000), node("10.0.0.2", 7001), node("10.0.0.3", 7002)]);
        let wanted = Range { slots: 0..=5_460, primary: "10.0.0.1:7000".into(), replicas: 2 };
        assert_eq!(whole, Some(wanted));
        assert_eq!(told(vec![]), None, "slots of nobody");
        assert_eq!(range(vec![Value::Int(-1), Value::Int(7), node("a", 1)]), None);
    }
}
