//! Which key a request carries, and whether it is one that carries none.

use std::sync::Arc;

use axum::http::HeaderMap;

use super::door::{Asked, Door, Judged, Sent};
use super::wire::Note;
use crate::domain::credential::{Credential, Directory, Home, Spelling, Unread};
use crate::domain::issuer::{Policy, Routed};
use crate::domain::reason::Reason;
use crate::domain::verdict::{Ask, Verdict};
use crate::service::{Confirmed, Policies};

impl Asked<'_> {
    /// Whether a browser asks here what it may send to another origin.
    pub(super) fn is_preflight(&self) -> bool {
        let Sent::Headers(headers, _) = &self.sent else { return false };
        let asks = ["origin", "access-control-request-method"];
        let of_api = matches!(self.request.ask, Ask::Line(Ok(_)));
        of_api && self.method == b"OPTIONS" && asks.iter().all(|name| headers.contains_key(*name))
    }
}

impl Door {
    /// Judges a browser's question, by policies that are current; `None` where they are not.
    pub(super) async fn preflight(
        &self,
        asked: &Asked<'_>,
        policies: &Policies,
        policy: Option<&Arc<Policy>>,
    ) -> Option<Judged> {
        let passes = |policy: &Arc<Policy>| {
            let Ask::Line(Ok(line)) = &asked.request.ask else { return false };
            policy.gate.preflights && policy.route(line) != Routed::Hidden
        };
        let verdict = match self.gate.confirm_policies(policies).await {
            Ok(Confirmed::Changed) => return None,
            Ok(Confirmed::Current { .. }) if policy.is_some_and(passes) => Verdict::pass(),
            Ok(Confirmed::Current { .. }) => Verdict::refuse(Reason::Missing, None),
            Err(_) => Verdict::refuse(Reason::StoreGone, None),
        };
        let now = self.gate.now().timestamp_micros();
        Some(Judged { verdict, policy: policy.cloned(), known: None, now })
    }

    /// Reads the key that a request carries.
    pub(super) fn read<'d>(
        &self,
        directory: &'d Directory,
        asked: &Asked<'_>,
    ) -> Result<Credential<'d>, Unread<'d>> {
        let nobody = Unread { policy: None, reason: Reason::OtherIssuer };
        let home = match asked.home {
            // An issuer that is named and not there takes no keys: those of others least of all.
            Home::Only(slug) if directory.policy(slug).is_none() => return Err(nobody),
            Home::Nobody => return Err(nobody),
            Home::Any => match directory.policies() {
                [one] => Home::Default(&one.slug),
                _ => Home::Any,
            },
            named => named,
        };
        match &asked.sent {
            Sent::Bare(secret) => directory.read_bare(home, secret),
            Sent::Headers(headers, note) => {
                let lost = !self.settings.spelling_kept && self.settings.trusted.holds(asked.peer);
                let spelling = if lost { Spelling::Lost } else { Spelling::AsSent };
                directory.read(home, key_headers(headers, *note), spelling)
            }
        }
    }
}

/// The headers that may carry a key, their names spelled as they were sent. Where that is in doubt they are given in small
/// letters, which a policy that cares refuses.
fn key_headers(headers: &HeaderMap, note: Note) -> impl Iterator<Item = (&[u8], &[u8])> {
    let count = headers.get_all("x-api-key").iter().count();
    let own = headers.get_all("x-api-key").iter().enumerate().map(move |(n, value)| {
        let name: &[u8] = if note.is_exact(n, count) == Some(true) { b"X-API-Key" } else { b"x-api-key" };
        (name, value.as_bytes())
    });
    let bearer =
        headers.get_all("authorization").iter().map(|value| (b"Authorization".as_slice(), value.as_bytes()));
    own.chain(bearer)
}
