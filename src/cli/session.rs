//! What a command works with: the settings, the options and, once it is needed, the open database.

use std::sync::{Arc, OnceLock};

use tokio::sync::{Notify, OnceCell};
use uuid::Uuid;

use super::failure::{Exit, Failure, Result};
use super::flags::ForConsole;
use super::output::{Format, Printer};
use super::{Global, prompt};
use crate::clock::{Clock, zone};
use crate::config::settings::{Places, Setting, Settings, Source, Transport};
use crate::domain::Instant;
use crate::domain::history::History;
use crate::domain::secret::Peppers;
use crate::domain::steady::CURE;
use crate::domain::when::{Here, Zone};
use crate::service::{self, Access, Location, PostMaker, Service, Stop, StoreError};

pub mod history;
mod peppers;
mod post;
mod throwaway;
pub use post::MailRoom;
use throwaway::Throwaway;

/// Who decided where letters go, if the command line did.
const MAIL_DIR: Source = Source::Flag("--mail-dir");

/// Says to a console that begins again that nothing is at the address.
const ASK: &str = "KEYRACK_NOTHING_THERE";

/// One run of the program.
pub struct Session {
    pub global: Global,
    pub settings: Settings,
    pub places: Places,
    pub clock: Clock,
    /// What may be done to the database to open it.
    pub(super) access: Access,
    /// Whether it is said at once that the database went back: not where the command says so itself.
    pub(super) warns: bool,
    /// What was found when the database was opened.
    history: OnceLock<History>,
    /// Asks a sweep to stop between two letters.
    stop: Stop,
    /// Wakes who waits for that wish.
    stopping: Notify,
    service: OnceCell<Service>,
    throwaway: Option<Throwaway>,
    /// Where a dry run makes the database that the real run would make.
    rehearsal: OnceLock<Throwaway>,
}

impl Session {
    /// Reads the settings; opens nothing yet.
    pub fn new(global: Global, console: &ForConsole, clock: Clock) -> Result<Self> {
        let environment = |name: &str| std::env::var(name).ok();
        let places = Places::of_system(&environment);
        let mut settings = Settings::load(&places, &environment, &global.settings.0.clone().and(&console.0))?;
        let throwaway = global.demo.then(Throwaway::new).transpose()?;
        if throwaway.is_some() {
            settings.gate.keep_to_itself();
            settings.audit.keep_to_itself();
        }
        if let Some(throwaway) = throwaway.as_ref().filter(|_| settings.mail.directory.source != MAIL_DIR) {
            settings.mail.keep_in(throwaway.mail());
        }
        Ok(Self {
            global,
            settings,
            places,
            clock,
            stop: Stop::new(),
            stopping: Notify::new(),
            service: OnceCell::new(),
            throwaway,
            access: Access::Existing,
            warns: true,
            history: OnceLock::new(),
            rehearsal: OnceLock::new(),
        })
    }

    /// Before the console makes a database at an address that somebody named, it asks whether that was meant.
    pub async fn ask_for_new(&mut self) -> Result {
        if self.is_throwaway() || !self.is_named() {
            return Ok(());
        }
        self.access = Access::Existing;
        let location = self.location()?;
        let looked = match std::env::var_os(ASK) {
            Some(_) => Err(StoreError::Missing(format!("there is no database at {location} yet")).into()),
            None => Service::look_for(&location).await,
        };
        let Err(error) = looked else { return Ok(()) };
        if !self.can_ask_for_new(&error) {
            return Err(error.into());
        }
        super::say(&format!("keyrack: {error}"));
        if !prompt::confirm(&self.global, "Create a new database there").await? {
            return Err(Failure::quiet(Exit::Unreachable));
        }
        self.access = Access::OrNew;
        Ok(())
    }

    fn can_ask_for_new(&self, error: &service::Error) -> bool {
        let can_ask = self.global.yes || prompt::can_ask(&self.global);
        let missing = matches!(error, service::Error::Store(StoreError::Missing(_)));
        // Where something else is, none can be made.
        let is_free = match self.location() {
            Ok(Location::Sqlite(path)) => !path.is_dir() && (path.exists() || !path.is_symlink()),
            location => location.is_ok(),
        };
        missing && is_free && can_ask && !self.global.dry_run
    }

    /// What the console ends with that found no database where a server is: it begins again and asks first. Beginning
    /// again takes the keyboard back from the thread that reads it.
    pub fn ask_again(&self, error: service::Error) -> Failure {
        if std::env::var_os(ASK).is_none()
            && self.can_ask_for_new(&error)
            && let Ok(program) = std::env::current_exe()
        {
            use std::os::unix::process::CommandExt;
            let failed =
                std::process::Command::new(program).args(std::env::args_os().skip(1)).env(ASK, "1").exec();
            tracing::warn!(error = %failed, "the console can't restart");
        }
        error.into()
    }

    /// How the database stood beside what this machine remembers of it, if that was looked at when it was opened.
    pub fn history(&self) -> Option<&History> {
        self.history.get()
    }

    /// The zone that times are read and shown in.
    pub fn zone(&self) -> Zone {
        zone(self.settings.utc.value)
    }

    /// What days and spans are counted from.
    pub fn here(&self, now: Instant) -> Here {
        Here { now, zone: self.zone() }
    }

    /// Where the database is.
    pub fn location(&self) -> Result<Location> {
        Ok(self.place()?)
    }

    /// Whether somebody said where the database is.
    pub fn is_named(&self) -> bool {
        self.is_throwaway() || self.settings.database.source != Source::Default
    }

    /// A mistake is told with the place where it was made.
    /// Where the database is.
    ///
    /// # Errors
    /// When what the settings say of it makes no sense.
    pub fn place(&self) -> std::result::Result<Location, StoreError> {
        let Setting { value, source } = &self.settings.database;
        match &self.throwaway {
            Some(throwaway) => Location::parse(&throwaway.address()),
            None => Location::parse(value)
                .map_err(|error| StoreError::Location(source.error(error.to_string()).to_string())),
        }
    }

    /// The open database; opened by the first call. On a dry run whatever is asked of it is only tried.
    pub async fn service(&self) -> Result<&Service> {
        let open = async || match (self.opening().await, self.access) {
            (service, _) if !self.global.dry_run => Ok(service?),
            (Err(service::Error::Store(StoreError::Missing(_))), Access::OrNew | Access::UpToDate) => {
                self.remark(&format!(
                    "There is no database at {} yet: a new one would be created.",
                    self.location()?
                ));
                let place = Throwaway::new()?;
                let location = Location::parse(&self.rehearsal.get_or_init(|| place).address())?;
                Ok::<_, Failure>(Service::open(&location, self.clock.clone()).await?.trying())
            }
            (service, _) => Ok(service?.trying()),
        };
        let opened = async || {
            let service = open().await?;
            if let Some(weakness) = service.weakness().filter(|_| self.warns) {
                super::say(&format!("keyrack: warning: {weakness}"));
            }
            if let Some(newer) = service.only_reads().filter(|_| self.warns) {
                super::say(&format!("keyrack: warning: {newer}"));
            }
            if let Some(trouble) = service.clock_trouble().filter(|_| self.warns) {
                super::say(&format!("keyrack: warning: {trouble}. {CURE}"));
            }
            if self.warns
                && let Some(history) = history::warn(&service, self.zone()).await
            {
                let _ = self.history.set(history);
            }
            Ok(service)
        };
        self.service.get_or_try_init(opened).await
    }

    /// Opens the database, and fills it if it is a throw-away one.
    pub fn opening(&self) -> impl Future<Output = service::Result<Service>> + Send + 'static {
        let location = self.place();
        let (demo, access) = match &self.throwaway {
            Some(_) => (true, Access::UpToDate),
            // What is only tried makes nothing.
            None if self.global.dry_run => (false, Access::Existing),
            None => (false, self.access),
        };
        let memory = (!demo).then(|| self.places.memory());
        let clock = self.clock.clone();
        let peppers = self.peppers();
        let mail = self.settings.mail.clone();
        let post: Arc<PostMaker> = Arc::new(move || {
            let made = post::make(mail.clone());
            Box::pin(async { made.await.map(MailRoom::post).map_err(|failure| failure.to_string()) })
        });
        async move {
            let service = Service::open_with(&location?, access, clock)
                .await?
                .with_post_maker(post)
                .with_peppers(peppers);
            if demo {
                throwaway::fill(&service).await?;
            }
            Ok(match memory {
                Some(folder) => service.with_memory(folder),
                None => service,
            })
        }
    }

    /// The peppers that the settings or systemd name.
    ///
    /// # Errors
    /// They can't be read, in words that name the file.
    pub fn peppers(&self) -> std::result::Result<Peppers, String> {
        if self.is_throwaway() { Ok(Peppers::default()) } else { peppers::read(&self.settings.peppers) }
    }

    /// What letters are sent with. A mistake in the settings is refused as a mistake of usage, in words that name it.
    pub async fn mail_room(&self) -> Result<MailRoom> {
        post::make(self.settings.mail.clone()).await
    }

    /// Asks whatever sends letters to stop between two of them.
    pub fn ask_to_stop(&self) {
        self.stop.stop();
        self.stopping.notify_one();
    }

    /// The wish to stop, for a sweep.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Returns once somebody wishes to stop.
    pub async fn stopped(&self) {
        while !self.stop.is_stopped() {
            self.stopping.notified().await;
        }
    }

    /// The folder where letters become files, if they do.
    pub fn letters_folder(&self) -> Option<&std::path::Path> {
        let mail = &self.settings.mail;
        (mail.transport.value == Transport::Directory).then_some(mail.directory.value.as_path())
    }

    /// Whether letters go where the throw-away database is.
    pub fn keeps_letters_for_itself(&self) -> bool {
        self.is_throwaway() && self.settings.mail.directory.source != MAIL_DIR
    }

    /// Whether somebody works on a throw-away database.
    pub fn is_throwaway(&self) -> bool {
        self.throwaway.is_some()
    }

    /// Fills the throw-away database, if there is one, for who opens it by itself.
    pub async fn fill_throwaway(&self) -> Result {
        if self.is_throwaway() {
            self.service().await?;
        }
        Ok(())
    }

    /// Closes the database, if it was opened.
    pub async fn close(&self) {
        if let Some(service) = self.service.get() {
            service.close().await;
        }
    }

    /// Removes the throw-away database, if there is one. Needed where the program ends without dropping this.
    pub fn remove_throwaway(&self) {
        if let Some(throwaway) = &self.throwaway {
            throwaway.remove();
        }
    }

    /// A printer of data.
    pub fn printer(&self) -> Printer<std::io::BufWriter<std::io::Stdout>> {
        Printer::stdout(self.format(), self.global.headings(), self.zone())
    }

    /// A printer of what a change came to: no table where it shall be quiet.
    pub fn outcome(&self) -> Printer<std::io::BufWriter<std::io::Stdout>> {
        self.printer().hushed(self.global.quiet)
    }

    /// Whether what a change came to is told in words alone, and only trouble.
    pub fn hushed(&self) -> bool {
        self.global.quiet && self.format().for_people()
    }

    pub fn format(&self) -> Format {
        self.global.format()
    }

    /// On a dry run says what would have been done, beginning with a verb, and answers true: there is no more to do.
    pub fn would(&self, what: impl FnOnce() -> String) -> bool {
        if self.global.dry_run {
            self.remark(&format!("Would {}. Nothing was changed.", what()));
        }
        self.global.dry_run
    }

    /// As [`Self::would`], after a change that may have found everything as it was wanted. Then that is said.
    pub fn settled(&self, same: bool, what: impl FnOnce() -> String) -> bool {
        if same {
            let dry = self.global.dry_run;
            self.remark(if dry {
                "Nothing would change: it is already so."
            } else {
                "Nothing was changed: it is already so."
            });
            return dry;
        }
        self.would(what)
    }

    /// Says something that a person may want to know and a script doesn't need.
    pub fn remark(&self, text: &str) {
        if !self.global.quiet {
            super::say(text);
        }
    }
}

/// Reads the identity of a key; `None` for any other text.
pub fn whole_id(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}

/// Carries out an operation that may be sent twice, and sends it again when the connection was lost meanwhile.
pub async fn insist<T, F>(attempt: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = service::Result<T>>,
{
    Ok(service::persist(attempt).await?)
}
