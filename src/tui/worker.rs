//! Carries out what `update` asked for: the only file of the console that calls the service.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, Notify};

mod files;
pub mod late;
mod patience;
mod rotation;
mod running;

use files::{file_failure, save, themes, write_new, write_secret};
use patience::{ANSWER, plain, settled};
pub use running::Running;

use super::clipboard::Clipboard;
use super::effect::{
    CopyText, Failure, FailureKind, HoldRequest, Outcomes, PauseRequest, Reply, Request, RequestId,
};
use super::message::Message;
use super::words::{Copied, count};
use crate::clock::zone;
use crate::domain::approval::Approval;
use crate::domain::history::History;
use crate::domain::hold::Hold;
use crate::domain::key::KeyId;
use crate::domain::when::Zone;
use crate::service::{
    AuditFilter, AuditRequest, ExportForm, Held, LiveEvent, Service, Stop, SweepOrder, Tell, Told,
};

/// How much of a key's audit the detail shows.
const TRAIL: u32 = 50;

/// How often it is tried to open a database whose file was replaced.
const REOPEN: Duration = Duration::from_millis(250);

/// How long the end of the console may wait until what is new is remembered.
const LAST: Duration = Duration::from_millis(50);

/// More bytes than these are given to no clipboard.
const CLIPBOARD: usize = 512 * 1024;

/// Starts one task for each request, so that none waits for another.
#[derive(Clone)]
pub struct Worker {
    service: Service,
    clipboard: Arc<Clipboard>,
    messages: UnboundedSender<Message>,
    /// Of him who asks who holds what is waited for.
    turn: Arc<Mutex<()>>,
    /// Whether a sweep goes on, for who wants to end the program.
    posting: Arc<AtomicBool>,
    /// The database that has come under the name of the one before, until the console knows of it.
    next: Arc<std::sync::Mutex<Option<Service>>>,
}

impl Worker {
    pub fn new(
        service: Service,
        clipboard: Arc<Clipboard>,
        messages: UnboundedSender<Message>,
        posting: Arc<AtomicBool>,
    ) -> Self {
        Self { service, clipboard, messages, turn: Arc::default(), posting, next: Arc::default() }
    }

    /// Starts the work; a [`Message::Reply`] will come.
    pub fn ask(&self, to: RequestId, request: Request) {
        let worker = self.clone();
        tokio::spawn(async move {
            let (service, messages) = (worker.service.clone(), worker.messages.clone());
            let turn = Arc::clone(&worker.turn);
            let waiting = tokio::spawn(late::answer(service, messages, turn, late::reads(&request)));
            let reply = worker.answer(request).await;
            waiting.abort();
            // Nobody listens only when the console is ending.
            let _ = worker.messages.send(Message::Reply { to, reply });
        });
    }

    /// Starts a sweep; [`Message::Sweep`]s will come, and a [`Reply::Sweep`] at the end.
    pub fn sweep(&self, of: RequestId, order: SweepOrder) -> Running {
        let (worker, stop) = (self.clone(), Stop::new());
        let wish = stop.clone();
        self.posting.store(true, Ordering::SeqCst);
        let task = tokio::spawn(async move {
            let (sender, mut news) = unbounded_channel();
            let messages = worker.messages.clone();
            let told = tokio::spawn(async move {
                while let Some(news) = news.recv().await {
                    let _ = messages.send(Message::Sweep { of, news });
                }
            });
            let done = worker.service.sweep(order, sender, wish).await;
            worker.posting.store(false, Ordering::SeqCst);
            // The end is told after everything that came before it.
            let _ = told.await;
            let reply = Reply::Sweep(done.map(Box::new).map_err(Failure::from));
            let _ = worker.messages.send(Message::Reply { to: of, reply });
        });
        Running::new(stop, task)
    }

    /// Passes on news of the database until the console ends.
    pub fn watch(&self) {
        let worker = self.clone();
        let grown = Arc::new(Notify::new());
        grown.notify_one();
        let looking = tokio::spawn(self.clone().look_back(Arc::clone(&grown)));
        tokio::spawn(async move {
            let mut events = worker.service.watch();
            while let Some(event) = events.next().await {
                if let LiveEvent::Replaced(why) = event {
                    looking.abort();
                    return worker.reopen(why).await;
                }
                if !matches!(event, LiveEvent::Lost(_)) {
                    grown.notify_one();
                }
                if worker.messages.send(Message::Live(event)).is_err() {
                    return;
                }
            }
            // What is shown would be old from here on, and nothing would say so.
            let words = "the connection that reports changes in the database failed: restart the console";
            let _ = worker.messages.send(Message::Broken(words.into()));
        });
    }

    /// Opens what is under the database's name, as soon as there is something, and tells the console.
    async fn reopen(self, why: String) {
        let _ = self.messages.send(Message::Live(LiveEvent::Lost(why.clone())));
        while !self.messages.is_closed() {
            if let Ok(service) = self.service.again().await {
                *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(service);
                let _ = self.messages.send(Message::Live(LiveEvent::Replaced(why)));
                return;
            }
            tokio::time::sleep(REOPEN).await;
        }
    }

    /// Goes on with the database that has come under the name. What was asked for before is of the old one, and fails.
    pub fn take_over(&mut self) {
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(service) = next {
            self.service = service;
            self.watch();
        }
    }

    /// Compares the database with what this machine remembers of it, now and whenever it has grown.
    async fn look_back(self, grown: Arc<Notify>) {
        let mut last = History::default();
        loop {
            grown.notified().await;
            if let Ok(Ok(history)) = tokio::time::timeout(ANSWER, self.service.history()).await {
                let said = |history: &History| {
                    (history.gaps.clone(), history.undone, history.asides(Zone::UTC), history.fault.clone())
                };
                if said(&history) != said(&last)
                    && self.messages.send(Message::History(history.clone())).is_err()
                {
                    return;
                }
                last = history;
            }
        }
    }

    /// Remembers what is new before the console ends.
    pub async fn remember(&self) {
        let _ = tokio::time::timeout(LAST, self.service.remember_last()).await;
    }

    /// A mail server takes the time that it takes. In a task of its own, for it needs more of the stack than is left here.
    async fn tell(&self, tell: Tell) -> Outcomes<Vec<Told>> {
        let service = self.service.clone();
        match tokio::spawn(async move { service.tell(tell).await }).await {
            Ok(told) => told.map_err(Failure::from),
            Err(_) => {
                Err(Failure { kind: FailureKind::Other, text: "notifying the admins was interrupted".into() })
            }
        }
    }

    async fn answer(&self, request: Request) -> Reply {
        // What carries requests out has room for each of them on the stack: it must not stand there twice.
        match request {
            Request::Try(request) => {
                let trying = Self { service: self.service.trying(), ..self.clone() };
                Box::pin(trying.carry_out(*request)).await
            }
            request => Box::pin(self.carry_out(request)).await,
        }
    }

    async fn carry_out(&self, request: Request) -> Reply {
        let service = &self.service;
        match request {
            Request::Try(request) => Box::pin(self.carry_out(*request)).await,
            Request::Whoami => Reply::Whoami(plain(service.whoami()).await),
            Request::Issuers => Reply::Issuers(plain(service.issuers()).await),
            Request::Holds => Reply::Holds(plain(held(service)).await),
            Request::Approvals => Reply::Approvals(plain(service.approval_pages()).await),
            Request::Decide(operation, n, decision) => {
                Reply::Decided(settled(Box::pin(service.decide(operation, n, decision))).await.map(Box::new))
            }
            Request::Page(request) => Reply::Page(plain(service.page(&request)).await),
            Request::Count(query) => Reply::Count(plain(service.count(&query)).await),
            Request::Rank(rank) => Reply::Rank(plain(service.rank(&rank)).await),
            Request::Key(id) => Reply::Key(plain(service.key(id)).await.map(Box::new)),
            Request::Reach(keys) => Reply::Reach(plain(service.look_at(&keys)).await.map(Box::new)),
            Request::Export { keys, form, to } => Reply::Export(self.export(&keys, form, to).await),
            Request::Trail(key) => {
                let filter = AuditFilter { key: Some(key), ..AuditFilter::default() };
                let request = AuditRequest { filter, before: None, limit: TRAIL };
                Reply::Trail(plain(service.audit(&request)).await)
            }
            // It reads the audit, however long that takes.
            Request::Incident(order) => {
                Reply::Incident(Box::pin(service.incident(&order)).await.map(Box::new).map_err(Failure::from))
            }
            Request::Late(key) => Reply::Late { key: key.id, outcome: plain(service.late(&key)).await },
            Request::Find(given) => Reply::Find(plain(service.find_keys(given)).await),
            Request::FindInFile(path) => Reply::Find(service.find_in_file(path).await.map_err(Failure::from)),
            Request::Read(given, header) => Reply::Read(plain(service.read_pasted(given, header)).await),
            Request::Outlook => Reply::Outlook(plain(service.outlook()).await),
            Request::Hygiene => Reply::Hygiene(plain(service.tidy()).await.map(Box::new)),
            Request::Overview(utc) => Reply::Overview(plain(service.overview(zone(utc))).await),
            Request::Create(request) => {
                Reply::Create(plain(service.create_key(*request)).await.map(Box::new))
            }
            Request::Alike(key) => Reply::Alike(plain(service.alike(key)).await.map(Box::new)),
            Request::Edit { operation, keys, edit, shown } => {
                Reply::Edit(settled(service.edit_keys(operation, &keys, *edit, shown)).await)
            }
            Request::Acknowledge { operation, key } => {
                Reply::Acknowledge(settled(service.acknowledge_key(operation, key)).await.map(Box::new))
            }
            Request::Revoke { operation, request } => {
                Reply::Revoke(settled(service.revoke_order(operation, request)).await)
            }
            Request::Pause(request) => Reply::Held(settled(Box::pin(self.pause(*request))).await),
            Request::Hold(request) => {
                let HoldRequest { operation, target, order } = *request;
                Reply::Hold(settled(service.hold(operation, target, order)).await.map(Box::new))
            }
            Request::Lift { operation, n } => {
                Reply::Hold(plain(service.lift(operation, n)).await.map(Box::new))
            }
            Request::Undone => Reply::Undone(plain(Box::pin(service.undone(None))).await),
            Request::RevokeAgain { operation, list, reason } => Reply::Revoke(
                settled(Box::pin(service.revoke_again(operation, &list, reason.as_deref()))).await,
            ),
            Request::AcceptHistory(operation) => {
                Reply::Undone(plain(Box::pin(service.accept_history(operation, None))).await)
            }
            Request::Receipt { keys, patience } => {
                Reply::Receipt(plain(service.receipt(&keys, patience)).await)
            }
            Request::Rotate { operation, key, overlap, expiry } => {
                let made = service.rotate_key_until(operation, key, overlap, expiry);
                Reply::Rotate(settled(made).await.map(Box::new))
            }
            Request::Rotation(request) => Box::pin(self.rotation(*request)).await,
            Request::SetLimits { operation, key, limits } => {
                Reply::SetLimits(settled(service.set_limits(operation, key, limits)).await.map(Box::new))
            }
            Request::Accounts { filter, after, limit } => {
                Reply::Accounts(plain(service.accounts(&filter, after.as_deref(), limit)).await)
            }
            Request::Account(slug) => Reply::Account(plain(service.account(&slug)).await),
            Request::AccountPage(slug) => {
                Reply::AccountPage(plain(service.account_page(&slug)).await.map(Box::new))
            }
            Request::CreateAccount { operation, request } => {
                Reply::CreateAccount(plain(service.create_account(operation, request)).await)
            }
            Request::ChangeAccount { operation, account, change } => {
                Reply::ChangeAccount(settled(service.change_account(operation, &account, change)).await)
            }
            Request::SetStanding { operation, account, standing } => {
                Reply::SetStanding(settled(service.set_standing(operation, &account, standing)).await)
            }
            Request::ApplyPolicy { operation, policy } => {
                Reply::ApplyPolicy(settled(service.apply_policy(operation, *policy)).await.map(Box::new))
            }
            Request::Audit(request) => Reply::Audit(plain(service.audit(&request)).await),
            Request::VerifyAudit => {
                Reply::VerifyAudit(service.compare_audit(|_, _, _| ()).await.map_err(Failure::from))
            }
            Request::Usage { keys, since } => {
                let outcome = plain(service.usage(&keys, since)).await;
                Reply::Usage { keys, outcome }
            }
            Request::Alerts(request) => Reply::Alerts(plain(service.alerts(&request)).await),
            Request::OpenAlerts => Reply::OpenAlerts(plain(service.open_alerts()).await),
            Request::AcknowledgeAlerts { operation, alerts } => {
                Reply::AcknowledgeAlerts(plain(service.acknowledge_alerts(operation, &alerts)).await)
            }
            Request::Gates => Reply::Gates(plain(service.gates()).await),
            Request::Operators => Reply::Operators(plain(service.operators()).await),
            Request::SetOperator { operation, name, role } => {
                Reply::SetOperator(plain(service.set_operator(operation, &name, role)).await)
            }
            Request::RemoveOperator { operation, name } => {
                Reply::RemoveOperator(plain(service.remove_operator(operation, &name)).await)
            }
            Request::Known { known, beginning, limit } => {
                Reply::Known(plain(service.known(known, &beginning, limit)).await)
            }
            Request::Leaver(name) => Reply::Leaver(plain(service.leaver(&name)).await.map(Box::new)),
            Request::Leave { operation, leave } => {
                Reply::Leave(settled(service.leave(operation, *leave)).await)
            }
            Request::Outbox => Reply::Outbox(plain(service.outbox()).await),
            Request::Post => Reply::Post(plain(service.post()).await.map(|post| post.whither())),
            Request::Reminders(request) => Reply::Reminders(plain(service.reminders(request)).await),
            Request::RemindersOf(keys) => {
                let outcome = plain(service.mailing_of(&keys)).await;
                Reply::RemindersOf { keys, outcome }
            }
            Request::RetryReminders { operation, reminders } => {
                Reply::RetryReminders(plain(service.retry_reminders(operation, &reminders)).await)
            }
            Request::Tell(tell) => Reply::Tell(self.tell(*tell).await),
            Request::Sweeps(limit) => Reply::Sweeps(plain(service.sweeps(limit)).await),
            Request::PreviewSweep(show) => {
                // This and the audit read everything, however long that takes.
                let preview = service.preview_sweep(None, show).await;
                Reply::PreviewSweep(preview.map(Box::new).map_err(Failure::from))
            }
            Request::Themes(folder) => themes(folder).await,
            Request::SaveChoices(path, text) => Reply::SaveChoices(save(path, text).await),
            Request::Copy(text) => Reply::Copy(self.clipboard.copy(text, &self.messages).await),
            Request::WriteSecret { path, secret } => Reply::WriteSecret(write_secret(path, secret).await),
        }
    }
}

impl Worker {
    async fn pause(&self, request: PauseRequest) -> crate::service::Result<Vec<Held>> {
        let PauseRequest { operation, keys, order, shown } = request;
        match order {
            Some(order) => self.service.pause_keys(operation, &keys, order, shown).await,
            None => self.service.resume_keys(operation, &keys, shown).await,
        }
    }

    async fn export(&self, keys: &[KeyId], form: ExportForm, to: Option<PathBuf>) -> Outcomes<Copied> {
        let (number, text) = plain(self.service.export(keys, form)).await?;
        let number = count(number as u64, "key");
        let Some(path) = to else {
            if text.len() > CLIPBOARD {
                let words = format!("{number} are too many for a clipboard: write them to a file");
                return Err(Failure { kind: FailureKind::Rule, text: words.into() });
            }
            let what = if number == "1 key" { "the key was" } else { "the keys were" };
            return Ok(self.clipboard.copy(CopyText::Lines(what, text.into()), &self.messages).await);
        };
        let written = tokio::task::spawn_blocking(move || {
            let path = crate::service::at_home(path);
            write_new(&path, text.as_bytes()).map(|()| std::path::absolute(&path).unwrap_or(path))
        });
        match written.await {
            Ok(Ok(path)) => Ok(Copied::reached(format!("{number} written to {}", path.display()))),
            Ok(Err(error)) => Err(file_failure(&error)),
            Err(_) => Err(Failure { kind: FailureKind::Other, text: "the file was not written".into() }),
        }
    }
}

/// Freezes and stops of creation, and what waits for approval.
async fn held(service: &Service) -> crate::service::Result<(Vec<Hold>, Vec<Approval>)> {
    Ok((service.holds(false).await?, service.approvals(false).await?))
}
