//! What Prometheus is told. No label has values that a stranger could make up.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry, Unit};

/// What a request was and came to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Labels {
    /// `auth`, `grpc`, `me`, `verify`, `watch`.
    pub entrance: &'static str,
    /// The issuer's slug; empty where no key or host said whose it is.
    pub issuer: String,
    /// `allowed`, or the reason's code.
    pub verdict: &'static str,
}

/// The counters of a gate.
pub struct Metrics {
    registry: Registry,
    pub requests: Family<Labels, Counter>,
    /// From the whole head to the answer.
    pub seconds: Histogram,
    pub connections: Gauge,
    pub turned_away: Counter,
    pub streams: Gauge,
    pub panics: Counter,
    pub unlogged: Counter,
    pub limiter_alone: Counter,
    pub again: Counter,
    lost_lines: Counter,
    database: Gauge,
    went_back: Gauge,
    limiter: Gauge,
    shared: Gauge,
    gates: Gauge,
    windows: Gauge,
    age: Gauge<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("keyrack_gate");
        let all = &mut registry;
        // 50 microseconds to 1.6 seconds.
        let seconds = Histogram::new(exponential_buckets(0.000_05, 2.0, 16));
        let help = "Time from a request's head to its answer";
        all.register_with_unit("request", help, Unit::Seconds, seconds.clone());
        let age = Gauge::default();
        let help = "Since the database last proved what this gate remembers";
        all.register_with_unit("proof_age", help, Unit::Seconds, age.clone());
        Self {
            requests: added(all, "requests", "Requests by issuer and verdict"),
            connections: added(all, "connections", "Open connections"),
            turned_away: added(
                all,
                "turned_away",
                "Connections closed at once because their address had as many as one may have",
            ),
            streams: added(all, "streams", "Streams held open by GET /api/v1/watch"),
            panics: added(all, "panics", "Handlers that broke; their requests were refused"),
            unlogged: added(all, "unlogged_refusals", "Refusals left out of the log to keep it readable"),
            lost_lines: added(
                all,
                "lost_log_lines",
                "Lines left out of the log because its reader was too slow",
            ),
            limiter_alone: added(
                all,
                "limiter_alone",
                "Requests counted by this gate alone because the shared limiter was gone",
            ),
            again: added(all, "judged_again", "Requests judged anew because something changed meanwhile"),
            database: added(all, "database_up", "1 if the database answered within the lease"),
            went_back: added(
                all,
                "database_went_back",
                "1 if the database went back and nobody has decided about it yet",
            ),
            limiter: added(all, "limiter_up", "1 if requests can be counted as the policies want"),
            shared: added(
                all,
                "limiter_shared",
                "1 if this gate counts requests together with others, 0 if by itself",
            ),
            gates: added(all, "living_gates", "Gates that live on the database, this one included"),
            windows: added(all, "limiter_windows", "Buckets that this gate counts by itself"),
            seconds,
            age,
            registry,
        }
    }
}

/// A metric that begins at nothing, and is told of.
fn added<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

/// What is asked for at the moment of telling.
#[derive(Clone, Copy, Debug, Default)]
pub struct Present {
    pub database: bool,
    /// Whether something is gone that was seen of the database.
    pub went_back: bool,
    pub limiter: bool,
    /// Whether several gates count together.
    pub shared: bool,
    /// How many gates live on the database.
    pub gates: u32,
    /// How many buckets this gate counts by itself.
    pub windows: usize,
    /// Seconds since the database last proved that nothing changed.
    pub proof_age: f64,
    /// How many lines are missing in the log, since the beginning.
    pub lost_lines: u64,
}

impl Metrics {
    /// Everything in OpenMetrics' text form.
    pub fn text(&self, present: Present) -> String {
        self.database.set(i64::from(present.database));
        self.went_back.set(i64::from(present.went_back));
        self.limiter.set(i64::from(present.limiter));
        self.shared.set(i64::from(present.shared));
        self.gates.set(i64::from(present.gates));
        self.windows.set(i64::try_from(present.windows).unwrap_or(i64::MAX));
        self.age.set(present.proof_age);
        self.lost_lines.inner().store(present.lost_lines, Ordering::Relaxed);
        let mut out = String::new();
        // Writing to a string can't fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_told() {
        let metrics = Metrics::default();
        let labels = Labels { entrance: "auth", issuer: "voxpria".into(), verdict: "revoked" };
        metrics.requests.get_or_create(&labels).inc();
        metrics.seconds.observe(0.000_2);
        let text = metrics.text(Present { database: true, lost_lines: 7, ..Present::default() });
        for line in [
            r#"keyrack_gate_requests_total{entrance="auth",issuer="voxpria",verdict="revoked"} 1"#,
            "keyrack_gate_database_up 1",
            "keyrack_gate_limiter_up 0",
            "keyrack_gate_request_seconds_count 1",
            "keyrack_gate_lost_log_lines_total 7",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
