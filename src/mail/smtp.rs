//! SMTP (RFC 5321) with required TLS (RFC 8314, RFC 3207), a deadline for each phase (H3), and a small pool.
//!
//! lettre writes the commands. The conversation itself is ours, because three things must be known that lettre's own
//! connection does not tell: whether the final dot may have left, whether the server said something in plain text beyond
//! its answer to STARTTLS, and that no reply grows without end.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::extension::ClientId;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::{Letter, LetterOutcome, Letterhead, MailError, message};

mod connect;
mod login;
mod patience;
mod session;
mod talk;
mod tls;

pub use patience::Patience;
use session::{Delivery, Session};

/// How the conversation is kept from others. There is no "if possible": a server that can't is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
pub enum Security {
    /// In plain text up to STARTTLS, then TLS; usual on port 587.
    #[strum(serialize = "STARTTLS")]
    StartTls,
    /// TLS from the first byte; usual on port 465.
    #[strum(serialize = "TLS")]
    Wrapper,
    /// Never encrypted, and only to this very machine.
    #[strum(serialize = "plain, this machine only")]
    PlainLoopback,
}

/// A mail server and how to speak with it.
#[derive(Clone, derive_more::Debug)]
pub struct SmtpSettings {
    /// A name or an address; the certificate must be made out to it.
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// Certificates (PEM) that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// User name and password.
    #[debug("{:?}", login.as_ref().map(|(user, _)| user))]
    pub login: Option<(String, Zeroizing<String>)>,
    /// The name that this machine gives itself; its host name if `None`.
    pub hello: Option<String>,
    /// The most connections at a time, 1 to 64; 4 is a good number.
    pub connections: usize,
    pub patience: Patience,
}

/// A mail server, with the connections to it. Clones share them.
#[derive(Clone, derive_more::Debug)]
#[debug("Smtp({:?})", inner.settings)]
pub struct Smtp {
    inner: Arc<Inner>,
    rate: Option<u32>,
}

struct Inner {
    settings: SmtpSettings,
    head: Letterhead,
    hello: ClientId,
    /// `None` only with [`Security::PlainLoopback`].
    tls: Option<TlsConnector>,
    lanes: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

/// A session that waits for the next letter.
struct Idle {
    session: Session,
    since: Instant,
}

/// A session idle for longer was probably ended by the server.
const STALE: Duration = Duration::from_secs(60);
/// A session idle for no longer is used without asking first whether it lives.
const WARM: Duration = Duration::from_secs(1);

impl Smtp {
    /// Reads the certificates and checks the settings; speaks to nobody yet. Blocks for as long as the files take.
    ///
    /// # Errors
    /// When the settings can't work.
    pub fn open(settings: SmtpSettings, head: Letterhead) -> Result<Self, MailError> {
        let refuse = |why: String| Err(MailError::Settings(why));
        if settings.port == 0 {
            return refuse("the mail server's port is 0: usual are 587 (STARTTLS) and 465 (TLS)".into());
        }
        if !(1..=64).contains(&settings.connections) {
            return refuse(format!(
                "{} connections to the mail server: choose 1 to 64",
                settings.connections
            ));
        }
        if let Some((user, password)) = &settings.login
            && (user.is_empty() || user.contains('\0') || password.is_empty() || password.contains('\0'))
        {
            return refuse(
                "the mail server's user name and password must not be empty nor hold a NUL".into(),
            );
        }
        let hello = match &settings.hello {
            None => own_name(),
            Some(name) if is_hello(name) => ClientId::Domain(name.clone()),
            Some(name) => {
                let name = super::clean::words(name);
                return refuse(format!(
                    "{name:?} isn't a valid name for this machine: write mail.example.com or [192.0.2.1]"
                ));
            }
        };
        let tls = match settings.security {
            Security::PlainLoopback => None,
            Security::StartTls | Security::Wrapper => {
                tls::check_name(&settings.host)?;
                Some(tls::connector(settings.ca_file.as_deref())?)
            }
        };
        let lanes = Semaphore::new(settings.connections);
        let inner = Inner { settings, head, hello, tls, lanes, idle: Mutex::default() };
        Ok(Self { inner: Arc::new(inner), rate: None })
    }

    /// The same, for at most this many letters a minute.
    #[must_use]
    pub fn with_rate(self, rate: Option<u32>) -> Self {
        Self { rate, ..self }
    }

    pub(super) fn rate(&self) -> Option<u32> {
        self.rate
    }

    pub(super) fn describe(&self) -> String {
        let SmtpSettings { host, port, security, .. } = &self.inner.settings;
        let security: &str = (*security).into();
        format!("{}:{port} ({security})", super::clean::words(host))
    }

    pub(super) fn lanes(&self) -> usize {
        self.inner.settings.connections
    }

    pub(super) async fn send(&self, letter: &Letter) -> LetterOutcome {
        let letter = match message::write(letter, &self.inner.head) {
            Ok(letter) => letter,
            Err(answer) => return LetterOutcome::Failed { answer },
        };
        let until = Instant::now() + self.inner.settings.patience.whole;
        let Some(_lane) = self.lane(until).await else {
            return LetterOutcome::Deferred { answer: "all connections to the mail server were busy".into() };
        };
        if let Some(mut session) = self.idle_session(until).await {
            match session.deliver(&letter, &self.inner.settings.patience, until).await {
                Delivery::Done(outcome) => return self.keep(session, outcome),
                // It ended while nobody looked; nothing of the letter has left. A fresh one tells whether it is the server.
                Delivery::Ended(_) => {}
            }
        }
        let mut session = match self.connect(until).await {
            Ok(session) => session,
            Err(answer) => return LetterOutcome::Unavailable { answer },
        };
        match session.deliver(&letter, &self.inner.settings.patience, until).await {
            Delivery::Done(outcome) => self.keep(session, outcome),
            Delivery::Ended(outcome) => outcome,
        }
    }

    pub(super) async fn check(&self) -> Result<String, MailError> {
        let until = Instant::now() + self.inner.settings.patience.whole;
        let server = |why: String| MailError::Server { place: self.describe(), why };
        let mut session = self.connect(until).await.map_err(server)?;
        session.noop(until).await.map_err(server)?;
        let secured = session.secured().map_or(String::new(), |version| format!(", {version}"));
        session.quit(self.inner.settings.patience.check).await;
        let who = match &self.inner.settings.login {
            Some((user, _)) => format!("logged in as {}", super::clean::words(user)),
            None => "no log-in needed so far".into(),
        };
        Ok(format!("{}{secured}: {who}", self.describe()))
    }

    pub(super) async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle());
        let patience = self.inner.settings.patience.check;
        futures::future::join_all(idle.into_iter().map(|idle| idle.session.quit(patience))).await;
    }

    async fn lane(&self, until: Instant) -> Option<SemaphorePermit<'_>> {
        tokio::time::timeout_at(until, self.inner.lanes.acquire()).await.ok()?.ok()
    }

    /// A session that is known to live, or was used just now.
    async fn idle_session(&self, until: Instant) -> Option<Session> {
        let Idle { mut session, since } = {
            let mut idle = self.idle();
            idle.retain(|idle| idle.since.elapsed() <= STALE);
            idle.pop()?
        };
        let age = since.elapsed();
        if (session.needs_reset() || age > WARM)
            && session.reset(until.min(Instant::now() + self.inner.settings.patience.check)).await.is_err()
        {
            return None;
        }
        Some(session)
    }

    /// Puts a session without doubt back for the next letter; any other is dropped, which closes it.
    fn keep(&self, session: Session, outcome: LetterOutcome) -> LetterOutcome {
        if session.is_usable() {
            self.idle().push(Idle { session, since: Instant::now() });
        }
        outcome
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.inner.idle.lock()
    }
}

/// The name of this machine; its loopback address where the name could not stand in a command.
fn own_name() -> ClientId {
    match ClientId::default() {
        ClientId::Domain(name) if !is_hello(&name) => ClientId::Ipv4(Ipv4Addr::LOCALHOST),
        name => name,
    }
}

/// A domain name or an address in brackets (RFC 5321, 4.1.3): nothing that could end the command.
fn is_hello(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    !name.is_empty() && name.len() <= 255 && name.chars().all(plain)
}

#[cfg(test)]
mod tests;
