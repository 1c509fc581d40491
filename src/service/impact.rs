//! What a change of a policy means for the keys and accounts that are there.

use super::{Count, Result, Service};
use crate::domain::Instant;
use crate::domain::issuer::{Policy, Unmatched};
use crate::domain::key::Status;
use crate::domain::query::{Bound, Point, Query, Test};
use crate::domain::when::Span;

/// What one part of a change does to how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Keys or accounts; never just none.
    pub count: Count,
    /// The whole sentence, with the count.
    pub words: String,
    /// Whether anybody loses something by it.
    pub harms: bool,
}

impl Service {
    /// What `policy` would do to what lives under the issuer's present policy, which was of another kind. Nothing where the
    /// issuer is new.
    pub async fn policy_hits(&self, policy: &Policy) -> Result<Vec<Hit>> {
        let now = self.look().await?;
        let Some(before) = self.inner.store.issuer(&policy.slug).await? else { return Ok(Vec::new()) };
        let mut look = Look { service: self, now, before: &before.policy, after: policy, hits: Vec::new() };
        look.secrets().await?;
        look.scopes().await?;
        look.plans_and_caps().await?;
        look.lives().await?;
        Ok(look.hits)
    }
}

struct Look<'a> {
    service: &'a Service,
    now: Instant,
    before: &'a Policy,
    after: &'a Policy,
    hits: Vec<Hit>,
}

impl Look<'_> {
    fn keys(&mut self, harms: bool, count: Count, words: &str) {
        self.hit(harms, count, "key", words);
    }

    fn hit(&mut self, harms: bool, count: Count, thing: &str, words: &str) {
        let hit = match count {
            Count::Exactly(0) => return,
            Count::Exactly(1) => format!("1 {thing}"),
            Count::Exactly(many) => format!("{many} {thing}s"),
            Count::AtLeast(0) => format!("{thing}s that could not be counted in time"),
            Count::AtLeast(some) => format!("{some} {thing}s or more"),
        };
        self.hits.push(Hit { count, words: format!("{hit}: {words}"), harms });
    }

    /// How many keys of the issuer that have not ended fit these tests.
    async fn count(&self, tests: impl IntoIterator<Item = Test>) -> Result<Count> {
        let living = [Test::Issuer(vec![self.after.slug.clone()]), Test::Status(Status::LIVING.to_vec())];
        let query = Query::of(living.into_iter().chain(tests));
        Ok(self.service.inner.store.count(&query, self.now).await?.into())
    }

    async fn secrets(&mut self) -> Result<()> {
        let (before, after) = (self.before, self.after);
        for prefix in before.format.prefixes() {
            if prefix == after.format.prefix {
                continue;
            }
            let kept = after.format.prefixes().any(|other| other == prefix);
            if kept && prefix != before.format.prefix {
                continue;
            }
            let count = self.service.inner.store.living_with_prefix(&after.slug, prefix, self.now).await?;
            let words = if kept {
                format!("the prefix {prefix} is a former one from now on; they go on working")
            } else {
                format!("the prefix {prefix} is gone; gates refuse them. Keep it under former-prefixes")
            };
            self.keys(!kept, Count::Exactly(count), &words);
        }
        for former in before.format.former.iter().filter(|former| !after.format.former.contains(former)) {
            let count =
                self.service.inner.store.living_with_prefix(&after.slug, &former.prefix, self.now).await?;
            let words = format!("the former form {} is gone; gates refuse them", former.words());
            self.keys(true, Count::Exactly(count), &words);
        }
        let (was, is) = (&before.headers, &after.headers);
        let lost = [
            (was.bearer && !is.bearer, "can't be sent as Authorization: Bearer any more"),
            (was.api_key && !is.api_key, "can't be sent as X-API-Key any more"),
            (
                !was.case_sensitive && is.case_sensitive,
                "can no longer be sent in a header of another letter case",
            ),
        ];
        for (_, words) in lost.into_iter().filter(|(lost, _)| *lost) {
            let count = self.count([]).await?;
            self.keys(true, count, words);
        }
        let shut = |policy: &Policy| policy.routes.is_empty() && policy.gate.unmatched == Unmatched::Refuse;
        if shut(after) && !shut(before) {
            let count = self.count([]).await?;
            self.keys(true, count, "the policy has no routes any more; gates refuse every request");
        }
        Ok(())
    }

    async fn scopes(&mut self) -> Result<()> {
        let (before, after) = (self.before, self.after);
        if after.fully_privileged() && !before.fully_privileged() {
            let count = self.count([]).await?;
            self.keys(
                true,
                count,
                "the policy has no scopes any more; they may do everything on their accounts",
            );
            return Ok(());
        }
        if before.fully_privileged() && !after.fully_privileged() {
            let count = self.count([Test::Scope(vec!["none".into()])]).await?;
            self.keys(
                true,
                count,
                "were fully privileged and have no scope; they may do nothing that needs one",
            );
        }
        for gone in
            before.scopes.iter().filter(|one| !after.scopes.iter().any(|other| other.name == one.name))
        {
            let count = self.count([Test::Scope(vec![gone.name.clone()])]).await?;
            self.keys(
                true,
                count,
                &format!("hold the scope {}, which is gone; they can't be rotated", gone.name),
            );
        }
        Ok(())
    }

    async fn plans_and_caps(&mut self) -> Result<()> {
        let (before, after, store) = (self.before, self.after, &self.service.inner.store);
        for gone in before.plans.iter().filter(|one| !after.plans.iter().any(|other| other.name == one.name))
        {
            let count = store.accounts_on_plan(&after.slug, &gone.name).await?;
            self.hit(
                true,
                Count::Exactly(count),
                "account",
                &format!("on the plan {}, which is gone", gone.name),
            );
        }
        if let Some(cap) = after.caps.active_keys
            && before.caps.active_keys.is_none_or(|was| was > cap)
        {
            let count = store.accounts_over(&after.slug, cap, self.now).await?;
            let words = format!("over the new limit of {cap} active keys; no key can be created for them");
            self.hit(true, Count::Exactly(count), "account", &words);
        }
        Ok(())
    }

    async fn lives(&mut self) -> Result<()> {
        let (before, after) = (self.before, self.after);
        let (rule, was) = (&after.expiry, &before.expiry);
        if rule.require_expiry && !was.require_expiry {
            let count = self.count([Test::NeverExpires(true)]).await?;
            let words = "never expire, and the policy requires an expiry from now on. They go on working; give them \
                         one (list them with expires:never)";
            self.keys(false, count, words);
        }
        if rule != was {
            // Scopes and prefixes are told of by themselves.
            let mut lives = after.clone();
            lives.scopes.extend(before.scopes.iter().cloned());
            lives.format.former.extend(before.format.former.iter().cloned());
            lives.format.former_prefixes.extend(before.format.prefixes().map(str::to_owned));
            let count = self.count([Test::Violates(vec![lives])]).await?;
            let words = "could not be made with their expiry any more (list them with violates:policy)";
            self.keys(false, count, words);
        }
        if let Some(days) = after.rotation.period_days
            && before.rotation.period_days.is_none_or(|was| was > days)
        {
            let since = Bound::Before(Point::FromNow(-Span::days(days)));
            let count = self.count([Test::Created(since)]).await?;
            self.keys(
                false,
                count,
                &format!("older than the rotation period of {days} days, so due at once"),
            );
        }
        Ok(())
    }
}
