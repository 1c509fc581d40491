//! What it takes to send letters, and where a service takes it from.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::Service;
use super::error::{Error, Result};
use crate::domain::text::SafeText;
use crate::mail::{Mailer, Sender, Templates};

/// What it takes to send: where letters go and what they say. Shown to a person as where letters go.
#[derive(Clone, Debug, derive_more::Display)]
#[display("{}", mailer.describe())]
pub struct Post {
    pub(super) mailer: Mailer,
    pub(super) templates: Templates,
    /// The right-hand side of every Message-ID.
    pub(super) domain: String,
    /// Whom to ask where a policy names nobody.
    pub(super) contact: Option<String>,
}

impl Post {
    /// `sender` is who the mailer's letters come from: their Message-IDs end in its domain.
    pub fn new(mailer: Mailer, templates: Templates, sender: &Sender) -> Self {
        let domain = sender.address().rsplit_once('@').map_or("", |(_, domain)| domain);
        let atom =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        // An address literal or a name beyond ASCII can't stand in a Message-ID (RFC 5322, 3.6.4).
        let fits = domain.len() <= 150 && domain.split('.').all(atom);
        let domain = if fits { domain.to_ascii_lowercase() } else { "keyrack.invalid".into() };
        Self { mailer, templates, domain, contact: None }
    }

    /// The same, with where its letterhead wants answers.
    #[must_use]
    pub fn answered_by(mut self, reply_to: Option<&Sender>) -> Self {
        self.contact = reply_to.map(|sender| sender.address().to_owned());
        self
    }
}

impl Post {
    /// Whether letters leave this machine.
    pub(super) fn leaves(&self) -> bool {
        self.mailer.leaves()
    }

    /// Where letters go.
    pub fn whither(&self) -> Whither {
        Whither { place: SafeText::new(self.mailer.describe()), leaves: self.leaves() }
    }
}

/// Where letters go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whither {
    /// The mail server or the folder.
    pub place: SafeText,
    /// Whether they leave this machine.
    pub leaves: bool,
}

impl Whither {
    /// `mail goes to smtp.example.com:587`
    pub fn lower(&self) -> String {
        match self.leaves {
            true => format!("mail goes to {}", self.place),
            false => format!("nothing leaves this machine; letters become files in {}", self.place),
        }
    }

    pub fn sentence(&self) -> String {
        match self.leaves {
            true => format!("Mail goes to {}.", self.place),
            false => format!("Nothing leaves this machine: letters become files in {}.", self.place),
        }
    }
}

/// A mail server.
impl From<&str> for Whither {
    fn from(place: &str) -> Self {
        Self { place: place.into(), leaves: true }
    }
}

/// Makes what it takes to send, or says in words why it can't: the settings are read when a letter is to be sent, so that
/// a mistake in them stops nothing else, and a new password counts from the next sweep on.
pub type PostMaker = dyn Fn() -> BoxFuture<'static, std::result::Result<Post, String>> + Send + Sync;

/// Where a service takes its [`Post`] from.
#[derive(Clone)]
pub(super) enum Posting {
    Nowhere,
    Ready(Arc<Post>),
    Maker(Arc<PostMaker>),
}

impl Service {
    /// The same service, able to sweep.
    #[must_use]
    pub fn with_post(mut self, post: Post) -> Self {
        self.posting = Posting::Ready(Arc::new(post));
        self
    }

    /// The same service, able to sweep with what `make` makes for each sweep anew.
    #[must_use]
    pub fn with_post_maker(mut self, make: Arc<PostMaker>) -> Self {
        self.posting = Posting::Maker(make);
        self
    }

    /// What a sweep would send with now. Its `Display` says where letters go.
    ///
    /// # Errors
    /// When nobody said where letters go, or what was said can't be used.
    pub async fn post(&self) -> Result<Arc<Post>> {
        match &self.posting {
            Posting::Ready(post) => Ok(post.clone()),
            Posting::Maker(make) => make().await.map(Arc::new).map_err(Error::Refused),
            Posting::Nowhere => Err(Error::Refused(
                "there is nowhere to send reminders to. Name a mail server or a directory in the settings, or one for \
                 this run with --mail-dir"
                    .into(),
            )),
        }
    }
}
