//! Everything about one account on one page.

use chrono::Duration;

use super::list::{Count, From, PageRequest};
use super::{AuditRequest, Result, Service};
use crate::domain::account::AccountSummary;
use crate::domain::audit::{AuditFilter, Entry};
use crate::domain::issuer::{Caps, Plan};
use crate::domain::key::{Key, Status};
use crate::domain::query::{Bound, Column, Direction, Point, Query, Sort, Term, Test};
use crate::domain::{Instant, shifted};

/// Keys that end next, and rows of the audit, of which the page tells.
const NEXT: u32 = 5;
const LATEST: u32 = 8;

/// An account, what it may have, its keys, and what was done lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPage {
    pub summary: AccountSummary,
    /// What the policy of its issuer allows it.
    pub caps: Caps,
    pub plan: Option<Plan>,
    /// How many keys are in each state, in the order of [`Status::ALL`]; a state without a key is left out.
    pub states: Vec<(Status, Count)>,
    /// Keys made within the last minute.
    pub made: Count,
    /// The keys that end next, the first of them first; at most five.
    pub next: Vec<Key>,
    /// The last rows of the audit about it and its keys, newest first; at most eight.
    pub latest: Vec<Entry>,
    pub now: Instant,
}

impl Service {
    /// Everything about the account with this slug.
    ///
    /// # Errors
    /// There is none, or the database can't be read.
    pub async fn account_page(&self, slug: &str) -> Result<AccountPage> {
        let summary = self.account(slug).await?;
        let issuer = self.issuers().await?.into_iter().find(|issuer| issuer.slug == summary.account.issuer);
        let policy = issuer.map(|issuer| issuer.policy);
        let plan = policy.as_ref().zip(summary.account.plan.as_ref());
        let plan =
            plan.and_then(|(policy, name)| policy.plans.iter().find(|plan| plan.name == name.as_str()));
        let of_it = |tests: Vec<Test>| {
            let tests = std::iter::once(Test::Account(vec![slug.to_owned()])).chain(tests);
            Query { terms: tests.map(|test| Term { negated: false, test }).collect() }
        };
        let mut states = Vec::new();
        for status in Status::ALL {
            let count = self.count(&of_it(vec![Test::Status(vec![*status])])).await?;
            if count != Count::Exactly(0) {
                states.push((*status, count));
            }
        }
        let minute = shifted(self.now().await?, -Duration::minutes(1));
        let minute = Test::Created(Bound::After(Point::At(minute)));
        let made = self.count(&of_it(vec![minute])).await?;
        let ends = vec![Test::Status(Status::LIVING.to_vec()), Test::NeverExpires(false)];
        let sort = Sort { column: Column::Expires, direction: Direction::Ascending };
        let page = PageRequest { query: of_it(ends), sort, from: From::Start, limit: NEXT };
        let page = self.page(&page).await?;
        let filter = AuditFilter { account: Some(slug.to_owned()), ..AuditFilter::default() };
        let latest = self.audit(&AuditRequest { filter, before: None, limit: LATEST }).await?;
        Ok(AccountPage {
            caps: policy.as_ref().map(|policy| policy.caps.clone()).unwrap_or_default(),
            plan: plan.cloned(),
            summary,
            states,
            made,
            next: page.rows.into_iter().map(|row| row.key).collect(),
            latest,
            now: page.now,
        })
    }
}
