//! Many keys rotated in one decision: their new secrets are in files before anything happens to the old keys.

use super::super::super::failure::{Exit, Failure, Result};
use super::super::super::output::{Column, Record, Tone};
use super::super::super::session::Session;
use super::super::super::{prompt, say};
use super::super::decide::{self, Looks};
use super::super::receipt::Gates;
use super::super::which::Chosen;
use super::{Arguments, expiry};
use crate::domain::Instant;
use crate::domain::key::{Key, Status};
use crate::domain::text::thousands;
use crate::service::{Place, RotateKeys, Rotated, new_operation};

/// Whether there is anything to rotate: what has ended or was replaced already is no matter of a filter.
fn concerns(key: &Key, now: Instant) -> bool {
    let works =
        matches!(key.status(now), Status::Active | Status::Planned | Status::Paused | Status::Refused);
    works && key.successor_ends_at.is_none_or(|end| end <= now)
}

pub async fn run(arguments: &Arguments, place: Place, session: &Session) -> Result {
    let service = session.service().await?;
    let mut chosen = arguments.which.choose(service, session).await?;
    chosen.remark_parts(session);
    let (which, mut looks) = (&arguments.which, Looks::default());
    loop {
        let now = service.now().await?;
        which.narrow(&mut chosen, |key| concerns(key, now));
        let done = decide_and_rotate(arguments, &place, &chosen, session, now).await;
        match looks.again(done, chosen, which, service, session).await? {
            Some(others) => chosen = others,
            None => return Ok(()),
        }
    }
}

async fn decide_and_rotate(
    arguments: &Arguments,
    place: &Place,
    chosen: &Chosen,
    session: &Session,
    now: Instant,
) -> Result {
    let service = session.service().await?;
    let Some(first) = chosen.keys.first() else {
        session.outcome().list::<Rotated>(&[], now)?;
        session.remark("There is no matching key to rotate. Nothing was changed.");
        return Ok(());
    };
    let order = RotateKeys {
        keys: chosen.ids(),
        overlap: arguments.overlap,
        expiry: expiry(arguments, &first.issuer, session).await?,
        shown: decide::shown(chosen, &arguments.which, session, now),
    };
    if session.global.dry_run || prompt::must_ask(&session.global) {
        // Nobody is asked about what is refused anyway.
        let tried = service.trying().rotate_keys(new_operation(), order.clone(), place.clone()).await?;
        if session.global.dry_run || prompt::can_ask(&session.global) {
            decide::show(chosen, service, now).await?;
            let (never, first) = expiries(&tried);
            if let Some(first) = first {
                say(&format!("  new keys expire from {} on", session.zone().exact(first)));
            }
            if never > 0 {
                say(&format!("  {} of the new keys never expire", thousands(never as u64)));
            }
        }
        if session.global.dry_run {
            let to = place.path().display();
            say(&format!(
                "Would rotate {}, with the new secrets in {to}. Nothing was changed.",
                chosen.words()
            ));
            return Ok(());
        }
    }
    if !decide::sure(chosen, &format!("Rotate {}", chosen.words()), session).await? {
        return Err(Failure::new(Exit::Failure, "nothing was rotated"));
    }
    let rotated = service.rotate_keys(new_operation(), order, place.clone()).await?;
    let mut gates = Gates::of("rotate");
    gates.ask(&[], service).await;
    let mut printer = session.outcome();
    let printed = printer.rows(&rotated, now);
    let printed = printed.and_then(|()| printer.finish::<Rotated>().map(drop));
    let (number, to) = (thousands(rotated.len() as u64), place.path().display());
    let keys = if rotated.len() == 1 { "key is" } else { "keys are" };
    session.remark(&format!(
        "{number} {keys} rotated. The new secrets are in {to} (mode 0600). Keyrack kept no other copy."
    ));
    gates.tell(session);
    printed.and_then(|()| gates.verdict())
}

/// How many never expire, and when the first of the others does.
fn expiries(rotated: &[Rotated]) -> (usize, Option<Instant>) {
    let ends = || rotated.iter().map(|one| one.new.expires_at);
    (ends().filter(Option::is_none).count(), ends().flatten().min())
}

impl Record for Rotated {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("NAME", 4, "name", |of, _| of.new.name.as_str().into()),
        Column::new("ACCOUNT", 3, "account", |of, _| of.new.account.as_str().into()),
        Column::new("NEW KEY", 5, "preview", |of, _| of.new.preview.as_str().into()),
        Column::<Self>::new("EXPIRES", 6, "expires_at", |of, _| of.new.expires_at.into()).missing("never"),
        Column::new("OLD KEY ENDS", 8, "old_ends_at", |of, _| of.old.ends_at().into()),
        Column::new("ID", 1, "id", |of, _| of.new.id.to_string().into()),
        Column::wide("REPLACES", 2, "replaces", |of, _| of.old.id.to_string().into()),
        Column::wide("OLD KEY", 7, "old_preview", |of, _| of.old.preview.as_str().into()),
        Column::wide("FILE", 9, "secret_file", |of, _| of.file.display().to_string().into()),
    ];

    fn tone(&self, _: Instant) -> Option<Tone> {
        Some(Tone::Good)
    }
}
