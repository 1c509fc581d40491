//! A database that went back, as commands tell of it: a warning before anything else, the list of what is undone, the
//! decision to leave it at that.

use std::path::Path;

use super::failure::{Exit, Failure, Result};
use super::output::{Column, Record, Tone};
use super::session::Session;
use super::{prompt, say};
use crate::domain::Instant;
use crate::domain::history::{Undoing, Undone};
use crate::domain::key::{KeyId, Status};
use crate::service::{Service, UndoneList, new_operation};

/// `keyrack audit undone`: a check that fails while something is gone that nobody has decided about.
pub async fn list(from: Option<&Path>, service: &Service, session: &Session) -> Result {
    let list = service.undone(from).await?;
    let now = service.now().await?;
    session.printer().list(&list.undone, now)?;
    tell(&list, session).await;
    let alarm = service.history().await?.alarm(session.zone());
    match (alarm, list.keys().count()) {
        (Some(alarm), _) => Err(Failure::check(alarm)),
        (None, 0) => Ok(()),
        (None, undone) => Err(Failure::check(Undoing(undone).to_string())),
    }
}

/// Where something is gone: says of these keys that they were revoked, and that this is undone.
pub async fn recall(keys: &[KeyId], service: &Service, session: &Session) {
    for undone in
        remembered(service, session).await.undone.iter().filter(|undone| keys.contains(&undone.was.key))
    {
        say(&format!(
            "keyrack: warning: {}: a restored backup undid that. Revoke it again: keyrack key revoke {}",
            was_revoked(undone, session),
            undone.was.key
        ));
    }
}

/// The same of a key that is not there, by its id or the end of its preview: what can be said of it instead.
pub async fn recall_unknown(text: &str, service: &Service, session: &Session) -> Option<String> {
    let list = remembered(service, session).await;
    let fits = |undone: &&Undone| {
        undone.key.is_none() && (undone.was.key.to_string() == text || undone.was.preview.ends_with(text))
    };
    let undone = list.undone.iter().find(fits)?;
    let was = was_revoked(undone, session);
    Some(format!(
        "{was}, and was created after the backup from which this database was restored: it is refused as unknown"
    ))
}

async fn remembered(service: &Service, session: &Session) -> UndoneList {
    let is_gone = match session.history() {
        Some(history) => !history.gaps.is_empty(),
        None => service.history().await.is_ok_and(|history| !history.gaps.is_empty()),
    };
    if is_gone { service.undone(None).await.unwrap_or_default() } else { UndoneList::default() }
}

fn was_revoked(undone: &Undone, session: &Session) -> String {
    let was = &undone.was;
    let reason = was.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("{} was revoked by {} at {}{reason}", was.name, was.by, session.zone().to_the_minute(was.at))
}

/// Says what of the list can't be made again, and why.
pub async fn tell(list: &UndoneList, session: &Session) {
    let keys = list.keys().count();
    let unknown = list.undone.len() - keys;
    if unknown > 0 {
        let them = if unknown == 1 {
            "1 revoked key was".to_owned()
        } else {
            format!("{unknown} revoked keys were")
        };
        session.remark(&format!(
            "{them} created after the backup: this database doesn't know them, so no request with them passes."
        ));
    }
    for why in &list.unread {
        say(&format!("keyrack: warning: {why}"));
    }
    if keys == 0 {
        session.remark("No remembered revocation is undone. Nothing was changed.");
    }
}

/// `keyrack audit accept`
pub async fn accept(reason: Option<&str>, service: &Service, session: &Session) -> Result {
    if session.global.dry_run || prompt::must_ask(&session.global) {
        // Nobody is asked about what is refused anyway.
        service.trying().accept_history(new_operation(), reason).await?;
    }
    let undone = service.undone(None).await?.keys().count();
    let works = match undone {
        0 => String::new(),
        1 => ", and leave 1 key as it is that was revoked before".to_owned(),
        many => format!(", and leave {many} keys as they are that were revoked before"),
    };
    if session.would(|| format!("accept this restored database as it is{works}")) {
        return Ok(());
    }
    if !prompt::confirm(&session.global, &format!("Accept this restored database as it is{works}")).await? {
        return Err(Failure::new(Exit::Failure, "nothing was changed"));
    }
    service.accept_history(new_operation(), reason).await?;
    session.remark("Accepted, and recorded in the audit.");
    session.printer().facts(&[("accepted", true.into()), ("undone", undone.into())])
}

impl Undone {
    /// The status here; of a key that isn't there, that.
    fn here(&self, now: Instant) -> &'static str {
        self.key.as_ref().map_or("not here", |key| key.status(now).as_str())
    }
}

impl Record for Undone {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("HERE", 7, "here", |undone, now| undone.here(now).into()).whole(),
        Column::<Self>::new("KEY", 2, "preview", |undone, _| undone.was.preview.as_str().into()).whole(),
        Column::new("NAME", 3, "name", |undone, _| undone.was.name.as_str().into()),
        Column::new("ACCOUNT", 4, "account", |undone, _| undone.was.account.as_str().into()),
        Column::new("REVOKED", 5, "revoked_at", |undone, _| undone.was.at.into()),
        Column::new("BY", 6, "revoked_by", |undone, _| undone.was.by.as_str().into()),
        Column::new("REASON", 8, "reason", |undone, _| undone.was.reason.as_deref().into()),
        Column::wide("ID", 1, "id", |undone, _| undone.was.key.to_string().into()),
    ];

    fn tone(&self, now: Instant) -> Option<Tone> {
        let status = self.key.as_ref().map(|key| key.status(now));
        Some(if status == Some(Status::Active) { Tone::Bad } else { Tone::Quiet })
    }
}
