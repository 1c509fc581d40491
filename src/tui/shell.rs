//! What screens and overlays share, and how they reach beyond themselves: by commands that `update` carries out.

use std::path::PathBuf;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use ratatui::layout::Size;

use super::effect::{Effect, Failure, FailureKind, Outcomes, Request, RequestId, Timer, To, Unanswered};
use super::fields::Field;
use super::kept::Kept;
use super::log::Logged;
use super::opening::{Made, Opening};
use super::styles::Styles;
use super::sweep_state::Sweeping;
pub use super::toast::{Holds, Toast};
use super::tracked::Tracked;
use super::undo::Undos;
use super::words::{Copied, ExitReason, ScreenId, Severity, lacking};
use crate::clock::zone;
use crate::config::keymap::{Action, Keymap};
use crate::config::theme::Theme;
use crate::domain::Instant;
use crate::domain::approval::Approval;
use crate::domain::history::{History, Undone};
use crate::domain::hold::Hold;
use crate::domain::issuer::{Issuer, Wording};
use crate::domain::key::{KeyId, OperationId};
use crate::domain::operator::{self, Permission};
use crate::domain::query::Sort;
use crate::domain::secret::{Kind, search};
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;
use crate::domain::when::Here;
use crate::service::{Outbox, Whither, Whoami};

/// Bytes of a text that are searched for secrets while nobody waits for that.
const LOOKED_AT: usize = 16 * 1024;

/// What screens and overlays share.
#[derive(Debug)]
pub struct Shell {
    /// The present, set by the loop before each message.
    pub now: Instant,
    pub size: Size,
    pub styles: Styles,
    pub keymap: Keymap,
    /// The theme's name.
    pub theme: String,
    /// Where the person's own themes are.
    pub themes: Option<PathBuf>,
    pub mouse: bool,
    /// The columns of the table of keys, where somebody chose them.
    pub columns: Option<Vec<Field>>,
    /// What is saved of the settings, and what is new in them.
    pub kept: Kept,
    /// Whether times are shown as "3d ago".
    pub relative_times: bool,
    /// Whether times are shown in UTC instead of this machine's zone.
    pub utc: bool,
    /// Whether the console draws its own signs in ASCII.
    pub ascii: bool,
    /// Where the database is, without a password. Empty until it is open.
    pub database: SafeText,
    /// `None` until the database has answered.
    pub who: Option<Whoami>,
    /// `None` until the database has answered. By slug.
    pub issuers: Option<Vec<Issuer>>,
    /// `None` until the database has answered.
    pub outbox: Option<Outbox>,
    /// Where mail goes, or why it can't. `None` until that was asked.
    pub post: Option<Outcomes<Whither>>,
    /// How many alerts nobody has acknowledged. `None` until the database has answered.
    pub alerts: Option<u64>,
    /// Freezes and stops of creation that held when they were read.
    pub holds: Vec<Hold>,
    /// What waits for a second person.
    pub approvals: Vec<Approval>,
    /// How the database stands beside what this machine remembers of it.
    pub history: History,
    /// The revocations that a restored backup undid.
    pub undone: Vec<Undone>,
    /// The sweep that was started here last.
    pub sweep: Option<Sweeping>,
    /// What the gates say to revocations that were made here; the newest last.
    pub receipts: Vec<Tracked>,
    /// What was sent to be changed and is not answered yet.
    pub unanswered: Vec<(RequestId, Unanswered)>,
    /// The person wants to leave as soon as the sweep has ended, or what was sent is answered.
    pub leaving: Option<ExitReason>,
    pub link: Link,
    pub toast: Option<Toast>,
    /// The screen that is shown.
    pub screen: ScreenId,
    /// Whether the change at hand was made here, or asked for: what shows it is read without a pause.
    pub at_once: bool,
    /// Whether a frame is due.
    pub redraw: bool,
    /// Whether the database was named to this program, so that a command has to name it too.
    pub named: bool,
    /// The filter that several keys were chosen by, all that it fits, and these keys.
    pub whole: Option<(String, Vec<KeyId>)>,
    /// What was done here and can be undone.
    pub undo: Undos,
    /// What was changed here and answered, the newest last.
    pub log: Vec<Logged>,
    /// Whether a new database's admin was offered an issuer.
    pub welcomed: bool,
    commands: Vec<Command>,
    number: u64,
    random: StdRng,
}

/// How the console stands with its database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    Opening,
    Live,
    /// Gone since this instant; the reason in words.
    Lost {
        since: Instant,
        why: SafeText,
    },
}

/// What a screen or an overlay wants changed outside of itself.
#[derive(Debug, PartialEq)]
pub(super) enum Command {
    Open(Opening),
    Close,
    Show(ScreenId, String),
    /// By its number.
    Tab(usize),
    /// The same, of the table of keys.
    TabOfKeys(usize),
    Sort(Sort),
    Changed(Subjects),
    Made(Made),
    Act(Action),
    Quit(ExitReason),
}

impl Shell {
    /// `seed` makes the operation ids: 32 random bytes.
    pub fn new(now: Instant, size: Size, styles: Styles, keymap: Keymap, seed: [u8; 32]) -> Self {
        Self {
            now,
            size,
            styles,
            keymap,
            theme: "dark".to_owned(),
            themes: None,
            mouse: false,
            columns: None,
            kept: Kept::default(),
            relative_times: true,
            utc: false,
            ascii: false,
            database: SafeText::default(),
            who: None,
            issuers: None,
            outbox: None,
            alerts: None,
            post: None,
            holds: Vec::new(),
            approvals: Vec::new(),
            history: History::default(),
            undone: Vec::new(),
            sweep: None,
            receipts: Vec::new(),
            unanswered: Vec::new(),
            leaving: None,
            link: Link::Opening,
            toast: None,
            screen: ScreenId::Keys,
            at_once: false,
            redraw: true,
            named: false,
            whole: None,
            undo: Undos::default(),
            log: Vec::new(),
            welcomed: false,
            commands: Vec::new(),
            number: 0,
            random: StdRng::from_seed(seed),
        }
    }

    /// A number that nothing else has: for an overlay, a receipt.
    pub fn number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// What days and spans are counted from.
    pub fn here(&self) -> Here {
        Here { now: self.now, zone: zone(self.utc) }
    }

    pub fn request_id(&mut self, to: To) -> RequestId {
        RequestId { to, number: self.number() }
    }

    /// An effect that asks the worker, and the id that the answer will carry.
    pub fn ask(&mut self, to: To, request: Request) -> (RequestId, Effect) {
        let id = self.request_id(to);
        self.unanswered.extend(request.changes().map(|change| (id, change)));
        (id, Effect::Ask { to: id, request })
    }

    /// Takes note of an answer; what it changes, where it is one to a change.
    pub fn hears(&mut self, id: RequestId) -> Option<Unanswered> {
        let place = self.unanswered.iter().position(|(own, _)| *own == id)?;
        Some(self.unanswered.remove(place).1)
    }

    /// A new identity for a wish to change something. Keep it for retries of the same wish.
    pub fn operation(&mut self) -> OperationId {
        let mut bytes = [0; 16];
        self.random.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Puts an overlay on top once the present input is dealt with, or says why not.
    pub fn open(&mut self, opening: Opening) {
        self.commands.push(Command::Open(opening));
    }

    /// Does what a key would do, once the present input is dealt with: for the palette.
    pub fn act(&mut self, action: Action) {
        self.commands.push(Command::Act(action));
    }

    /// Takes the topmost overlay away.
    pub fn close(&mut self) {
        self.commands.push(Command::Close);
    }

    /// Shows the keys that a filter fits.
    pub fn filter(&mut self, filter: impl Into<String>) {
        self.show(ScreenId::Keys, filter);
    }

    /// Shows the rows of a screen that a filter fits.
    pub fn show(&mut self, screen: ScreenId, filter: impl Into<String>) {
        self.commands.push(Command::Show(screen, filter.into()));
    }

    /// Opens a tab of the screen that is shown, by its number.
    pub fn tab(&mut self, tab: usize) {
        self.commands.push(Command::Tab(tab));
    }

    /// The same, of the table of keys.
    pub fn tab_of_keys(&mut self, tab: usize) {
        self.commands.push(Command::TabOfKeys(tab));
    }

    /// Shows the reminders that a filter fits.
    pub fn reminders(&mut self, filter: impl Into<String>) {
        self.show(ScreenId::Reminders, filter);
    }

    /// Sorts the table of keys.
    pub fn sort(&mut self, sort: Sort) {
        self.commands.push(Command::Sort(sort));
    }

    /// Something of these kinds was changed here: what shows it is read again.
    pub fn changed(&mut self, subjects: Subjects) {
        self.commands.push(Command::Changed(subjects));
    }

    /// Something new was made here: the cursor of its list goes to it.
    pub fn made(&mut self, made: Made) {
        self.commands.push(Command::Made(made));
    }

    /// Whether a sweep of this console goes on.
    pub fn sweeps(&self) -> bool {
        self.sweep.as_ref().is_some_and(Sweeping::running)
    }

    /// The receipt of this number, where there are gates or may be.
    pub fn receipt(&self, number: u64) -> Option<&Tracked> {
        self.receipts.iter().find(|one| one.number == number && !one.without_gates())
    }

    pub fn quit(&mut self, reason: ExitReason) {
        self.commands.push(Command::Quit(reason));
    }

    /// Takes in what is frozen or stopped now, and has it looked at again when the first of it is over.
    pub fn hold(&mut self, holds: Vec<Hold>) -> Option<Effect> {
        self.holds = holds;
        let ends = self.holds.iter().filter(|hold| hold.holds(self.now)).map(|hold| hold.pause.until);
        let after = (ends.min()? - self.now).to_std().unwrap_or_default();
        Some(Effect::SetTimer { timer: Timer::Holds, after })
    }

    /// Whether something is asked of `update`.
    pub(super) fn has_commands(&self) -> bool {
        !self.commands.is_empty()
    }

    pub(super) fn take_commands(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    /// Shows a message in the last line for a while.
    pub fn toast(&mut self, severity: Severity, text: impl Into<SafeText>) {
        let holds = if severity == Severity::Info { Holds::Gesture } else { Holds::Ever };
        self.toast_until(holds, severity, text);
    }

    /// The same, of what is so only until then.
    pub fn toast_until(&mut self, holds: Holds, severity: Severity, text: impl Into<SafeText>) {
        self.toast = Some(Toast { severity, text: text.into(), holds });
        self.redraw = true;
    }

    /// What the message in the last line says is so no longer, where it holds until this.
    pub fn no_longer(&mut self, until: &[Holds]) {
        self.redraw |= self.toast.take_if(|toast| until.contains(&toast.holds)).is_some();
    }

    /// Shows why something was not done.
    pub fn failed(&mut self, failure: &Failure) {
        let bad = matches!(failure.kind, FailureKind::Unconfirmed | FailureKind::Replaced);
        let severity = if bad { Severity::Bad } else { Severity::Warning };
        self.toast(severity, failure.text.clone());
    }

    /// Draws with another theme from now on.
    pub fn wear(&mut self, theme: &Theme) {
        self.styles = Styles::new(theme);
        self.theme.clone_from(&theme.name);
    }

    /// Shows what happened to the clipboard.
    pub fn copied(&mut self, copied: &Copied) {
        let severity = if copied.reached { Severity::Good } else { Severity::Warning };
        self.toast(severity, copied.words.clone());
    }

    pub fn role(&self) -> Option<operator::Role> {
        self.who.as_ref().and_then(|who| who.role)
    }

    /// Whether the operator may do this. The service decides again; this is for showing what is possible.
    pub fn may(&self, permission: Permission) -> bool {
        self.role().is_some_and(|role| role.permits(permission))
    }

    /// Like [`Self::may`], and says so in the last line if not.
    pub fn refuse_unless(&mut self, permission: Permission, what: &str) -> bool {
        if self.may(permission) {
            return true;
        }
        let text = match self.role() {
            Some(role) => lacking(role, permission, what),
            None if self.who.is_none() => {
                "who you are is still being read from the database: try again in a moment".to_owned()
            }
            None => "you have no role on this database: ask an admin for one".to_owned(),
        };
        self.toast_until(Holds::Answer, Severity::Warning, text);
        false
    }

    /// Whether a text has a secret in it, or the most of one: it is neither looked for as words nor kept.
    /// Of a long text only the beginning is looked at: no field takes more of it.
    pub fn holds_secret(&self, text: &str) -> bool {
        let policies = self.issuers.iter().flatten().map(|issuer| &issuer.policy);
        search(&text.as_bytes()[..text.len().min(LOOKED_AT)], policies)
            .iter()
            .any(|finding| !matches!(finding.kind, Kind::Preview(_)))
    }

    /// Whether a text has a prefix of ours in it that something follows.
    pub fn begins_secret(&self, text: &str) -> bool {
        let mut prefixes = self.issuers.iter().flatten().flat_map(|issuer| issuer.policy.format.prefixes());
        prefixes.any(|prefix| {
            let mut behind = text.match_indices(prefix).map(|(at, _)| &text[at + prefix.len()..]);
            behind.any(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
        })
    }

    pub fn issuer(&self, slug: &str) -> Option<&Issuer> {
        self.issuers.as_ref()?.iter().find(|issuer| issuer.slug == slug)
    }

    /// The words for keys where no one issuer is meant: those of the only issuer, or the common ones.
    pub fn wording(&self) -> Wording {
        match self.issuers.as_deref() {
            Some([only]) => only.policy.wording.clone(),
            _ => Wording::default(),
        }
    }
}
