//! Opening a database as somebody.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::change::Change;
use super::ids::new_operation;
use super::leases::Leases;
use super::permit::permit;
use super::person::behind;
use super::post::Posting;
use super::revoke::checked;
use super::{Inner, Intent, Result, Service};
use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::audit::Action;
use crate::domain::key::OperationId;
use crate::domain::operator::{Identity, Permission, Role};
use crate::domain::person::Person;
use crate::domain::text::SafeText;
use crate::store::{
    self, Access, Facts, Holder, Lack, Location, Mended, Moving, OddRow, Store, Tried, Trust, Tx,
};

/// Who is acting, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whoami {
    pub identity: Identity,
    /// `None`: this person is no operator of this database and may do nothing.
    pub role: Option<Role>,
    /// Nobody can change anything here: a standby, a file or a disk that can only be read.
    pub read_only: bool,
}

impl Service {
    /// Opens the database, brings its schema up to date, and finds out who is acting.
    ///
    /// SQLite: the operating system's user; PostgreSQL: the session user. The first person to open a new database
    /// becomes its admin.
    pub async fn open(location: &Location, clock: Clock) -> Result<Self> {
        Self::open_with(location, Access::UpToDate, clock).await
    }

    /// The same, and no more is done to the database than `access` allows.
    pub async fn open_with(location: &Location, access: Access, clock: Clock) -> Result<Self> {
        let store = Store::open_with(location, access).await?;
        let (name, person) = match store.session_user().await? {
            Some(user) => (user, behind().reported()),
            None => {
                let user =
                    whoami::username().unwrap_or_else(|_| rustix::process::getuid().as_raw().to_string());
                (user, behind())
            }
        };
        let identity = Identity {
            name,
            host: whoami::hostname().unwrap_or_else(|_| "unknown".into()),
            client: ssh_client(),
            person,
        };
        Self::with_identity(store, clock, identity).await
    }

    /// Refuses where there is no database at the address, as far as can be told without asking a server.
    pub async fn look_for(location: &Location) -> Result<()> {
        Ok(Store::look(location).await?)
    }

    /// Tries to bring the database's schema up to date, as opening it would, and leaves it as it is.
    pub async fn try_migrate(location: &Location) -> Result<Tried> {
        Ok(Store::try_migrate(location).await?)
    }

    /// Does what of that can be done while others use the database, and tells how far it has come.
    pub async fn prepare(location: &Location, progress: impl FnMut(Moving) + Send) -> Result<()> {
        Ok(Store::prepare(location, progress).await?)
    }

    /// Says in words that this program only reads the database, because its schema is newer than it knows.
    pub fn only_reads(&self) -> Option<String> {
        self.inner
            .store
            .changeable()
            .err()
            .filter(|why| matches!(why, store::Error::Newer { .. }))
            .map(|why| why.to_string())
    }

    /// Gives PostgreSQL's group roles what an earlier migration could not, as far as the acting login may.
    pub async fn mend_rights(&self) -> Result<Mended> {
        Ok(self.inner.store.mend_rights().await?)
    }

    /// What PostgreSQL's group roles lack.
    pub async fn lacks(&self) -> Result<Vec<Lack>> {
        Ok(self.inner.store.lacks().await?)
    }

    /// What the acting login lacks for what this role lets it do, and the statement that gives it.
    pub async fn lacks_of_login(&self, role: Role) -> Result<Option<(Lack, String)>> {
        Ok(self.inner.store.lacks_of_login(role).await?)
    }

    /// The sessions on PostgreSQL that hold what a change needs.
    pub async fn holders(&self) -> Result<Vec<Holder>> {
        Ok(self.inner.store.holders().await?)
    }

    /// The same while the database can't be opened for it.
    pub async fn holders_at(location: &Location) -> Result<Vec<Holder>> {
        Ok(Store::holders_at(location).await?)
    }

    /// Ends such a session, for an admin: the database asks. False: it is gone, or holds nothing.
    pub async fn end_session(&self, pid: i32) -> Result<bool> {
        Ok(self.inner.store.end_session(pid).await?)
    }

    /// Logins that several gates share, and the names of those gates.
    pub async fn shared_logins(&self) -> Result<Vec<(SafeText, SafeText)>> {
        Ok(self.inner.store.shared_logins().await?)
    }

    /// Whether there is an operator who can give roles to others. For `doctor`, whoever asks.
    pub async fn has_admin(&self) -> Result<bool> {
        let operators = self.inner.store.operators().await?;
        Ok(operators.iter().any(|operator| operator.role == Role::Admin))
    }

    /// Operators whose logins have the group of earlier versions, and what gives each the group of their role.
    pub async fn consoles(&self) -> Result<Vec<(SafeText, String)>> {
        Ok(self.inner.store.consoles().await?)
    }

    /// Works on an open database as `identity`.
    pub async fn with_identity(store: Store, clock: Clock, mut identity: Identity) -> Result<Self> {
        if !identity.person.is_empty() && !store.has_person().await.unwrap_or(true) {
            // Nothing has to wait for the schema to be brought up to date.
            identity.person = Person::default();
        }
        let inner = Inner { store, leases: Leases::default(), clock, identity, skew: Arc::default() };
        let (intent, posting, keyring) = (Intent::Do, Posting::Nowhere, Arc::default());
        let service = Self { inner: Arc::new(inner), intent, posting, memory: None, keyring };
        let (role, _) = service.role_at_present().await?;
        if role.is_none() && service.inner.store.operators().await?.is_empty() {
            match service.change(new_operation(), AdmitFirst).await {
                // Nobody can become one here, and nobody needs to.
                Err(super::Error::Store(store::Error::ReadOnly(_))) => {}
                admitted => admitted?,
            }
        }
        Ok(service)
    }

    /// Who is acting, and in which role; read anew from the database.
    pub async fn whoami(&self) -> Result<Whoami> {
        let (role, _) = self.role_at_present().await?;
        let read_only = self.inner.store.is_read_only().await?;
        Ok(Whoami { identity: self.inner.identity.clone(), role, read_only })
    }

    /// Where the database is, in words, without a password.
    pub fn location(&self) -> String {
        self.inner.store.location().to_string()
    }

    /// What keeps the database from keeping what it confirms, in words.
    pub fn weakness(&self) -> Option<&'static str> {
        self.inner.store.weakness()
    }

    /// What is wrong with this machine's clock beside the database, in words.
    pub fn clock_trouble(&self) -> Option<String> {
        self.inner.store.clock_trouble(&self.inner.clock).map(|(_, words)| words)
    }

    /// Says that the clock is right: time begins anew by it, wherever the newest change stands.
    pub async fn accept_clock(&self, operation: OperationId, reason: Option<&str>) -> Result<Instant> {
        self.change(operation, AcceptClock { reason: checked(reason)? }).await
    }

    /// The database's idea of the present, asked of it.
    pub async fn now(&self) -> Result<Instant> {
        self.role_at_present().await.map(|(_, now)| now)
    }

    /// The acting person's role and the database's idea of the present, read together.
    pub(super) async fn role_at_present(&self) -> Result<(Option<Role>, Instant)> {
        let Inner { store, clock, identity, skew, .. } = &*self.inner;
        let (role, now) = store.role_at_present(&identity.name, clock).await?;
        let ahead = now - clock.now();
        skew.store(ahead.num_microseconds().unwrap_or(0), Ordering::Relaxed);
        Ok((role, now))
    }

    /// The database's idea of the present, by this machine's clock and the difference between the two.
    pub fn present(&self) -> Instant {
        let skew = self.inner.skew.load(Ordering::Relaxed);
        self.inner.clock.now() + chrono::Duration::microseconds(skew)
    }

    /// Facts about the database, for `doctor` and `info`.
    pub async fn facts(&self) -> Result<Facts> {
        Ok(self.inner.store.facts(&self.inner.clock).await?)
    }

    /// The rows of the database that hold something which can't be read, at most `limit` of each table, and how many there are.
    pub async fn odd_rows(&self, limit: usize) -> Result<(Vec<OddRow>, u64)> {
        self.look().await?;
        Ok(self.inner.store.odd_rows(limit).await?)
    }

    /// Closes the database. SQLite then folds its write-ahead log into the file.
    pub async fn close(&self) {
        self.remember_last().await;
        self.inner.store.close().await;
    }
}

/// Makes the acting person the admin of a database that has no operator yet. Of several who are first at the same time, one
/// is.
struct AdmitFirst;

impl Change for AdmitFirst {
    type Answer = ();

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<()> {
        tx.lock_operators().await?;
        if !tx.operators().await?.is_empty() {
            return Ok(());
        }
        let name = tx.who().name.clone();
        tx.put_operator(&name, Role::Admin).await?;
        let detail = json!({ "role": Role::Admin.as_str(), "first": true });
        Ok(tx.record(Action::OperatorSet, name.as_str(), detail).await?)
    }
}

struct AcceptClock {
    reason: Option<String>,
}

impl Change for AcceptClock {
    type Answer = Instant;

    const WIDENS: bool = true;

    const CLOCK: Trust = Trust::Right;

    async fn carry_out(&self, tx: &mut Tx) -> Result<Instant> {
        permit(tx, Permission::ChangeOperators, "say that the clock is right").await?;
        if !tx.seen().await? {
            tx.forget_later_signs().await?;
            tx.record(Action::ClockAccept, "clock", json!({ "reason": self.reason })).await?;
        }
        Ok(tx.now())
    }
}

/// The address that an SSH session came from, as the environment claims it: anyone can set it, so nothing may rest on it.
fn ssh_client() -> Option<String> {
    ["SSH_CONNECTION", "SSH_CLIENT"].into_iter().find_map(|name| {
        let value = std::env::var(name).ok()?;
        let address = value.split_whitespace().next()?;
        address.parse::<std::net::IpAddr>().ok().map(|ip| ip.to_string())
    })
}
