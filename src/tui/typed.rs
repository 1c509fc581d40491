//! The command that does the same as the console would: for a shell, without any secret in it.

use super::effect::{HoldRequest, Request, RotationRequest};
use super::shell::Shell;
use crate::domain::account::Standing;
use crate::domain::edit::Edit;
use crate::domain::expiry::Overlap;
use crate::domain::key::KeyId;
use crate::domain::network::Networks;
use crate::domain::notice::Occasion;
use crate::domain::owner::Owner;
use crate::domain::pause::Lasting;
use crate::domain::when::Span;
use crate::service::{
    ChangeAccount, CreateAccount, CreateKey, Decision, ExportForm, HoldTarget, PauseOrder, Place, RevokeKeys,
};

#[cfg(test)]
mod tests;

/// So many ids stand in the command itself; more are its input.
const FEW: usize = 40;

/// A command of the program, word by word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    pub words: Vec<String>,
    /// What it reads on standard input, line by line.
    pub lines: Vec<String>,
}

impl Typed {
    /// Words without blanks in them.
    pub fn new(words: &str) -> Self {
        Self { words: words.split(' ').map(str::to_owned).collect(), lines: Vec::new() }
    }

    #[must_use]
    pub fn word(mut self, word: impl Into<String>) -> Self {
        self.words.push(word.into());
        self
    }

    /// An option, unless its value is empty.
    #[must_use]
    pub fn option(self, name: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        if value.is_empty() { self } else { self.word(format!("{name}={value}")) }
    }

    #[must_use]
    fn each(self, name: &str, values: impl IntoIterator<Item = String>) -> Self {
        values.into_iter().fold(self, |typed, value| typed.option(name, value))
    }

    /// Names keys: by their ids, or by the filter that they were chosen with.
    #[must_use]
    pub fn keys(mut self, shell: &Shell, ids: &[KeyId]) -> Self {
        if let Some((filter, chosen)) = &shell.whole
            && chosen.as_slice() == ids
        {
            return self.option("--filter", filter);
        }
        let ids = ids.iter().map(KeyId::to_string);
        if ids.len() > FEW {
            self.lines = ids.collect();
            return self.option("--ids-from", "-");
        }
        self.words.extend(ids);
        self
    }

    /// What does the same as this request; `None` where no command does.
    pub fn of(request: &Request, shell: &Shell) -> Option<Self> {
        Some(match request {
            Request::Try(request) => return Self::of(request, shell),
            Request::Page(page) => Self::new("key list")
                .option("--filter", page.query.to_string())
                .option("--sort", page.sort.to_string()),
            Request::Key(id) | Request::Trail(id) => Self::new("key show").word(id.to_string()),
            Request::Reach(ids) => Self::new("key reach").keys(shell, ids),
            Request::Export { keys, form, .. } => {
                let form = if *form == ExportForm::Csv { "csv" } else { "ndjson" };
                Self::new("key list --limit=0").option("--output", form).keys(shell, keys)
            }
            Request::Find(_) | Request::FindInFile(_) => Self::new("key find"),
            Request::Read(..) => Self::new("explain"),
            Request::Create(request) => created(request),
            Request::Edit { keys, edit, .. } => edited(edit).keys(shell, keys),
            Request::Acknowledge { key, .. } => Self::new("key acknowledge").word(key.to_string()),
            Request::Revoke { request: RevokeKeys { keys, reason, .. }, .. } => Self::new("key revoke")
                .option("--reason", reason.as_deref().unwrap_or_default())
                .keys(shell, keys),
            Request::RevokeAgain { reason, .. } => {
                Self::new("key revoke --undone").option("--reason", reason.as_deref().unwrap_or_default())
            }
            Request::Undone => Self::new("audit undone"),
            Request::AcceptHistory(_) => Self::new("audit accept"),
            Request::Decide(_, n, decision) => match decision {
                Decision::Approve => Self::new("approval approve").word(n.to_string()),
                Decision::Decline => Self::new("approval decline").word(n.to_string()),
                Decision::Override(reason) => {
                    Self::new("approval override").option("--reason", reason).word(n.to_string())
                }
            },
            Request::Rotate { key, overlap, expiry, .. } => Self::new("key rotate")
                .option("--overlap", overlap.as_str())
                .option("--expires", expiry.map(|expiry| expiry.to_string()).unwrap_or_default())
                .word(key.to_string()),
            Request::Rotation(request) => rotation(request, shell),
            Request::Pause(request) => paused(request.order.as_ref()).keys(shell, &request.keys),
            Request::Hold(request) => held(request),
            Request::Lift { n, .. } => Self::new("freeze lift").word(n.to_string()),
            Request::SetLimits { key, limits, .. } if limits.is_empty() => {
                Self::new("key limit --clear").word(key.to_string())
            }
            Request::SetLimits { key, limits, .. } => {
                let budgets = limits.as_slice().iter().map(ToString::to_string);
                budgets.fold(Self::new("key limit").word(key.to_string()), Self::word)
            }
            Request::Accounts { filter, .. } => Self::new("account list").option("--filter", filter),
            Request::Account(slug) => Self::new("account show").word(slug),
            Request::CreateAccount { request, .. } => account(request),
            Request::ChangeAccount { account, change, .. } => changed(account, change),
            Request::SetStanding { account, standing, .. } => {
                let verb = if *standing == Standing::Good { "reinstate" } else { "suspend" };
                Self::new("account").word(verb).word(account)
            }
            Request::Issuers => Self::new("issuer list"),
            Request::Hygiene => Self::new("hygiene"),
            Request::Overview(_) => Self::new("status"),
            Request::ApplyPolicy { policy, .. } => Self::new("issuer add").word(&policy.slug),
            Request::Alerts(request) => {
                let list = if request.open { "alerts list" } else { "alerts list --all" };
                Self::new(list)
                    .option("--account", request.account.as_deref().unwrap_or_default())
                    .option("--key", request.key.map(|key| key.to_string()).unwrap_or_default())
            }
            Request::AcknowledgeAlerts { alerts, .. } => {
                alerts.iter().map(ToString::to_string).fold(Self::new("alerts ack"), Self::word)
            }
            Request::Operators => Self::new("operator list"),
            Request::SetOperator { name, role, .. } => {
                Self::new("operator set").word(name).word(role.as_str())
            }
            Request::RemoveOperator { name, .. } => Self::new("operator remove").word(name),
            Request::Leave { leave, .. } => {
                Self::new("operator leave").word(&leave.name).option("--give-to", &leave.to)
            }
            Request::Audit(_) => Self::new("audit list"),
            Request::VerifyAudit => Self::new("audit verify"),
            Request::Reminders(_) => Self::new("reminders list"),
            Request::RetryReminders { reminders, .. } => {
                reminders.iter().map(ToString::to_string).fold(Self::new("reminders retry"), Self::word)
            }
            Request::Tell(tell) => {
                let typed =
                    Self::new("key tell").option("--reason", tell.reason.as_deref().unwrap_or_default());
                let typed = match tell.occasion {
                    Occasion::Exposed => typed.word("--exposed"),
                    Occasion::Replaced => typed.word("--replaced"),
                    Occasion::AfterEnd => typed,
                };
                typed.keys(shell, &tell.keys)
            }
            Request::Incident(_) => Self::new("incident report"),
            Request::PreviewSweep(_) => Self::new("reminders sweep --dry-run"),
            _ => return None,
        })
    }

    /// As it is typed into a shell. `database`: where the console was told to look.
    pub fn line(&self, database: Option<&str>) -> String {
        let database = database.map(|place| format!("--db={place}"));
        let words = std::iter::once("keyrack").chain(self.words.iter().map(String::as_str));
        let words: Vec<String> = words.chain(database.as_deref()).map(quoted).collect();
        let mut line = words.join(" ");
        if !self.lines.is_empty() {
            // Ids have nothing in them that a shell would change.
            line.push_str(&format!(" <<'END'\n{}\nEND\n", self.lines.join("\n")));
        }
        line
    }
}

fn rotation(request: &RotationRequest, shell: &Shell) -> Typed {
    match request {
        RotationRequest::Page(page) => Typed::new("rotation list").option("--filter", page.query.to_string()),
        RotationRequest::Close { order, .. } => Typed::new("rotation close")
            .option("--reason", order.reason.as_deref().unwrap_or_default())
            .keys(shell, &order.keys),
        RotationRequest::Extend { order, .. } => Typed::new("rotation extend")
            .option("--by", Span::from(order.by).to_string())
            .keys(shell, &order.keys),
        RotationRequest::Rotate { order, place, .. } => {
            let option = if matches!(place, Place::Env(_)) { "--out-env" } else { "--out-dir" };
            Typed::new("key rotate")
                .option("--overlap", order.overlap.map_or("", Overlap::as_str))
                .option("--expires", order.expiry.map(|expiry| expiry.to_string()).unwrap_or_default())
                .option(option, place.path().display().to_string())
                .keys(shell, &order.keys)
        }
    }
}

fn paused(order: Option<&PauseOrder>) -> Typed {
    match order {
        Some(order) => lasting(Typed::new("key pause"), order),
        None => Typed::new("key resume"),
    }
}

fn held(request: &HoldRequest) -> Typed {
    let typed = match &request.target {
        HoldTarget::Keys(query) => Typed::new("freeze add").option("--filter", query.to_string()),
        HoldTarget::Creation { account, issuer } => Typed::new("creation stop")
            .option("--account", account.as_deref().unwrap_or_default())
            .option("--issuer", issuer.as_deref().unwrap_or_default()),
    };
    lasting(typed, &request.order)
}

/// For how long, and what is said of it.
fn lasting(typed: Typed, order: &PauseOrder) -> Typed {
    let typed = match order.lasting {
        Lasting::For(span) => typed.option("--for", span.to_string()),
        Lasting::Until(at) => typed.option("--until", at.to_rfc3339()),
    };
    typed
        .option("--message", order.message.as_deref().unwrap_or_default())
        .option("--reason", order.reason.as_deref().unwrap_or_default())
}

fn created(request: &CreateKey) -> Typed {
    Typed::new("key create")
        .option("--account", &request.account)
        .option("--name", &request.name)
        .option("--description", &request.description)
        .each("--scope", request.scopes.iter().map(str::to_owned))
        .option("--expires", request.expiry.to_string())
        .each("--allow", request.allow.as_slice().iter().map(ToString::to_string))
        .option("--owner", request.owner.as_ref().map(|owner| owner.name.to_string()).unwrap_or_default())
        .option("--owner-mail", mail_of(request.owner.as_ref()))
        .each("--tag", request.tags.iter().map(str::to_owned))
        .each("--budget", request.limits.as_slice().iter().map(ToString::to_string))
}

fn mail_of(owner: Option<&Owner>) -> String {
    owner.and_then(|owner| owner.mail.as_ref()).map(ToString::to_string).unwrap_or_default()
}

fn edited(edit: &Edit) -> Typed {
    // An empty text takes something away: it is told, too.
    let told = |typed: Typed, name: &str, value: &Option<String>| match value {
        Some(value) => typed.word(format!("{name}={value}")),
        None => typed,
    };
    let texts = [
        ("--name", &edit.name),
        ("--description", &edit.description),
        ("--owner", &edit.owner),
        ("--owner-mail", &edit.owner_mail),
    ];
    let typed =
        texts.into_iter().fold(Typed::new("key edit"), |typed, (name, value)| told(typed, name, value));
    let nets = |nets: &Networks| nets.as_slice().iter().map(ToString::to_string).collect::<Vec<_>>();
    typed
        .each("--tag", edit.tag.iter().map(str::to_owned))
        .each("--untag", edit.untag.iter().map(str::to_owned))
        .each("--add-scope", edit.add_scopes.iter().map(str::to_owned))
        .each("--remove-scope", edit.remove_scopes.iter().map(str::to_owned))
        .each("--allow", nets(&edit.allow))
        .each("--disallow", nets(&edit.disallow))
        .option("--allow", if edit.anywhere { "any" } else { "" })
        .option("--expires", edit.expires.map(|end| end.to_string()).unwrap_or_default())
}

fn account(request: &CreateAccount) -> Typed {
    Typed::new("account create")
        .option("--issuer", &request.issuer)
        .option("--slug", &request.slug)
        .option("--name", &request.name)
        .each("--admin", request.admins.iter().cloned())
        .option("--plan", request.plan.as_deref().unwrap_or_default())
}

fn changed(account: &str, change: &ChangeAccount) -> Typed {
    let typed = Typed::new("account change")
        .word(account)
        .option("--name", change.name.as_deref().unwrap_or_default())
        .each("--admin", change.admins.iter().flatten().cloned());
    match &change.plan {
        None => typed,
        Some(None) => typed.word("--no-plan"),
        Some(Some(plan)) => typed.option("--plan", plan),
    }
}

/// A word as a shell takes it: as it is where nothing in it means anything, else in single quotes. What no line of a
/// terminal should hold is left out.
fn quoted(word: &str) -> String {
    let word: String = word.chars().filter(|c| !c.is_control()).collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
