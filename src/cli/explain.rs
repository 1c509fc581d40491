//! `keyrack explain`: why a key is refused, or would pass.

use std::net::IpAddr;

use clap::{Args, ValueEnum};

use super::failure::{Failure, Result};
use super::output::{Column, Record, Tone};
use super::session::{Session, whole_id};
use super::{key, prompt, restored, say};
use crate::domain::Instant;
use crate::domain::explain::{Mark, Step};
use crate::service::{Asked, Carriage, Explain, Presented};

#[derive(Debug, Args)]
pub struct Arguments {
    /// A key's ID, or a part of its ID or preview that matches only this key. Without it, the secret is read
    /// exactly as it was sent, from standard input or a hidden prompt; it is never shown
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// How the key is sent
    #[arg(long, value_enum, value_name = "STYLE", default_value = "bare", conflicts_with = "id")]
    header_style: HeaderStyle,
    /// The request's method
    #[arg(long, value_name = "METHOD", default_value = "GET", requires = "path")]
    method: String,
    /// The request's path, as the client sends it
    #[arg(long, value_name = "PATH", conflicts_with = "scope")]
    path: Option<String>,
    /// The scope that is needed, if no path is given
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// The client's IP address
    #[arg(long, value_name = "ADDRESS")]
    address: Option<IpAddr>,
    /// Accept only keys of this issuer, like a gate with --issuer
    #[arg(long, value_name = "SLUG")]
    issuer: Option<String>,
}

/// How a key is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum HeaderStyle {
    /// In no header: only the key itself is checked
    Bare,
    /// Authorization: Bearer
    Bearer,
    /// X-API-Key
    ApiKey,
    /// x-api-key
    ApiKeyLower,
}

impl From<HeaderStyle> for Carriage {
    fn from(style: HeaderStyle) -> Self {
        match style {
            HeaderStyle::Bare => Self::Bare,
            HeaderStyle::Bearer => Self::Bearer,
            HeaderStyle::ApiKey => Self::ApiKey,
            HeaderStyle::ApiKeyLower => Self::ApiKeyInSmallLetters,
        }
    }
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let what = match &arguments.id {
        Some(text) => Presented::Record(match whole_id(text) {
            Some(id) => id,
            None => key::the_key(service, text).await?.id,
        }),
        None => Presented::Sent(prompt::exact_secret(&session.global).await?, arguments.header_style.into()),
    };
    let request = match (arguments.path, arguments.scope) {
        (Some(path), _) => Some(Asked::Line { method: arguments.method, path }),
        (None, Some(scope)) => Some(Asked::Scope(scope)),
        (None, None) => None,
    };
    let explain = Explain { what, issuer: arguments.issuer, request, address: arguments.address };
    let told = service.explain(explain).await?;
    session.printer().list(&told.explanation.steps, told.now)?;
    if let Some((line, column)) = told.place {
        session.remark(&format!(
            "The key at line {line}, column {column} of what was given is explained, as if sent by itself."
        ));
    }
    if let Some(key) = &told.key {
        restored::recall(&[key.id], service, session).await;
    }
    match told.refused() {
        Some(reason) => {
            let status = reason.status();
            Err(Failure::check(format!("it is refused: {} (the caller gets {status})", reason.code())))
        }
        None => {
            let open = told.explanation.steps.iter().any(|step| step.mark == Mark::Open);
            session.remark(if open {
                "Nothing that was checked refuses it. Name --path and --address to check more."
            } else {
                "It would pass."
            });
            if session.format().for_people()
                && let Some(key) = &told.key
                && !session.global.quiet
            {
                say(&format!("See keyrack key show {}", key.id));
            }
            Ok(())
        }
    }
}

impl Record for Step {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("STEP", 1, "step", |step, _| step.name.into()),
        Column::new("", 2, "mark", |step, _| <&str>::from(step.mark).into()),
        Column::field(3, "reason", |step, _| step.reason.as_ref().map(|reason| reason.code()).into()),
        Column::new("WHAT WAS FOUND", 4, "words", |step, _| step.words.as_str().into()),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(match self.mark {
            Mark::Passed => Tone::Good,
            Mark::Failed => Tone::Bad,
            Mark::Open => Tone::Quiet,
        })
    }
}
