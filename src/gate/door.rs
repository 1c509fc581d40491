//! The order of a request: the key is read, the brake asked, the key looked up and judged, its budgets used, and last of
//! all it is proven that nothing of that is out of date. Only then the answer is let go (VG-17, VI-08).

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;

use super::brake::Brake;
use super::limiter::{Limiter, Told};
use super::metrics::{Labels, Metrics, Present};
use super::origin::Peer;
use super::refusals::{Refusal, Refusals};
use super::settings::Settings;
use super::wire::Note;
use crate::domain::credential::{Home, Unread};
use crate::domain::issuer::Policy;
use crate::domain::limit::Charge;
use crate::domain::reason::Reason;
use crate::domain::secret::HashedKey;
use crate::domain::verdict::{self, Answer, KeyFacts, Limited, Refused, Request, Verdict, check};
use crate::service::{self, Confirmed, Gate, Known, Outcome, Use};

mod which;

/// A request that was overtaken by so many changes is refused.
const TRIES: usize = 8;
/// A key that does not work is refused no sooner than this, so that the time says nothing about why (VI-10).
const REFUSAL: Duration = Duration::from_millis(2);
/// So many windows are saved at a time, so that other writers get their turn.
const PART: usize = 2_000;

/// Everything that requests share.
pub struct Door {
    pub gate: Gate,
    pub settings: Settings,
    pub limiter: Limiter,
    pub metrics: Arc<Metrics>,
    pub brake: Brake,
    refusals: Refusals,
    /// Whether windows could not be saved the last time.
    unsaved: AtomicBool,
    pub begun: Instant,
}

/// What carries the key.
pub enum Sent<'a> {
    Headers(&'a HeaderMap, Note),
    /// The key by itself.
    Bare(&'a [u8]),
}

/// A request that is to be judged.
pub struct Asked<'a> {
    pub entrance: &'static str,
    pub sent: Sent<'a>,
    pub home: Home<'a>,
    pub request: Request<'a>,
    /// The other end of the connection.
    pub peer: Peer,
    /// Whose failures the brake counts together; none: a service that asks about keys of callers it does not name.
    pub brakes: Option<IpAddr>,
    /// For the log: as they came.
    pub method: &'a [u8],
    pub target: &'a [u8],
}

/// What a request came to.
pub struct Judged {
    pub verdict: Verdict,
    /// The policy that decided, if one did.
    pub policy: Option<Arc<Policy>>,
    /// The key, where the database knows it.
    pub known: Option<Arc<Known>>,
    /// In microseconds since the epoch, by the clock that the budgets were counted with.
    pub now: i64,
}

impl Judged {
    fn refused(reason: Reason, policy: Option<&Arc<Policy>>, now: i64) -> Self {
        Self { verdict: Verdict::refuse(reason, None), policy: policy.cloned(), known: None, now }
    }

    /// Whether a key of the right form was refused for a reason that its caller may not learn.
    fn hides_why(&self) -> bool {
        match &self.verdict.refused {
            Some(Reason::Unknown | Reason::PepperMissing { .. } | Reason::Braked { .. }) => true,
            Some(reason) => self.known.is_some() && reason.is_failed_authentication(),
            None => false,
        }
    }

    /// What the caller is told.
    pub fn answer(&self) -> Answer {
        self.verdict.answer(self.policy.as_deref(), self.now)
    }
}

impl Door {
    pub fn new(
        gate: Gate,
        settings: Settings,
        limiter: Limiter,
        metrics: Arc<Metrics>,
        begun: Instant,
    ) -> Self {
        let brake = Brake::new(settings.pace);
        Self {
            gate,
            settings,
            limiter,
            metrics,
            brake,
            refusals: Refusals::default(),
            unsaved: AtomicBool::new(false),
            begun,
        }
    }

    /// Judges a request, counts it, logs it where it is refused, and notes the use.
    pub async fn judge(&self, asked: &Asked<'_>) -> Judged {
        let begun = Instant::now();
        let judged = self.decide(asked).await;
        self.note(asked, &judged);
        self.metrics.seconds.observe(begun.elapsed().as_secs_f64());
        if judged.hides_why() {
            tokio::time::sleep_until((begun + REFUSAL).into()).await;
        }
        judged
    }

    async fn decide(&self, asked: &Asked<'_>) -> Judged {
        let mut told: Option<(Vec<Charge>, Told)> = None;
        for attempt in 0..TRIES {
            if attempt > 0 {
                self.metrics.again.inc();
            }
            let now = || self.gate.now().timestamp_micros();
            let Ok(policies) = self.gate.policies().await else {
                return Judged::refused(Reason::StoreGone, None, now());
            };
            let directory = &policies.directory;
            let credential = match self.read(directory, asked) {
                Ok(credential) => credential,
                Err(Unread { policy, reason: Reason::Missing }) if asked.is_preflight() => {
                    match self.preflight(asked, &policies, policy).await {
                        Some(judged) => return judged,
                        None => continue,
                    }
                }
                Err(Unread { policy, reason }) => return Judged::refused(reason, policy, now()),
            };
            let (policy, likely) = (credential.policy, self.likely(&credential));
            let wait = |address| self.brake.wait(address, likely, self.begun.elapsed());
            if let Some(seconds) = asked.brakes.and_then(wait) {
                let mut judged = Judged::refused(Reason::Braked { seconds }, Some(policy), now());
                // What is known to have ended is counted in spite of the brake: somebody should hear of it.
                let ended = |known: &Arc<Known>| known.has_ended(self.gate.now());
                judged.known = self.gate.remembered(likely).filter(ended);
                return judged;
            }
            let Ok((hash, settled)) = self.settled(&credential, likely).await else {
                return Judged::refused(Reason::StoreGone, Some(policy), now());
            };
            let remembered = self.gate.remembered(hash);
            let is_fresh = remembered.is_none();
            let known = match remembered {
                Some(known) => Ok(Some(known)),
                None => self.gate.read(hash).await,
            };
            let Ok(known) = known else {
                return Judged::refused(Reason::StoreGone, Some(policy), now());
            };
            if let (Some(known), Some(settled)) = (&known, settled) {
                known.settle(settled);
            }
            let form = policy;
            let policy = directory.policy_for(&credential, hash, known.as_deref().map(|known| &known.key));
            let instant = self.gate.now();
            let mut checked = match check(policy, known.as_deref().map(facts), &asked.request, instant) {
                Ok(checked) => checked,
                Err(refused) => {
                    // A refusal is no older than the database either, if that answers; and a key that is remembered takes as
                    // long as one that is not there.
                    let changed = !is_fresh && self.has_changed(&credential, hash, known.as_deref()).await;
                    if attempt + 1 < TRIES && (changed || !policies.is_live()) {
                        continue;
                    }
                    let refused = self.remember(refused, asked.brakes, hash);
                    // Whose key it is would show by the words that no other issuer has: they are the form's own, as of a key
                    // that is not there.
                    let hides = refused.reason.is_failed_authentication()
                        || matches!(refused.reason, Reason::Braked { .. });
                    let policy = if hides { form } else { policy };
                    return self.refuse(self.lacking(refused), policy, known).await;
                }
            };
            let Some(known) = known else { return Judged::refused(Reason::Unknown, Some(policy), now()) };
            // While the database gives no answer nobody's budget is used.
            if self.gate.is_failing() && self.gate.confirm(&known, &policies).await.is_err() {
                return Judged::refused(Reason::StoreGone, Some(policy), now());
            }
            // What was counted before something changed stays counted, once.
            let counted = match told.take() {
                Some((charges, told)) if charges == checked.charges => (charges, told),
                _ => {
                    let (account, at) = (known.account.slug.as_str(), instant.timestamp_micros());
                    let told = self.limiter.take(&policy.gate, account, &checked.charges, at).await;
                    (std::mem::take(&mut checked.charges), told)
                }
            };
            let (charges, Told { limited, now, alone }) = counted;
            let verdict = checked.limited(limited);
            if !verdict.allowed() {
                // Nothing was counted. A budget that was raised meanwhile may let it pass.
                if let Ok(Confirmed::Changed) = self.gate.confirm(&known, &policies).await {
                    continue;
                }
                return Judged { verdict, policy: Some(Arc::clone(policy)), known: Some(known), now };
            }
            match self.gate.confirm(&known, &policies).await {
                Ok(Confirmed::Current { .. }) => {
                    if alone {
                        self.metrics.limiter_alone.inc();
                    }
                    self.brake.passed(hash);
                    return Judged { verdict, policy: Some(Arc::clone(policy)), known: Some(known), now };
                }
                Ok(Confirmed::Changed) => {
                    told = Some((charges, Told { limited: Limited::Told(verdict.quota), now, alone }));
                }
                Err(_) => return Judged::refused(Reason::StoreGone, Some(policy), now),
            }
        }
        let now = self.gate.now().timestamp_micros();
        tracing::warn!("the database changes faster than a request can be judged");
        Judged::refused(Reason::StoreGone, None, now)
    }

    /// A key that isn't found may be one whose pepper this gate lacks.
    fn lacking(&self, refused: Refused) -> Refused {
        match self.gate.lack().filter(|_| refused.reason == Reason::Unknown) {
            Some(lack) => Reason::PepperMissing { lack }.into(),
            None => refused,
        }
    }

    /// A request that may not pass, with what its headers may tell of its budgets.
    async fn refuse(&self, refused: Refused, policy: &Arc<Policy>, known: Option<Arc<Known>>) -> Judged {
        let now = self.gate.now().timestamp_micros();
        let account = known.as_ref().map_or("", |known| known.account.slug.as_str());
        let (quota, now) = self.limiter.look(account, &refused.shows, now).await;
        let verdict = Verdict::refuse(refused.reason, quota);
        Judged { verdict, policy: Some(Arc::clone(policy)), known, now }
    }

    /// Counts a key that does not work, for whatever reason: one that counted otherwise than an unknown one would show by
    /// that that it exists (VI-10). For the same reason a key that was looked up in spite of the brake, and does not work
    /// after all, is answered as if it had not been.
    fn remember(&self, refused: Refused, brakes: Option<IpAddr>, hash: HashedKey) -> Refused {
        if let Reason::Revoked { .. } | Reason::Expired { .. } | Reason::Abandoned { .. } = refused.reason {
            self.brake.forget(hash);
        }
        let Some(address) = brakes.filter(|_| refused.reason.is_failed_authentication()) else {
            return refused;
        };
        let now = self.begun.elapsed();
        if let Some(seconds) = self.brake.slows(address, now) {
            return Reason::Braked { seconds }.into();
        }
        self.brake.failed(address, now);
        refused
    }

    /// Whether a key that passed may go on: asked again and again for a stream that is held open. `None`: it may.
    pub async fn still(&self, known: &Known, request: &Request<'_>) -> Option<Reason> {
        for _ in 0..TRIES {
            let Ok(policies) = self.gate.policies().await else { return Some(Reason::StoreGone) };
            let Some(policy) = policies.directory.policy(&known.key.issuer) else {
                return Some(Reason::OtherIssuer);
            };
            let Ok(known) = self.gate.known(known.hash()).await else { return Some(Reason::StoreGone) };
            if let Err(refused) = check(policy, known.as_deref().map(facts), request, self.gate.now()) {
                return Some(refused.reason);
            }
            let Some(known) = known else { return Some(Reason::Unknown) };
            match self.gate.confirm(&known, &policies).await {
                Ok(Confirmed::Current { .. }) => return None,
                Ok(Confirmed::Changed) => {}
                Err(_) => return Some(Reason::StoreGone),
            }
        }
        Some(Reason::StoreGone)
    }

    /// Counters, the log, the key's usage.
    fn note(&self, asked: &Asked<'_>, judged: &Judged) {
        let refused = judged.verdict.refused.as_ref();
        let policy = judged.policy.as_deref();
        let labels = Labels {
            entrance: asked.entrance,
            issuer: policy.map(|policy| policy.slug.clone()).unwrap_or_default(),
            verdict: refused.map_or("allowed", Reason::code),
        };
        self.metrics.requests.get_or_create(&labels).inc();
        let endpoint = judged.verdict.endpoint.as_deref();
        if let Some(reason) = refused {
            let refusal = Refusal {
                entrance: asked.entrance,
                reason,
                policy,
                known: judged.known.as_deref(),
                address: asked.request.address,
                method: asked.method,
                target: asked.target,
                endpoint,
            };
            self.log(|| refusal.write());
        }
        if refused.is_some_and(Reason::is_failed_authentication) {
            self.gate.failed(asked.request.address, policy.map(|policy| policy.slug.as_str()));
        }
        if let Some(known) = &judged.known {
            let outcome = Outcome::of(&judged.verdict);
            let at = self.gate.now();
            // A refusal comes before it is asked what for, which is told of a key after its end.
            let late = policy.filter(|_| refused.is_some() && known.has_ended(at));
            let endpoint =
                endpoint.or_else(|| late.and_then(|policy| verdict::endpoint(policy, &asked.request)));
            self.gate.used(Use { known, outcome, at, from: asked.request.address, endpoint });
        }
    }

    /// Writes a line about a request into the log, unless there were too many.
    pub fn log(&self, write: impl FnOnce()) {
        self.refusals.tell(self.begun.elapsed(), &self.metrics, write);
    }

    /// Takes over the windows that an earlier run of this gate has saved.
    pub async fn restore(&self) -> service::Result<()> {
        let unread = self.limiter.own().restore(self.gate.load_windows().await?);
        if unread > 0 {
            tracing::warn!(unread, "saved windows of limits can't be read; they begin anew");
        }
        Ok(())
    }

    /// Saves what windows were used for since the last time; with `all`, each of them as a whole. Answers whether there may be
    /// more.
    pub async fn save(&self, all: bool) -> bool {
        let own = self.limiter.own();
        let mut fresh = own.fresh(PART, all);
        let whole = fresh.len();
        let (journal, needed) = own.journal(&fresh);
        fresh.extend(journal);
        if let Err(error) = self.gate.save_windows(&fresh, &needed).await {
            if !self.unsaved.swap(true, Ordering::Relaxed) {
                tracing::warn!(%error, "windows of limits could not be saved; it is tried again");
            }
            own.unsaved(&fresh);
            return false;
        }
        self.unsaved.store(false, Ordering::Relaxed);
        whole >= PART
    }

    /// Whether it can answer requests as the policies want.
    pub async fn is_ready(&self) -> bool {
        self.gate.is_ready() && self.limiter.is_well().await
    }

    /// How the gate is, for those who watch over it.
    pub async fn present(&self) -> Present {
        Present {
            went_back: self.gate.went_back(),
            database: self.gate.in_touch(),
            limiter: self.limiter.is_well().await,
            shared: self.limiter.is_shared(),
            gates: self.limiter.gates(),
            windows: self.limiter.own().kept(),
            proof_age: self.gate.proof_age().as_secs_f64(),
            lost_lines: (self.settings.lost_lines)(),
        }
    }
}

fn facts(known: &Known) -> KeyFacts<'_> {
    KeyFacts { key: &known.key, account: &known.account, limits: &known.key.limits }
}
