//! What a reminder says: three small texts, ours or an operator's own.
//!
//! A template is written in the language of Jinja (<https://docs.rs/minijinja>) and knows:
//!
//! | name | what |
//! |---|---|
//! | `count`, `keys`, `first` | how many keys, all of them (most urgent first), the first of them |
//! | `noun`, `nouns`, `label` | what all of them are called: token, API keys; `key`, `keys` if they differ; Token |
//! | `accounts`, `account_count` | "Acme", "Acme and Globex", "Acme and 2 other accounts"; how many accounts |
//! | `recipient` | the address that the mail goes to |
//! | `link`, `linked` | the page on which all of them are replaced, if it is one page; how many have such a page |
//! | `contact` | the mail address to ask about all of them, if it is one: answers go there too |
//! | `ask` | whom to ask, in words: that address, or each address with its products, or "the team that runs Acme Voice" |
//! | `overlap` | whether every one of them may work on for a while after a rotation |
//! | `subject` | the finished subject; not in `subject.txt` itself |
//!
//! and of each key: `name`, `account`, `account_slug`, `issuer`, `noun`, `label` (the noun with a capital letter),
//! `preview`, `id`, `expires`, `created`, `last_used` ("Tue 2026-12-01 14:00 UTC", or "never"), `expires_weekday` ("Tue"),
//! `expires_day` ("2026-12-01"), `expires_at`, `created_at`, `last_used_at` ("2026-12-01 14:00:05 UTC", or "never used"), `used`,
//! `days_left`, `within` ("in 7 days"), `when` ("expires in 7 days", "is revoked in 7 days"), `ends` (Expires, Revoked), `overlap`,
//! `link`, `contact` (its own; none if the policy names none).
//!
//! The filter `short(60)` cuts a text, `pad(11)` fills it up with blanks, and `[a, b] | beside([c, d], 24)` makes two columns of the
//! text mail, the left one so wide; each text is a line of its own, wrapped in its column, and empty ones are left out.
//!
//! A name that is not in this list is an error, found when the templates are loaded.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior};

use crate::domain::Instant;
use crate::domain::notice::Occasion;

mod context;
mod fold;
mod help;

/// The files that an operator may replace, each with our own text. What letters have in common is joined here and not included
/// by the templates, so that whoever begins with ours has all of it in one file.
const FILES: [(&str, &str); 3] = [
    (SUBJECT, include_str!("templates/subject.txt")),
    (TEXT, concat!(include_str!("templates/reminder.txt"), include_str!("templates/foot.txt"))),
    (
        HTML,
        concat!(
            include_str!("templates/head.html"),
            include_str!("templates/reminder.html"),
            include_str!("templates/foot.html")
        ),
    ),
];
/// What admins are told of their keys when somebody decides so: subject, text, HTML. Each has what a reminder's has, and:
/// `exposed`, `replaced`, `reason`, `working` (how many have not ended), `tried` (whether gates saw one after its end); of a key
/// `state` ("revoked on Tue 2026-12-01 14:00 UTC") in one and as `state_words` and `state_at`, and `tried`.
const NOTICE: [(&str, &str); 3] = [
    ("notice.subject.txt", include_str!("templates/notice.subject.txt")),
    ("notice.txt", concat!(include_str!("templates/notice.txt"), include_str!("templates/foot.txt"))),
    (
        "notice.html",
        concat!(
            include_str!("templates/head.html"),
            include_str!("templates/notice.html"),
            include_str!("templates/foot.html")
        ),
    ),
];
const SUBJECT: &str = "subject.txt";
const TEXT: &str = "reminder.txt";
const HTML: &str = "reminder.html";

/// The largest template, in bytes.
const LARGEST: u64 = 256 * 1024;
/// The most characters of a subject.
const SUBJECT_MAX: usize = 200;

/// What one reminder tells one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReminderMail {
    /// The bare address.
    pub recipient: String,
    pub now: Instant,
    /// Whom to ask about keys whose policy names nobody.
    pub contact: Option<String>,
    /// At least one; the most urgent first.
    pub keys: Vec<ReminderLine>,
}

/// A key in a letter. There is no secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLine {
    pub name: String,
    /// The account's name, as people write it.
    pub account: String,
    pub account_slug: String,
    /// The product's name, as people write it.
    pub issuer: String,
    /// "token" or "API key".
    pub noun: String,
    /// Prefix, dots, last four characters.
    pub preview: String,
    pub id: String,
    pub last_used_at: Option<Instant>,
    /// Where it is replaced, by the policy.
    pub link: Option<String>,
    /// Whom to ask, by the policy.
    pub contact: Option<String>,
}

/// A key in a reminder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReminderLine {
    pub key: KeyLine,
    pub expires_at: Instant,
    /// Whether it is revoked then, as somebody planned.
    pub planned: bool,
    pub created_at: Instant,
    /// Whether the old key may work on for a while after a rotation.
    pub rotation_overlap: bool,
}

/// What admins are told of some of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeMail {
    /// The bare address.
    pub recipient: String,
    pub occasion: Occasion,
    /// What whoever decided to tell adds to it.
    pub reason: Option<String>,
    /// Whom to ask about keys whose policy names nobody.
    pub contact: Option<String>,
    /// At least one.
    pub keys: Vec<NoticeLine>,
}

/// A key in such a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeLine {
    pub key: KeyLine,
    /// Its status, in a word.
    pub status: String,
    /// When it ended, if it has.
    pub ended_at: Option<Instant>,
    /// When it ends, if it is replaced.
    pub ends_at: Option<Instant>,
    /// What gates saw of it after its end, in words.
    pub tried: Option<String>,
}

impl KeyLine {
    /// Whom to ask about it: the policy's contact, or else this one.
    fn asked<'a>(&'a self, usual: Option<&'a str>) -> Option<&'a str> {
        self.contact.as_deref().or(usual)
    }
}

impl ReminderMail {
    /// Where answers go: to the contact that all keys of a letter have. Where they have several, an answer must not reach the
    /// wrong team: then the letterhead decides.
    pub fn reply_to(&self) -> Option<&str> {
        help::shared(self.keys.iter().map(|line| line.key.asked(self.contact.as_deref())))
    }
}

impl NoticeMail {
    /// As [`ReminderMail::reply_to`].
    pub fn reply_to(&self) -> Option<&str> {
        help::shared(self.keys.iter().map(|line| line.key.asked(self.contact.as_deref())))
    }
}

/// What a letter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// Lines of at most 76 columns, but for a link that is longer: broken, it would lead nowhere.
    pub text: String,
    pub html: String,
}

/// Why a template can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mail template {file}{}: {why}", line.map_or(String::new(), |line| format!(", line {line}")))]
pub struct TemplateError {
    /// Its path, or its bare name if it is one of our own.
    pub file: String,
    /// Counts from 1.
    pub line: Option<usize>,
    pub why: String,
}

/// The templates of a reminder. Clones share them.
#[derive(Clone, Debug)]
pub struct Templates {
    environment: Arc<Environment<'static>>,
    /// The file behind each of [`FILES`], for errors.
    files: [String; 3],
}

impl Templates {
    /// The names of the files that an operator may replace, each with our own text.
    pub fn files() -> [(&'static str, &'static str); 3] {
        FILES
    }

    /// Our own texts.
    ///
    /// # Errors
    /// Never with the texts as they are; a test renders them.
    pub fn embedded() -> Result<Self, TemplateError> {
        Self::compile(FILES.map(|(name, text)| (name.to_owned(), text.to_owned())))
    }

    /// An operator's own `subject.txt`, `reminder.txt` and `reminder.html`, each instead of ours if it is in `dir`. They are
    /// tried out at once on made-up keys, so that a mistake is found now and not at the next sweep.
    ///
    /// # Errors
    /// When `dir` holds none of the three or one can't be used; the error names the file and the line.
    pub fn load(dir: &Path) -> Result<Self, TemplateError> {
        let mut found = false;
        let mut sources = FILES.map(|(name, text)| (name.to_owned(), text.to_owned()));
        for source in &mut sources {
            let path = dir.join(&source.0);
            let refuse = |why: String| TemplateError { file: path.display().to_string(), line: None, why };
            match std::fs::metadata(&path) {
                Ok(file) if !file.is_file() => return Err(refuse("is no file".into())),
                Ok(file) if file.len() > LARGEST => {
                    return Err(refuse(format!("is larger than {LARGEST} bytes")));
                }
                Ok(_) => {
                    let text = std::fs::read_to_string(&path).map_err(|error| refuse(error.to_string()))?;
                    *source = (path.display().to_string(), text);
                    found = true;
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(refuse(error.to_string())),
            }
        }
        if !found {
            return Err(TemplateError {
                file: dir.display().to_string(),
                line: None,
                why: format!("this folder has none of {SUBJECT}, {TEXT} and {HTML}"),
            });
        }
        let templates = Self::compile(sources)?;
        for sample in context::samples() {
            templates.render(&sample)?;
        }
        Ok(templates)
    }

    /// Writes the reminder. The same input gives the same texts.
    ///
    /// # Errors
    /// When a template fails on this very input, or there is no key in it.
    pub fn render(&self, mail: &ReminderMail) -> Result<Rendered, TemplateError> {
        let links = context::links(mail.keys.iter().map(|line| line.key.link.as_deref()));
        self.written(FILES.map(|(name, _)| name), &links, mail.keys.is_empty(), |subject| {
            context::of(mail, subject)
        })
    }

    /// Writes what admins are told of their keys. The same input gives the same texts.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn notice(&self, mail: &NoticeMail) -> Result<Rendered, TemplateError> {
        let links = context::links(mail.keys.iter().map(|line| line.key.link.as_deref()));
        self.written(NOTICE.map(|(name, _)| name), &links, mail.keys.is_empty(), |subject| {
            context::notice(mail, subject)
        })
    }

    fn written(
        &self,
        [subject, text, html]: [&'static str; 3],
        links: &BTreeSet<String>,
        empty: bool,
        context: impl Fn(Option<&str>) -> minijinja::Value,
    ) -> Result<Rendered, TemplateError> {
        if empty {
            return Err(self.error(text, "there is no key to write about".into()));
        }
        let place = subject;
        let subject = self.fill(place, context(None))?;
        let subject = super::clean::line(&subject.split_whitespace().collect::<Vec<_>>().join(" "));
        if subject.is_empty() {
            return Err(self.error(place, "gives an empty subject".into()));
        }
        let subject = context::short(&subject, SUBJECT_MAX);
        let text = self.fill(text, context(Some(&subject)))?;
        let html = self.fill(html, context(Some(&subject)))?;
        Ok(Rendered {
            text: super::clean::body(&fold::fold(&text, links)),
            html: super::clean::body(&html),
            subject,
        })
    }

    /// Each with the file that it comes from, in the order of [`FILES`].
    fn compile(sources: [(String, String); 3]) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(
            SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().unwrap_or_default(),
        );
        environment.add_filter("short", |text: &str, most: usize| context::short(text, most));
        environment.add_filter("pad", fold::pad);
        environment.add_filter("beside", |left: Vec<String>, right: Vec<String>, width: usize| {
            fold::beside(&left, &right, width)
        });
        let files = sources.each_ref().map(|(file, _)| file.clone());
        for (i, (_, text)) in sources.into_iter().enumerate() {
            // Added under its bare name: its ending decides whether it is escaped as HTML.
            environment.add_template_owned(FILES[i].0, text).map_err(|error| said(&files[i], &error))?;
        }
        for (name, text) in NOTICE {
            environment.add_template(name, text).map_err(|error| said(name, &error))?;
        }
        Ok(Self { environment: Arc::new(environment), files })
    }

    fn fill(&self, name: &str, context: minijinja::Value) -> Result<String, TemplateError> {
        let template = self.environment.get_template(name);
        template.and_then(|template| template.render(context)).map_err(|error| said(self.file(name), &error))
    }

    /// The file behind a template: an operator's own, or our name for it.
    fn file<'a>(&'a self, name: &'a str) -> &'a str {
        let place = FILES.iter().position(|(own, _)| *own == name);
        place.map_or(name, |place| self.files[place].as_str())
    }

    fn error(&self, name: &str, why: String) -> TemplateError {
        TemplateError { file: self.file(name).to_owned(), line: None, why }
    }
}

/// The library's error, with the file's own name.
fn said(file: &str, error: &minijinja::Error) -> TemplateError {
    let why = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    TemplateError { file: file.to_owned(), line: error.line(), why: super::clean::words(&why) }
}

#[cfg(test)]
mod tests;
