//! `keyrack key edit`: what keys are, changed in place; their secrets stay.

use std::sync::Arc;

use clap::Args;

use super::super::failure::{Exit, Failure, Result};
use super::super::output::{Column, Record};
use super::super::session::{Session, insist};
use super::super::{prompt, say};
use super::decide::{self, Looks};
use super::receipt::Gates;
use super::record::short_id;
use super::which::{self, Chosen, Which};
use crate::domain::Instant;
use crate::domain::edit::{Edit, NewEnd, in_words, reaches_gates};
use crate::domain::key::KeyId;
use crate::domain::manifest::Manifest;
use crate::domain::network::Networks;
use crate::domain::owner::Tags;
use crate::domain::plan::{NewInstant, Part};
use crate::domain::text::thousands;
use crate::domain::when::Here;
use crate::service::{Edited, new_operation};

/// Keys whose differences are shown.
const SHOWN: usize = 20;

#[derive(Debug, Args)]
#[command(group = which::needed(&[]))]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// The new name
    #[arg(short, long, allow_hyphen_values = true)]
    name: Option<String>,
    /// The new description; empty removes it
    #[arg(short, long, allow_hyphen_values = true)]
    description: Option<String>,
    /// The person or team responsible for the key; empty removes the owner
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    /// The owner's mail address; empty removes it
    #[arg(long, value_name = "ADDRESS")]
    owner_mail: Option<String>,
    /// A tag to add; may be repeated
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    tag: Vec<String>,
    /// A tag to remove; may be repeated
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    untag: Vec<String>,
    /// A scope to add; may be repeated
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    add_scope: Vec<String>,
    /// A scope to remove; may be repeated
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    remove_scope: Vec<String>,
    /// A network to add to the allow-list; may be repeated. any: from anywhere
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    allow: Vec<String>,
    /// A network to remove from the allow-list, written as on the key; may be repeated
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    disallow: Vec<String>,
    /// When the key expires: never, 90d, 2027-01-31, …; +90d: that much later than now planned
    #[arg(short, long, value_name = "WHEN", allow_hyphen_values = true)]
    expires: Option<String>,
    /// When the key starts to work: 3h, tomorrow, 2027-01-31 09:00, …; +3h: that much later than now planned;
    /// none: immediately. Until then it is refused
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    not_before: Option<String>,
    /// When the key is revoked automatically, which can't be undone from then on: 7d, friday, 2027-01-31 18:00,
    /// …; +7d: that much later than now planned; none: cancel it
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    revoke_at: Option<String>,
}

impl Arguments {
    fn edit(&self, here: Here) -> Result<Edit> {
        let usage = |flag: &str, error: &dyn std::fmt::Display| Failure::usage(format!("{flag}: {error}"));
        let anywhere = self.allow.iter().any(|net| net.eq_ignore_ascii_case("any"));
        if anywhere && (self.allow.len() > 1 || !self.disallow.is_empty()) {
            return Err(Failure::usage("--allow any stands for every network: leave the others out"));
        }
        let nets = |flag: &str, nets: &[String]| {
            Networks::parse(&nets.join(" ")).map_err(|error| usage(flag, &error))
        };
        let tags = |flag: &str, tags: &[String]| Tags::checked(tags).map_err(|error| usage(flag, &error));
        let expires = self.expires.as_deref().map(|text| NewEnd::parse(text, here)).transpose();
        let planned = |flag: &str, part: Part, text: &Option<String>| {
            let new = text.as_deref().map(|text| part.read_new(text, here)).transpose();
            new.map_err(|error| usage(flag, &error))
        };
        let edit = Edit {
            name: self.name.clone(),
            description: self.description.clone(),
            owner: self.owner.clone(),
            owner_mail: self.owner_mail.clone(),
            tag: tags("--tag", &self.tag)?,
            untag: tags("--untag", &self.untag)?,
            add_scopes: self.add_scope.iter().cloned().collect(),
            remove_scopes: self.remove_scope.iter().cloned().collect(),
            allow: if anywhere { Networks::default() } else { nets("--allow", &self.allow)? },
            disallow: nets("--disallow", &self.disallow)?,
            anywhere,
            expires: expires.map_err(|error| usage("--expires", &error))?,
            not_before: planned("--not-before", Part::NotBefore, &self.not_before)?,
            revoke_at: planned("--revoke-at", Part::RevokeAt, &self.revoke_at)?,
            plan_reason: None,
        };
        if let Some(twice) = edit.twice() {
            return Err(Failure::usage(format!("{twice} can't be both added and removed: name it once")));
        }
        if edit.is_empty() {
            return Err(Failure::usage(
                "say what to change, for example --owner \"Data team\" or --expires +90d",
            ));
        }
        Ok(edit)
    }
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let edit = arguments.edit(session.here(service.now().await?))?;
    edit_these(&arguments.which, &edit, "Edit", session).await
}

/// Plans the revocation of keys.
pub async fn revoke_at(which: &Which, when: &str, reason: Option<String>, session: &Session) -> Result {
    let here = session.here(session.service().await?.now().await?);
    let at = Part::RevokeAt.read(when, here).map_err(|error| Failure::usage(format!("--at: {error}")))?;
    let edit = Edit { revoke_at: Some(NewInstant::To(Some(at))), plan_reason: reason, ..Edit::default() };
    let question = format!("At {}, revoke", here.zone.exact(at));
    edit_these(which, &edit, &question, session).await
}

async fn edit_these(which: &Which, edit: &Edit, question: &str, session: &Session) -> Result {
    let service = session.service().await?;
    let mut chosen = which.choose(service, session).await?;
    chosen.remark_parts(session);
    let mut looks = Looks::default();
    loop {
        let now = service.now().await?;
        which.narrow(&mut chosen, |key| !key.has_ended(now));
        let done = decide_and_do(which, edit, question, &chosen, session, now).await;
        match looks.again(done, chosen, which, service, session).await? {
            Some(others) => chosen = others,
            None => return Ok(()),
        }
    }
}

async fn decide_and_do(
    which: &Which,
    edit: &Edit,
    question: &str,
    chosen: &Chosen,
    session: &Session,
    now: Instant,
) -> Result {
    let (service, ids) = (session.service().await?, chosen.ids());
    if ids.is_empty() {
        session.outcome().list::<Edited>(&[], now)?;
        session.remark("No matching key can be edited. Nothing was changed.");
        return Ok(());
    }
    let shown = decide::shown(chosen, which, session, now);
    if session.global.dry_run || prompt::must_ask(&session.global) {
        // Nobody is asked about what is refused anyway.
        let (trying, operation) = (service.trying(), new_operation());
        let tried = insist(|| trying.edit_keys(operation, &ids, edit.clone(), shown.clone())).await?;
        if session.global.dry_run || prompt::can_ask(&session.global) {
            review(&tried);
        }
        if session.global.dry_run {
            session.outcome().list(&tried, now)?;
            let changed = tried.iter().filter(|one| !one.changed.is_empty()).count();
            say(&format!("Would edit {changed} of {}. Nothing was changed.", chosen.words()));
            return Ok(());
        }
    }
    if !decide::sure(chosen, &format!("{question} {}", chosen.words()), session).await? {
        return Err(Failure::new(Exit::Failure, "nothing was edited"));
    }
    carry_out(edit, &ids, shown, session).await
}

/// The differences, with what lets a key do more marked.
fn review(tried: &[Edited]) {
    for one in tried.iter().filter(|one| !one.changed.is_empty()).take(SHOWN) {
        say(&format!("  {}  {:?}  account {}", one.key.preview, one.key.name.as_str(), one.key.account));
        for line in lines(one) {
            say(&format!("    {line}"));
        }
    }
    let more = tried.iter().filter(|one| !one.changed.is_empty()).count().saturating_sub(SHOWN);
    if more > 0 {
        say(&format!("  … and {} more", thousands(more as u64)));
    }
}

/// `expires_at: never → 2027-01-31T00:00:00Z`, one a field.
fn lines(one: &Edited) -> Vec<String> {
    let line = |(field, pair): (&String, &serde_json::Value)| {
        let wider = if one.widened.contains(&field.as_str()) { "  (can do more than before)" } else { "" };
        format!("{field}: {} → {}{wider}", in_words(field, &pair[0]), in_words(field, &pair[1]))
    };
    one.changed.iter().map(line).collect()
}

/// All of them or none.
async fn carry_out(edit: &Edit, ids: &[KeyId], shown: Option<Arc<Manifest>>, session: &Session) -> Result {
    let service = session.service().await?;
    if let Some(why) = service.only_reads() {
        return Err(Failure::new(Exit::Failure, why));
    }
    let operation = new_operation();
    let edited = insist(|| service.edit_keys(operation, ids, edit.clone(), shown.clone())).await?;
    // What no gate decides by needs no gate's word.
    let hard: Vec<KeyId> =
        edited.iter().filter(|one| reaches_gates(&one.changed)).map(|one| one.key.id).collect();
    let mut gates = Gates::of("edit");
    if !hard.is_empty() {
        gates.ask(&hard, service).await;
    }
    let now = service.now().await.unwrap_or_else(|_| session.clock.now());
    let printed = session.outcome().list(&edited, now);
    let changed = edited.iter().filter(|one| !one.changed.is_empty()).count();
    let disallows = !edit.disallow.is_empty();
    let rest = Edit { revoke_at: None, plan_reason: None, ..edit.clone() };
    let only_planned = matches!(edit.revoke_at, Some(NewInstant::To(Some(_)))) && rest.is_empty();
    session.remark(&match changed {
        0 if disallows => "Nothing was changed: no list has such an entry. An address within an allowed network can't be taken \
                           out of it: name the networks that stay with --allow, and take the wide one out."
            .to_owned(),
        0 => "Nothing was changed: it is already so.".to_owned(),
        many if only_planned => {
            let are = if many == 1 { "One key is".to_owned() } else { format!("{} keys are", thousands(many as u64)) };
            format!("{are} revoked then, unless that is cancelled before: keyrack key edit --revoke-at none")
        }
        1 => "One key was edited.".to_owned(),
        many => format!("{} keys were edited.", thousands(many as u64)),
    });
    if !hard.is_empty() {
        gates.tell(session);
    }
    printed?;
    gates.verdict()
}

impl Record for Edited {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("ID", 1, "id", |one, _| one.key.id.to_string().into())
            .cell(|one, look| if look.wide { one.key.id.to_string() } else { short_id(&one.key) }),
        Column::<Self>::new("CHANGED", 2, "changed", |one, _| {
            serde_json::Value::from(one.changed.clone()).into()
        })
        .cell(|one, _| lines(one).join("; ")),
    ];
}
