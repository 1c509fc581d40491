//! Mail that stays in the test, and sweeps that send it.

use chrono::{DateTime, Utc};
use keyrack::domain::expiry::Expiry;
use keyrack::domain::key::Key;
use keyrack::domain::reminder::{Door, Reminder, Sweep};
use keyrack::mail::{Letterhead, Mailer, Memory, Sender, Templates};
use keyrack::service::{
    CreateKey, Error, Post, ReminderRequest, Service, Stop, SweepNews, SweepOrder, new_operation,
};
use tokio::sync::mpsc::unbounded_channel;

use super::people::wanted;

/// A letter box, and the post that drops letters into it.
pub fn letter_box() -> (Memory, Post) {
    let from = Sender::new("keyrack@mail.example", "Keyrack").unwrap();
    let memory = Memory::new(Letterhead { from: from.clone(), reply_to: None });
    let post = Post::new(Mailer::Memory(memory.clone()), Templates::embedded().unwrap(), &from);
    (memory, post)
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
