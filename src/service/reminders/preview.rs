//! What a sweep would send at this moment, told without writing a row.

use std::collections::{HashMap, HashSet};

use super::{DueKey, LetterPreview, SweepPreview};
use crate::domain::Instant;
use crate::domain::reminder::fit::{Fit, KEYS, Rules};
use crate::domain::reminder::{ReminderId, Subject, Waiting};
use crate::domain::text::SafeText;
use crate::service::sweep::plan::{PAGE, recipients};
use crate::service::{Result, Service};

/// A reminder on its way to one recipient, planned or not.
struct Due<'a> {
    recipient: &'a str,
    /// The letter that it goes out with again.
    letter: Option<&'a str>,
    subject: &'a Subject,
    days_before: u32,
    expires_at: Instant,
    again: bool,
    /// Whether it is the first recipient of this reminder.
    first: bool,
}

/// A letter: to whom, or which one again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Envelope {
    /// Letters that go out again come first.
    fresh: bool,
    recipient: String,
    letter: Option<String>,
}

impl Envelope {
    fn of(due: &Due<'_>) -> Self {
        Self {
            fresh: due.letter.is_none(),
            recipient: due.recipient.to_owned(),
            letter: due.letter.map(str::to_owned),
        }
    }
}

struct Sum {
    first: Instant,
    reminders: u64,
}

impl Service {
    /// What a sweep would send now: the `show` most urgent letters, but no more than `limit`, and how many there are. Found
    /// by the same statements and rules as in the sweep itself.
    pub async fn preview_sweep(&self, limit: Option<u32>, show: u32) -> Result<SweepPreview> {
        let now = self.look().await?;
        self.inner.store.demand_current().await?;
        let rules = Rules::new(self.inner.store.issuers().await?);
        // Twice through all that is due: first who gets how many, then the keys of those that are shown. So what is held
        // grows with the number of recipients and not with the number of keys.
        let mut sums: HashMap<Envelope, Sum> = HashMap::new();
        let mut reminders_in_all = 0;
        self.each_due(now, &rules, |due| {
            reminders_in_all += u64::from(due.first);
            let sum = sums.entry(Envelope::of(due)).or_insert(Sum { first: due.expires_at, reminders: 0 });
            sum.first = sum.first.min(due.expires_at);
            sum.reminders += 1;
        })
        .await?;
        let letters_in_all = sums.values().map(|sum| sum.reminders.div_ceil(u64::from(KEYS))).sum();
        let wanted = limit.map_or(show, |limit| limit.min(show)) as usize;
        let mut places: Vec<(Envelope, Sum)> = sums.into_iter().collect();
        places.sort_by(|(a, x), (b, y)| (a.fresh, x.first, a).cmp(&(b.fresh, y.first, b)));
        places.truncate(wanted);

        let order: HashMap<Envelope, usize> =
            places.into_iter().enumerate().map(|(n, (place, _))| (place, n)).collect();
        let mut shown: Vec<(SafeText, Vec<DueKey>)> = vec![Default::default(); order.len()];
        self.each_due(now, &rules, |due| {
            if let Some(n) = order.get(&Envelope::of(due)) {
                shown[*n].0 = SafeText::new(due.recipient);
                shown[*n].1.push(DueKey {
                    key: due.subject.key,
                    name: due.subject.name.clone(),
                    preview: due.subject.preview.clone(),
                    account: due.subject.account.clone(),
                    days_before: due.days_before,
                    expires_at: due.expires_at,
                    last_used_at: due.subject.last_used_at,
                    again: due.again,
                });
            }
        })
        .await?;
        let mut letters = Vec::with_capacity(wanted.min(1000));
        for (recipient, mut keys) in shown {
            keys.sort_by_key(|key| (key.expires_at, key.key));
            for keys in keys.chunks(KEYS as usize) {
                letters.push(LetterPreview { recipient: recipient.clone(), keys: keys.to_vec() });
            }
        }
        letters.truncate(wanted);
        let (post, leaves) = match self.post().await {
            Ok(post) => (post.to_string(), post.whither().leaves),
            Err(error) => (format!("nowhere: {error}"), false),
        };
        Ok(SweepPreview { now, letters, letters_in_all, reminders_in_all, post, leaves })
    }

    /// Everything that a sweep would send now, in no particular order.
    async fn each_due(&self, now: Instant, rules: &Rules, mut each: impl FnMut(&Due<'_>)) -> Result<()> {
        let store = &self.inner.store;
        let again = store.waiting_again(now).await?;
        // Of these there are few, and in no order; what waits else comes reminder by reminder.
        let mut known: HashSet<ReminderId> = HashSet::new();
        let mut last_one = None;
        let mut waiting = |all: &[Waiting], keep: bool| {
            for one in all {
                if matches!(rules.fit(&one.case, now), Fit::Until(_)) {
                    let id = one.case.reminder;
                    let first = !known.contains(&id) && last_one.replace(id) != Some(id);
                    if keep {
                        known.insert(id);
                    }
                    each(&Due {
                        recipient: &one.recipient,
                        letter: one.letter.as_deref(),
                        subject: &one.case.subject,
                        days_before: one.case.days_before,
                        expires_at: one.case.expires_at,
                        again: one.attempts > 0 || one.letter.is_some(),
                        first,
                    });
                }
            }
        };
        waiting(&again, true);
        let mut last: Option<Waiting> = None;
        loop {
            let page = store.waiting(now, last.as_ref(), PAGE).await?;
            waiting(&page, false);
            if page.len() < PAGE as usize {
                break;
            }
            last = page.into_iter().last();
        }
        self.each_ahead(now, rules, |case, to| {
            for (n, recipient) in to.iter().enumerate() {
                each(&Due {
                    recipient,
                    letter: None,
                    subject: &case.subject,
                    days_before: case.days_before,
                    expires_at: case.expires_at,
                    again: false,
                    first: n == 0,
                });
            }
        })
        .await?;
        for band in rules.bands(now) {
            let mut after = None;
            loop {
                let page = store.unplanned(&band, now, after, PAGE).await?;
                for subject in &page {
                    for (n, recipient) in recipients(&subject.admins).iter().enumerate() {
                        each(&Due {
                            recipient,
                            letter: None,
                            subject,
                            days_before: band.days,
                            expires_at: subject.expires_at.unwrap_or(subject.ends_at),
                            again: false,
                            first: n == 0,
                        });
                    }
                }
                match page.last() {
                    Some(last) if page.len() == PAGE as usize => {
                        after = Some((last.expires_at.unwrap_or(last.ends_at), last.key));
                    }
                    _ => break,
                }
            }
        }
        Ok(())
    }
}
