//! Four hundred days with thousands of keys, sweeps that are killed, days without a sweep, and several sweeps at once. An
//! oracle that knows nothing of the outbox says which mail had to come.
//!
//! `KEYRACK_TEST_KEYS=10000 cargo test --test it -- contract::year` takes more keys than the few that a build has time for.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::calendar::Calendar;
use crate::support::database::Database;
use crate::support::people::{account, preset};
use crate::support::post::{add, letter_box, new_key, order};
use chrono::{DateTime, Duration, Utc};
use keyrack::domain::audit::Verdict;
use keyrack::domain::key::NewKey;
use keyrack::mail::{Mailer, Memory, Sender, Templates};
use keyrack::service::{CreateAccount, Post, Service, Stop, new_operation};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::mpsc::unbounded_channel;

const DAYS: i64 = 400;
const ACCOUNTS: usize = 60;

/// A key as the oracle knows it.
struct Known {
    id: uuid::Uuid,
    name: String,
    account: usize,
    made: DateTime<Utc>,
    end: Option<DateTime<Utc>>,
    revoked: bool,
}

/// A mail about one key: its number, the threshold, the recipient.
type Mail = (usize, i64, String);

/// What the seeds say, and nothing else: 30 and 7 days before, the tightest that was crossed and is shorter than the life.
fn due(key: &Known, now: DateTime<Utc>) -> Option<i64> {
    let end = key.end.filter(|end| *end > now && !key.revoked)?;
    [7, 30]
        .into_iter()
        .find(|days| end - now <= Duration::days(*days) && end - key.made > Duration::days(*days))
}

struct Year<'a> {
    calendar: Calendar<'a>,
    sweepers: Vec<Service>,
    letters: Memory,
    rng: StdRng,
    keys: Vec<Known>,
    admins: Vec<Vec<String>>,
    /// Everything that had to be sent by now.
    expected: BTreeSet<Mail>,
    /// What may have been sent besides: due when the day's first sweep began, and no more when the last one did.
    possible: BTreeSet<Mail>,
    /// What was sent, with its Message-IDs.
    sent: BTreeMap<Mail, Vec<String>>,
    killed: usize,
}

impl<'a> Year<'a> {
    async fn begin(db: &'a Database, count: usize) -> Self {
        let calendar = Calendar::begin(db).await;
        let (letters, _) = letter_box();
        let from = Sender::new("keyrack@mail.example", "").unwrap();
        let mut sweepers = Vec::new();
        for _ in 0..if db.is_postgres() { 4 } else { 2 } {
            let post = Post::new(Mailer::Memory(letters.clone()), Templates::embedded().unwrap(), &from);
            sweepers.push(calendar.open().await.with_post(post));
        }
        let mut rng = StdRng::seed_from_u64(400);
        sweepers[0].apply_policy(new_operation(), preset("voiceinfra")).await.unwrap();
        let mut admins = Vec::new();
        for n in 0..ACCOUNTS {
            // One in three accounts shares an admin with others.
            let mut of_this = vec![format!("it@firm-{n}.example")];
            if n % 3 == 0 {
                of_this.push(format!("agency-{}@it.example", n % 4));
            }
            let slug = format!("firm-{n}");
            let wanted = CreateAccount { admins: of_this.clone(), ..account("voiceinfra", &slug) };
            sweepers[0].create_account(new_operation(), wanted).await.unwrap();
            admins.push(of_this);
        }
        let start = calendar.now();
        let mut rows: Vec<NewKey> = Vec::new();
        let mut keys = Vec::new();
        for n in 0..count {
            let account = rng.random_range(0..ACCOUNTS);
            let made = start - Duration::minutes(rng.random_range(0..300 * 1440));
            let life = match rng.random_range(0..10) {
                0 => Duration::days([7, 30, 31][rng.random_range(0..3)]),
                1 => Duration::minutes(rng.random_range(1440..40 * 1440)),
                _ => start - made + Duration::minutes(rng.random_range(0..DAYS * 1440)),
            };
            let end = (rng.random_range(0..12) > 0).then(|| made + life);
            let row = new_key(n as u128, &format!("firm-{account}"), "voiceinfra", made, end);
            keys.push(Known { id: row.id, name: row.name.clone(), account, made, end, revoked: false });
            rows.push(row);
        }
        add(&calendar, db, rows).await;
        Self {
            calendar,
            sweepers,
            letters,
            rng,
            keys,
            admins,
            expected: BTreeSet::new(),
            possible: BTreeSet::new(),
            sent: BTreeMap::new(),
            killed: 0,
        }
    }

    /// What is due at this moment.
    fn due(&self) -> BTreeSet<Mail> {
        let now = self.calendar.now();
        let mut all = BTreeSet::new();
        for (n, key) in self.keys.iter().enumerate() {
            if let Some(days) = due(key, now) {
                all.extend(self.admins[key.account].iter().map(|admin| (n, days, admin.clone())));
            }
        }
        all
    }

    /// A day on which sweeps run: several at once, some of them killed at some point.
    async fn day(&mut self) {
        self.possible.extend(self.due());
        let mut killed = false;
        let mut running = Vec::new();
        for service in &self.sweepers {
            if self.rng.random_bool(0.4) {
                continue;
            }
            let service = service.clone();
            let task = tokio::spawn(async move {
                let (sender, _news) = unbounded_channel();
                service.sweep(order(None), sender, Stop::new()).await
            });
            let kill = self.rng.random_bool(0.35).then(|| self.rng.random_range(0..40_000));
            running.push((task, kill));
        }
        for (task, kill) in running {
            if let Some(after) = kill {
                tokio::time::sleep(std::time::Duration::from_micros(after)).await;
                task.abort();
                killed |= task.await.is_err_and(|error| error.is_cancelled());
            } else {
                task.await.unwrap().unwrap();
            }
        }
        if killed {
            self.killed += 1;
            // What the dead had begun to write down comes to its end, and their claims lapse.
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
            self.calendar.advance(Duration::minutes(3)).await;
        }
        self.possible.extend(self.due());
        let (sender, _news) = unbounded_channel();
        self.sweepers[0].sweep(order(None), sender, Stop::new()).await.unwrap();
        self.expected.extend(self.due());
        self.read();
    }

    /// Reads the letters that were sent: which keys they name, and which threshold that was.
    fn read(&mut self) {
        let numbers: BTreeMap<&str, usize> =
            self.keys.iter().enumerate().map(|(n, key)| (key.name.as_str(), n)).collect();
        for letter in self.letters.sent() {
            let mut named: Vec<usize> = letter
                .text
                .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .filter_map(|word| numbers.get(word).copied())
                .collect();
            named.sort_unstable();
            named.dedup();
            assert!(!named.is_empty(), "{}", letter.text);
            for n in named {
                let days =
                    due(&self.keys[n], letter.at).unwrap_or_else(|| panic!("key {n} at {}", letter.at));
                self.sent.entry((n, days, letter.to.clone())).or_default().push(letter.message_id.clone());
            }
        }
        self.letters.clear();
    }

    async fn revoke_some(&mut self) {
        let now = self.calendar.now();
        let alive: Vec<usize> = (0..self.keys.len())
            .filter(|n| !self.keys[*n].revoked && self.keys[*n].end.is_none_or(|end| end > now))
            .collect();
        for _ in 0..self.rng.random_range(0..3) {
            let Some(n) = alive.choose(&mut self.rng) else { return };
            self.sweepers[0].revoke_keys(new_operation(), &[self.keys[*n].id], None).await.unwrap();
            self.keys[*n].revoked = true;
        }
    }
}

on_both! {
    async fn vg_15_and_vg_16_four_hundred_days_miss_nothing_and_repeat_nothing(db) {
        let count = std::env::var("KEYRACK_TEST_KEYS").ok().and_then(|n| n.parse().ok()).unwrap_or(600);
        let mut year = Year::begin(&db, count).await;
        let mut day = 0;
        while day < DAYS {
            // Most days have sweeps; some have none, and now and then there is none for weeks.
            let pause = match year.rng.random_range(0..40) {
                0 => year.rng.random_range(8..28),
                1..8 => 2,
                _ => 1,
            };
            day += pause;
            let hours = Duration::days(pause) + Duration::minutes(year.rng.random_range(-300..300));
            year.calendar.advance(hours).await;
            year.revoke_some().await;
            year.day().await;
        }
        let missed: Vec<&Mail> = year.expected.iter().filter(|mail| !year.sent.contains_key(*mail)).collect();
        assert!(missed.is_empty(), "{} of {} mails never came: {missed:?}", missed.len(), year.expected.len());
        let extra: Vec<&Mail> = year.sent.keys().filter(|mail| !year.possible.contains(*mail)).collect();
        assert!(extra.is_empty(), "{} mails came that nobody expected: {extra:?}", extra.len());
        let mut repeated = 0;
        for (mail, ids) in &year.sent {
            let different: BTreeSet<&String> = ids.iter().collect();
            assert_eq!(different.len(), 1, "{mail:?} came under several Message-IDs: {ids:?}");
            repeated += ids.len() - 1;
        }
        println!(
            "{count} keys, {} mails about them, {} days with a killed sweep, {repeated} repeated under their Message-ID",
            year.sent.len(), year.killed
        );
        assert!(year.killed > 30 && year.expected.len() > count / 2, "{} {}", year.killed, year.expected.len());
        // Only what was being written down when its sweep was killed can be repeated.
        assert!(repeated <= year.killed * 40, "{repeated} repeated after {} kills", year.killed);
        let unfinished = db.number("SELECT count(*) FROM deliveries WHERE state NOT IN ('sent', 'cancelled', 'superseded')").await;
        assert_eq!(unfinished, 0);
        assert!(matches!(year.sweepers[0].verify_audit(|_| {}).await.unwrap(), Verdict::Intact { .. }));
    }
}
