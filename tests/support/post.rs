//! Mail that stays in the test, and sweeps that send it.

use chrono::{DateTime, Duration, Utc};
use keyrack::domain::expiry::Expiry;
use keyrack::domain::key::{Key, NewKey};
use keyrack::domain::network::Networks;
use keyrack::domain::reminder::{Door, Reminder, Sweep};
use keyrack::domain::scope::Scopes;
use keyrack::domain::secret::HashedKey;
use keyrack::mail::{Letterhead, Mailer, Memory, Sender, Templates};
use keyrack::service::{
    CreateKey, Error, Post, ReminderRequest, Service, Stop, SweepNews, SweepOrder, new_operation,
};
use keyrack::store::{Opening, Store};
use tokio::sync::mpsc::unbounded_channel;

use super::calendar::Calendar;
use super::database::Database;
use super::people::{age, furnish, identity, preset, wanted};
use super::script::{Script, text};

/// A letter box, and the post that drops letters into it.
pub fn letter_box() -> (Memory, Post) {
    let from = Sender::new("keyrack@mail.example", "Keyrack").unwrap();
    let memory = Memory::new(Letterhead { from: from.clone(), reply_to: None });
    let post = Post::new(Mailer::Memory(memory.clone()), Templates::embedded().unwrap(), &from);
    (memory, post)
}

/// Two keys of acme and one of globex end in 20 days, one of acme in 3 days, one of globex never; and `more`: account,
/// name, and when it ends. All were made long ago, so that the thresholds are shorter than the keys' lives.
pub async fn due<'d>(db: &'d Database, more: &[(&str, &str, &str)]) -> Script<'d> {
    let keyrack = Script::furnished(db, "voicegram");
    let all = [
        ("acme", "billing", "20d"),
        ("acme", "crawler", "20d"),
        ("acme", "urgent", "3d"),
        ("globex", "exporter", "20d"),
        ("globex", "forever", "never"),
    ];
    for (account, name, expires) in all.iter().chain(more) {
        let key =
            keyrack.json(&["key", "create", "--account", account, "--name", name, "--expires", expires]);
        keyrack.ok(&["key", "acknowledge", text(&key, "id")]);
    }
    age(db, 60 * 86_400).await;
    keyrack
}

/// Voicegram with the accounts `acme` and `globex` at the beginning of the year, and a letter box.
pub async fn voicegram(db: &Database) -> (Calendar<'_>, Service, Memory) {
    let calendar = Calendar::begin(db).await;
    let (letters, post) = letter_box();
    let service = calendar.open().await.with_post(post);
    furnish(&service, preset("voicegram")).await;
    (calendar, service, letters)
}

pub fn order(limit: Option<u32>) -> SweepOrder {
    SweepOrder { operation: new_operation(), door: Door::Command, limit }
}

/// One sweep, with the news that it told.
pub async fn sweep_telling(service: &Service, limit: Option<u32>) -> Result<(Sweep, Vec<SweepNews>), Error> {
    let (sender, mut receiver) = unbounded_channel();
    let sweep = service.sweep(order(limit), sender, Stop::new()).await?;
    let mut news = Vec::new();
    while let Ok(one) = receiver.try_recv() {
        news.push(one);
    }
    Ok((sweep, news))
}

pub async fn sweep(service: &Service) -> Sweep {
    sweep_telling(service, None).await.unwrap().0
}

/// A key that ends at this instant, taken over so that it stays.
pub async fn make_until(service: &Service, account: &str, name: &str, end: DateTime<Utc>) -> Key {
    make_with(service, CreateKey { expiry: Expiry::At(end), ..wanted(account, name) }).await
}

/// A key that lives so many days, taken over so that it stays.
pub async fn make_days(service: &Service, account: &str, name: &str, days: u32) -> Key {
    make_with(service, CreateKey { expiry: Expiry::Days(days), ..wanted(account, name) }).await
}

async fn make_with(service: &Service, request: CreateKey) -> Key {
    let created = service.create_key(request).await.unwrap();
    service.acknowledge_key(new_operation(), created.key.id).await.unwrap()
}

/// Everything in the outbox, or what the filter fits.
pub async fn reminders(service: &Service, filter: &str) -> Vec<Reminder> {
    let filter = keyrack::domain::reminder::ReminderFilter::parse(filter).unwrap();
    service.reminders(ReminderRequest { filter, after: None, limit: 1000 }).await.unwrap()
}

/// "7 sent, 30 superseded": the thresholds and states of a key's reminders, tightest first.
pub async fn told(service: &Service, key: &Key) -> String {
    let all = service.reminders_of(std::slice::from_ref(&key.id)).await.unwrap();
    let words: Vec<String> =
        all.iter().map(|one| format!("{} {}", one.days_before, one.state.as_str())).collect();
    words.join(", ")
}

/// Writes many keys of an account at once, past its policy's caps, each of which lives so many days from now.
pub async fn load(
    calendar: &Calendar<'_>,
    db: &Database,
    account: &str,
    issuer: &str,
    count: u128,
    days: i64,
) {
    let now = calendar.now();
    let keys: Vec<NewKey> =
        (0..count).map(|n| new_key(n, account, issuer, now, Some(now + Duration::days(days)))).collect();
    add(calendar, db, keys).await;
}

/// A key as the loader writes it, with a name that tells its number.
pub fn new_key(
    n: u128,
    account: &str,
    issuer: &str,
    made: DateTime<Utc>,
    end: Option<DateTime<Utc>>,
) -> NewKey {
    let mut hash = [7; 32];
    hash[..16].copy_from_slice(&n.to_be_bytes());
    NewKey {
        id: uuid::Uuid::from_u128(n + 1),
        account: account.into(),
        issuer: issuer.into(),
        name: format!("key-{n:06}"),
        description: String::new(),
        owner: None,
        tags: Default::default(),
        preview: format!("x_••••{:04}", n % 10_000),
        tail: format!("{:04}", n % 10_000),
        hash: HashedKey(hash),
        scheme: Default::default(),
        imported_from: None,
        scopes: Scopes::default(),
        allow: Networks::default(),
        created_at: made,
        created_by: "ada".into(),
        expires_at: end,
        not_before: None,
        planned: None,
        acknowledged_at: Some(made),
        last_used_at: None,
        last_used_from: None,
        last_used_endpoint: None,
        limits: Default::default(),
        revocation: None,
        replaces: None,
    }
}

/// Writes keys as they are.
pub async fn add(calendar: &Calendar<'_>, db: &Database, keys: Vec<NewKey>) {
    // Who owns the server writes what no login may.
    let store = Store::open(&db.location_as("postgres")).await.unwrap();
    for some in keys.chunks(1000) {
        let some = std::sync::Arc::new(some.to_vec());
        let opening = Opening::new(identity("ada"), new_operation());
        store
            .transact::<_, keyrack::store::Error, _>(&calendar.clock(), opening, move |tx| {
                let some = some.clone();
                Box::pin(async move { tx.add_keys(&some).await })
            })
            .await
            .unwrap();
    }
    store.close().await;
}
